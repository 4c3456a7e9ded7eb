"""A limit on the memory of the whole process tree, by looking: setrlimit(2) knows single processes only.

No RLIMIT_AS and no RLIMIT_DATA: threads, address sanitizer, Java, Go and Node reserve gigabytes
that they never use. Should the machine run out of memory before we look, the kernel ends the program
and not us: our pid 1 has volunteered (``oom_score_adj``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from harness.observe.lowlevel import slurp

#: Seconds between two looks at most; a program that grows fast gets a little more than its limit.
INTERVAL = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """Whether a tree of processes uses more than *limit* bytes of memory of its own (not of files, not shared)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._next_look = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time for another look; asking starts the next interval."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + INTERVAL
        return True

    def exceeded(self, pids: Iterable[int]) -> bool:
        """Add up what the processes use now.

        First by ``statm``, which is cheap but counts pages that a fork shares once per process;
        only if that is too much, by the proportional share in ``smaps_rollup``.
        """
        pids = list(pids)
        return sum(map(_resident, pids)) > self.limit and sum(map(_proportional, pids)) > self.limit


def _resident(pid: int) -> int:
    """Bytes of anonymous memory in use, proc_pid_statm(5): resident without shared."""
    try:
        fields = slurp(f"/proc/{pid}/statm", 256).split()
        return (int(fields[1]) - int(fields[2])) * _PAGE
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    """Bytes of anonymous memory, shared pages divided by their users (``Pss_Anon``); `_resident` without access."""
    try:
        for line in slurp(f"/proc/{pid}/smaps_rollup", 4096).splitlines():
            if line.startswith(b"Pss_Anon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return _resident(pid)
