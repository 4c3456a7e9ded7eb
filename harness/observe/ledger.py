"""Idle time by accounting: what passed, less what the threads ran and what they waited for a CPU.

A look that takes longer than the program's own polling interval always finds it moving.  Such a program
is idle all the same, and its accounts show it: schedstat fields 1 and 2 of every thread (proc(5)).
"""

from __future__ import annotations

import time

from harness.observe.lowlevel import slurp
from harness.observe.procfs import Thread, process_state, threads_below
from harness.observe.watched import Watched

#: Seconds between two readings; shorter ones would cost more than they tell.
_INTERVAL = 0.02


class IdleLedger:
    """Idle time of a program since the reading before."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._before: dict[Thread, int] | None = None
        self._read_at = 0.0

    def restart(self) -> None:
        """What passed until now is charged by somebody else, or to nobody."""
        self._before = None

    def charge(self) -> float:
        """Seconds of idle time since the last reading, never too many.

        0 if a thread came or went meanwhile (what a dead thread used is not known any more), if one
        waits for a disk (state D), or if it is too early to ask again.
        """
        now = time.monotonic()
        if self._before is not None and now < self._read_at + _INTERVAL:
            return 0.0
        current = self._accounts()
        before, self._before = self._before, current
        passed, self._read_at = now - self._read_at, now
        if before is None or current is None or before.keys() != current.keys():
            return 0.0
        active = sum(current[thread] - before[thread] for thread in current) / 1e9
        return max(0.0, passed - active)

    def _accounts(self) -> dict[Thread, int] | None:
        """Nanoseconds on a CPU and waiting for one, of each thread; None if that cannot be told."""
        accounts = {}
        for thread in threads_below(self._watched.root):
            try:
                ran, waited, _ = slurp(f"/proc/{thread.pid}/task/{thread.tid}/schedstat", 128).split()
            except (FileNotFoundError, ProcessLookupError, ValueError):
                return None
            if process_state(thread.tid) == "D":
                return None
            accounts[thread] = int(ran) + int(waited)
        return accounts
