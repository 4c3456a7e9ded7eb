"""What the observer must be told about a program; the launcher of the program provides it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Watched(Protocol):
    """A process tree under observation.

    All pids are host pids, as this process sees them under /proc.
    """

    @property
    def root(self) -> int:
        """Our own pid 1 of the program (subreaper or init of its namespace).

        Every process of the program descends from it; it is not itself a member.
        """

    @property
    def supervised(self) -> bool:
        """Whether calls that /proc cannot show (alarm, setitimer, io_uring) are reported to us."""

    @property
    def interval_timers(self) -> Mapping[int, float | None]:
        """Armed ITIMER_REAL/alarm timers: pid -> CLOCK_MONOTONIC expiry in seconds, at the latest.

        None: periodic, or not known yet.
        """

    @property
    def timeout_sockets(self) -> frozenset[int]:
        """Inodes of sockets that were given SO_RCVTIMEO or SO_SNDTIMEO; empty if not supervised."""

    def refresh(self) -> None:
        """Take in what the supervisor and the program's pipes have for us, without blocking.

        Called before each look, so that a program is never blocked on us while we call it idle.
        """

    def wakers(self) -> Iterable[int]:
        """Descriptors of ours that become readable when the program writes, ends or reports a call."""
