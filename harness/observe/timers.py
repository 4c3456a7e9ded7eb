"""Timers that do not show in the arguments of the blocked call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from harness.observe.lowlevel import slurp
from harness.observe.procfs import descriptor_info, status_field

_SIGALRM_BIT = 1 << (14 - 1)


@dataclass(frozen=True, slots=True)
class TimerFd:
    """A timerfd: *due* (CLOCK_MONOTONIC seconds), None when nothing is armed.

    *doubtful*: reads as disarmed, but so does one that expired this instant and whose interrupt
    is still pending; only after `barriers.timer_barrier` the two can be told apart.
    """

    due: float | None
    doubtful: bool


def timerfd(tid: int, fd: int) -> TimerFd:
    """State of timerfd *fd* of thread *tid*, timerfd_create(2). Raises Changed when it was closed."""
    now = time.monotonic()  # before reading what is left: the deadline must be a lower bound
    ticks, left = 0, 0.0
    for line in descriptor_info(tid, fd):
        if line.startswith("ticks:"):
            ticks = int(line.split()[1])
        elif line.startswith("it_value:"):
            seconds, nanoseconds = line.split("(")[1].rstrip(")").split(",")
            left = int(seconds) + int(nanoseconds) / 1e9
    return TimerFd(now + left if left else None, doubtful=not left and not ticks)


def has_posix_timers(pid: int) -> bool:
    """Whether the process has made a timer with timer_create(2), armed or not."""
    try:
        return bool(slurp(f"/proc/{pid}/timers", 64))
    except FileNotFoundError:  # a kernel without CONFIG_CHECKPOINT_RESTORE; see capabilities
        return False


def catches_alarm(pid: int) -> bool:
    """Whether the process has a handler for SIGALRM: it may have called alarm(2) or setitimer(2)."""
    caught = status_field(pid, "SigCgt")
    return bool(caught) and bool(int(caught, 16) & _SIGALRM_BIT)


class Alarms:
    """Interval timers that the supervisor reports, and forgets at the latest moment of their expiry.

    One that has just been forgotten may have expired without its interrupt having run yet.
    """

    def __init__(self) -> None:
        self._armed: dict[int, float | None] = {}
        self.doubtful = False

    def note(self, armed: Mapping[int, float | None]) -> None:
        """Take in what is reported at the beginning of a look."""
        self.doubtful |= bool(set(self._armed.items()) - set(armed.items()))
        self._armed = dict(armed)

    def settled(self) -> None:
        """After a barrier, and with every thread blocked: whatever had expired has acted."""
        self.doubtful = False
