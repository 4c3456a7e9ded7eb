"""What was tried in this network at all: the kernel's own counters (RFC 4022, RFC 4113; proc(5), /proc/net/snmp).

A connection that was refused, or that went to another port than it should, leaves no socket behind that one could
look at; it has been counted all the same.
"""

from __future__ import annotations

from pathlib import Path

_ROOM = Path("/proc/thread-self/net")


def connections_tried() -> int | None:
    """How often anybody in the calling thread's network has sent a SYN for a connection of its own (tcpActiveOpens,
    both families); None if the kernel does not say."""
    return _of_table("Tcp", "ActiveOpens")


def datagrams_sent() -> int | None:
    """How many UDP datagrams anybody in the calling thread's network has sent, over both families; None if the kernel
    does not say."""
    over_ipv4, over_ipv6 = _of_table("Udp", "OutDatagrams"), _of_list("Udp6OutDatagrams")
    return None if over_ipv4 is None else over_ipv4 + (over_ipv6 or 0)


def _of_table(name: str, column: str) -> int | None:
    """A line of names, and a line of values below it."""
    rows = [line.split() for line in _read("snmp") if line.startswith(f"{name}: ")]
    if len(rows) != 2 or column not in rows[0]:
        return None
    return int(rows[1][rows[0].index(column)])


def _of_list(name: str) -> int | None:
    """A name and its value in one line."""
    return next((int(words[1]) for line in _read("snmp6") if (words := line.split())[:1] == [name]), None)


def _read(name: str) -> list[str]:
    try:
        return (_ROOM / name).read_text(encoding="ascii").splitlines()
    except OSError:
        return []
