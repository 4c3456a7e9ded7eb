"""Violations of a client, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.observe.settle import Settled
from harness.stage.datagram_reference import DatagramReference
from harness.verdict.outcome import Violation
from harness.verdict.show import count

if TYPE_CHECKING:
    from harness.stage.completing import Completing
    from harness.stage.talking import Talking


def never_came(client: Talking, settled: Settled) -> Violation:
    """No connection was made, or no datagram was sent."""
    what = "sent no datagram to" if client.by_datagrams else "did not connect to"
    return Violation(
        f"the program {what} our server at {client.address}. {client.condition(settled)}",
        kind="not-reached",
        **client.facts(),
    )


def wrong_request(client: Talking) -> Violation:
    """Something came that cannot be right."""
    hearing = client.reference.hearing
    return Violation(
        f"what the program sent is wrong: {hearing.wrong}.",
        kind="wrong-request",
        offset=hearing.offset,
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
    return Violation(f"its standard output is wrong: {why}.", kind="misprint", **client.facts())


def no_end(client: Completing, after: str, settled: Settled) -> Violation:
    """It goes on running though its work is done, or cannot be done."""
    return Violation(
        f"{after}, but the program goes on running and will not end. {client.condition(settled)}",
        kind="client-no-end",
        **client.facts(),
    )
