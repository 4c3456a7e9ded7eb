"""How much CPU time each thread has used since something last happened."""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.observe.lowlevel import slurp
from harness.observe.procfs import Thread, status_field, threads_below
from harness.observe.watched import Watched

#: Seconds between two readings: a thread cannot use more CPU time than passes.
_INTERVAL = 0.05
#: A program may spread its spinning over threads: so many times the limit of one thread for all.
_SHARE_OF_ALL = 4


@dataclass(frozen=True, slots=True)
class Spinning:
    """A thread (or, with *thread* None, the whole program) that used *seconds* of CPU time without blocking."""

    thread: Thread | None
    seconds: float
    name: str

    def __str__(self) -> str:
        return f"{self.name} has used {self.seconds:.1f} s of CPU time without waiting for anything"


class CpuMeter:
    """CPU time of the threads of a program since the first reading after `restart`."""

    def __init__(self, watched: Watched, limit: float) -> None:
        self._watched = watched
        self._limit = limit
        self._before: dict[Thread, int] | None = None
        self._next = 0.0

    def restart(self) -> None:
        """Something happened: what was used so far does not count."""
        self._before = None
        self._next = 0.0

    def spinning(self) -> Spinning | None:
        """Who has used more than the limit; None if nobody, or if it is too early to ask again."""
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + _INTERVAL
        current = cpu_nanoseconds(self._watched)
        if self._before is None:
            self._before = current
            return None
        used = {thread: (total - self._before.get(thread, 0)) / 1e9 for thread, total in current.items()}
        busiest = max(used, key=lambda thread: used[thread], default=None)
        if busiest is not None and used[busiest] > self._limit:
            return Spinning(busiest, used[busiest], _name(busiest, current))
        if sum(used.values()) > self._limit * _SHARE_OF_ALL:
            return Spinning(None, sum(used.values()), "the program")
        return None


def cpu_nanoseconds(watched: Watched) -> dict[Thread, int]:
    """CPU time of every live thread, in ns: field 1 of its schedstat."""
    used = {}
    for thread in threads_below(watched.root):
        try:
            line = slurp(f"/proc/{thread.pid}/task/{thread.tid}/schedstat", 128)
        except (FileNotFoundError, ProcessLookupError):
            continue
        used[thread] = int(line.split()[0])
    return used


def _name(thread: Thread, everybody: dict[Thread, int]) -> str:
    tids = sorted(tid for pid, tid in everybody if pid == thread.pid)
    ordinal = f"thread {tids.index(thread.tid) + 1}"
    if len({pid for pid, _ in everybody}) == 1:
        return ordinal
    inside = status_field(thread.pid, "NSpid").split()
    return f"{ordinal} of process {inside[-1] if inside else thread.pid}"
