"""When can a blocked thread wake up by itself: remembering sleeps from look to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.observe.wait import Wait, WaitKind


@dataclass(slots=True)
class _Sleep:
    runs: bytes
    #: The thread certainly had not begun this sleep before then (CLOCK_MONOTONIC seconds).
    not_before: float | None
    last_seen: float


class Sleeps:
    """A lower bound for the end of each timed wait.

    The kernel tells how long a relative timeout is, not when it began. But a thread that was seen
    running, in an earlier sleep (its run counter differs) or not at all, began this one later.
    """

    def __init__(self) -> None:
        self._of_thread: dict[int, _Sleep] = {}
        self._last_complete: float | None = None

    def note(self, runs: Mapping[int, bytes], awake: int | None, began: float) -> None:
        """Take in one look that began at *began*: run counters by tid, and a thread that was not blocked."""
        seen: dict[int, _Sleep] = {}
        for tid, counter in runs.items():
            old = self._of_thread.get(tid)
            if tid == awake:
                not_before: float | None = began
            elif old is None:
                not_before = self._last_complete
            else:
                not_before = old.not_before if old.runs == counter else old.last_seen
            seen[tid] = _Sleep(counter, not_before, began)
        self._of_thread = seen

    def complete(self, began: float) -> None:
        """The look that began at *began* has missed no thread: whoever is new next time is younger."""
        self._last_complete = began

    def earliest_end(self, wait: Wait, now: float) -> float | None:
        """When, at the earliest, a timer ends *wait*; None: never. CLOCK_MONOTONIC seconds."""
        if wait.kind is not WaitKind.TIMED:
            return None
        if wait.due is not None:
            return wait.due
        sleep = self._of_thread.get(wait.tid)
        if wait.period is None or sleep is None or sleep.not_before is None:
            return now
        return sleep.not_before + wait.period
