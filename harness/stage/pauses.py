"""The pauses that a program makes by itself: how long each is, the kernel says; no clock of ours does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.observe.settle import SettledKind
from harness.observe.wait import Wait, WaitKind
from harness.verdict.outcome import Inconclusive, Violation

if TYPE_CHECKING:
    from harness.stage.talking import Talking

#: A thread, and the sleep it is in: its run counter moves when it wakes up.
_Key = tuple[int, bytes]


class Pauses:
    """Follows a program from one timed wait to the next."""

    def __init__(self, client: Talking) -> None:
        self._client = client
        self._last: _Key | None = None
        self._length = 0.0

    def next(self, longest: float) -> float:
        """The length in seconds of the next pause, as the program asked for it; one of more than *longest* idle
        seconds is not waited for (Inconclusive).  A program that makes no more pauses is at fault."""
        client = self._client
        settled = client.until(
            lambda: self._in_another() or client.program.status is not None, patience=longest
        )
        if client.program.status is None and settled.ready:
            return self._length
        if settled.kind is SettledKind.IDLE:
            raise Inconclusive(f"the program pauses for more than {longest:g} s, which is not waited for")
        again = "stopped trying" if self._last is not None else "did not try again"
        raise Violation(
            f"nobody listened yet at the address it was given, and the program {again}. {client.condition(settled)}",
            kind="no-retry",
            **client.facts(),
        )

    def _in_another(self) -> bool:
        look = self._client.oracle.look()
        timed = [wait for wait in look.waits if wait.kind is WaitKind.TIMED and not wait.internal]
        if not timed or look.earliest_of_program is None:
            return False
        wait = min(timed, key=lambda wait: wait.wakes_at or 0.0)
        key = (wait.tid, wait.runs)
        if key == self._last:
            return False
        self._last, self._length = key, _length(wait, look.began)
        return True


def _length(wait: Wait, now: float) -> float:
    """What was asked for; of an absolute deadline, what is left of it."""
    if wait.period is not None:
        return wait.period
    return max(0.0, wait.due - now) if wait.due is not None else 0.0
