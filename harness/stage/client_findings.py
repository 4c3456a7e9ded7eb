"""Violations of a client, in words."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from harness.assignment.profiles._integers import SWAPPED, UNSIGNED
from harness.observe.attempts import connections_tried, datagrams_sent
from harness.observe.settle import Settled
from harness.stage.datagram_reference import DatagramReference
from harness.verdict.outcome import Violation
from harness.verdict.show import count

if TYPE_CHECKING:
    from harness.stage.completing import Completing
    from harness.stage.talking import Talking


def never_came(client: Completing, settled: Settled, *, name: str = "") -> Violation:
    """No connection was made, or no datagram was sent; *name* is that of the connection, if there are several."""
    datagrams = client.address.type == socket.SOCK_DGRAM
    what = "sent no datagram to" if datagrams else "did not connect to"
    has_tried = tried(client)
    if has_tried is None:
        also = ""
    elif datagrams:
        also = (
            " It has sent a datagram, but to another address."
            if has_tried
            else " It has sent nobody a datagram."
        )
    else:
        also = (
            " It has tried to connect, but elsewhere." if has_tried else " It has not even tried to connect."
        )
    return Violation(
        f"the program, started as {client.stage.commands[client.name]}, {what} our server at {client.address}"
        f"{f' for {name}' if name else ''}.{also} {client.condition(settled)}",
        kind="not-reached",
        tried=has_tried,
        run=" ".join(client.stage.built.run),
        by_default=not client.stage.assignment.program.run,
        **client.facts(),
    )


def tried(client: Completing) -> bool | None:
    """Whether it has come as far as asking anybody for a connection, or sending anybody a datagram; None: unknown."""
    if client.address.local or not client.stage.network.private:
        return None
    counted = datagrams_sent() if client.address.type == socket.SOCK_DGRAM else connections_tried()
    return None if counted is None else counted > 0


def wrong_request(client: Talking) -> Violation:
    """Something came that cannot be right."""
    hearing = client.reference.hearing
    return Violation(
        f"what the program sent is wrong: {hearing.wrong}.",
        kind="wrong-request",
        offset=hearing.offset,
        swapped=hearing.swapped,
        **client.facts(),
    )


def missing_request(client: Talking, settled: Settled) -> Violation:
    """What is owed to the server has not come, and will not."""
    return Violation(
        f"{_unsent(client)}. {client.condition(settled)}", kind="missing-request", **client.facts()
    )


def _unsent(client: Talking) -> str:
    hearing = client.reference.hearing
    lost = client.reference.lost if isinstance(client.reference, DatagramReference) else 0
    if lost:
        return f"{count(lost, 'datagram')} of the program's {'was' if lost == 1 else 'were'} lost on the way, and it does not send again"
    ended = " and then reset the connection (RST)" if client.reset_by_program else ""
    return (
        f"the program sent {count(hearing.came, 'byte')}{ended}; {count(hearing.missing, 'request')} of {len(client.turns)} "
        f"{'has' if hearing.missing == 1 else 'have'} not come in full, and will not"
    )


def misprinted(client: Talking, why: str) -> Violation:
    """Standard output is not what it must be."""
    return Violation(
        f"its standard output is wrong: {why}.",
        kind="misprint",
        swapped=why.endswith(SWAPPED),
        unsigned=why.endswith(UNSIGNED),
        **client.facts(),
    )


def no_end(client: Completing, after: str, settled: Settled) -> Violation:
    """It goes on running though its work is done, or cannot be done."""
    return Violation(
        f"{after}, but the program goes on running and will not end. {client.condition(settled)}",
        kind="client-no-end",
        **client.facts(),
    )
