"""Who holds the other end of a pair of sockets, for readers that wait for an end of file which cannot come.

read(2) returns 0 when every copy of the other end is closed; each fork(2) makes a copy.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.observe.procfs import descriptors
from harness.observe.quiescence import Look
from harness.observe.sock_diag import UnixSocket
from harness.observe.wait import IN, OUT, Descriptor, Wait, WaitKind
from harness.observe.who import Who, inside_pid


@dataclass(frozen=True, slots=True)
class Stuck:
    """A thread that waits on one end of a pair; *holders* are (pid, descriptor) of the other end.

    *own*: one of the holders is the process of the thread itself. *writing*: it waits for room, not for data.
    *ends*: the inodes of its end and of the other one.
    """

    who: str
    call: str
    descriptor: int
    holders: tuple[tuple[int, int], ...]
    own: bool
    writing: bool
    ends: tuple[int, int]

    def __str__(self) -> str:
        here = f"{self.who} waits in {self.call}({self.descriptor}, ...)"
        if not self.holders:
            return f"{here}, and the other end of this pair is open nowhere in the program"
        holders = _listed([f"descriptor {fd} of process {inside_pid(pid)}" for pid, fd in self.holders])
        if self.writing:
            return f"{here} for somebody to read from the other end of this pair ({holders})"
        also = " in this very process, too" if self.own else ""
        return f"{here}, and the other end of this pair is still open{also}: {holders}"


def stuck_on_pairs(look: Look) -> list[Stuck]:
    """Every thread that is blocked on a connected UNIX socket, and who holds the other end."""
    who = Who(look.waits)
    copies = _ends(look)
    found = []
    for wait in look.waits:
        for descriptor in _pairs(wait):
            assert isinstance(descriptor.socket, UnixSocket)
            ends = descriptor.socket.inode, descriptor.socket.peer or 0
            holders = tuple(copies.get(ends[1], ()))
            own = any(pid == wait.pid for pid, _ in holders)
            writing = bool(descriptor.events & OUT) and not descriptor.events & IN
            call = {"recvfrom": "recv", "sendto": "send"}.get(wait.call, wait.call)
            found.append(Stuck(who.name(wait), call, descriptor.fd, holders, own, writing, ends))
    return found


def _pairs(wait: Wait) -> list[Descriptor]:
    return [
        one
        for one in wait.descriptors
        if isinstance(one.socket, UnixSocket) and one.socket.peer is not None and not one.socket.path
    ]


def _ends(look: Look) -> dict[int, list[tuple[int, int]]]:
    """Every socket of the program by inode: who has it, as which descriptor."""
    ends: dict[int, list[tuple[int, int]]] = {}
    for pid in sorted({wait.pid for wait in look.waits if wait.kind is not WaitKind.DEAD}):
        for fd, link in sorted(descriptors(pid).items()):
            if link.startswith("socket:["):
                ends.setdefault(int(link[8:-1]), []).append((pid, fd))
    return ends


def _listed(words: list[str]) -> str:
    shown = words[:4] + ([f"{len(words) - 4} more"] if len(words) > 4 else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
