"""A signal at every moment of one cycle: connect, serve, close, wait again."""

from __future__ import annotations

from signal import Signals
from typing import TYPE_CHECKING

from harness.stage.client import Client
from harness.stage.server import Server
from harness.subject.stepper import NAMES, CannotStep, Stepper
from harness.verdict.outcome import Inconclusive, Violation

if TYPE_CHECKING:
    from harness.stage.stage import Stage

#: Moments that are tried at most; a cycle of a C server has about ten, one of asyncio thirty.
MOST = 48


def signal_at_every_call(stage: Stage, number: Signals) -> None:
    """Start the program again and again, and deliver *number* before another system call of the cycle each time."""
    for place in range(MOST):
        server = stage.serve()
        server.settle(patience=0.0)  # asleep is enough, whatever wakes it
        last = _signal_before_call(server, number, place)
        server.close()
        if last:
            return


def _signal_before_call(server: Server, number: Signals, place: int) -> bool:
    """Deliver the signal before call *place* (counted from 0); whether that was the last one of the cycle."""
    server.prepare()
    server.stepped = True
    try:
        with Stepper(server.program.pid) as stepper:
            client = server.client()
            client.ask()
            client.complete()
            last = _lead_to(server, stepper, client, place)
            if stepper.call is None:
                return True  # the cycle has fewer calls
            name = NAMES.get(stepper.call, f"system call {stepper.call}")
            server.timeline.record("peer", f"sent {number.name} just before the program called {name}()")
            stepper.rewind()
            server.program.signal(number)
    except CannotStep as error:
        server.expect_running()
        raise Inconclusive(str(error)) from None
    server.stepped = False
    _leave_when_noticed(server, client)
    _expect_end(server, client, number, name)
    return last


def _lead_to(server: Server, stepper: Stepper, client: Client, place: int) -> bool:
    """Lead the program to its call *place*, or to the last one of the cycle: whether it is the last."""
    waiting: int | None = None
    for passed in range(place + 1):
        if passed:
            stepper.go_on()
        server.until(lambda: client.peer.pump() < 0 or stepper.at_call())
        if stepper.call is None:
            return True  # it makes no call any more: other threads do the work
        waiting = stepper.call if waiting is None else waiting
        if passed and stepper.call == waiting and client.peer.over:
            return True
    return False


def _leave_when_noticed(server: Server, client: Client) -> None:
    """Leave a server that has closed first, as clients do: it may wait for our FIN (RFC 9112 section 9.6).

    Not before its listener is gone: our leaving must not wake one that has lost the signal.
    """

    def noticed() -> bool:
        client.peer.pump()
        return client.peer.over and not server.is_listening()

    server.until(lambda: server.program.status is not None or noticed())
    if server.program.status is None and noticed():
        client.leave_unread()


def _expect_end(server: Server, client: Client, number: Signals, name: str) -> None:
    try:
        server.expect_end(server.agreed(number))
    except Violation as violation:
        raise Violation(
            f"{number.name} that comes just before {name}() is lost or mistreated: {violation.observed}",
            kind="race",
            **violation.facts,
        ) from None
    client.close()
