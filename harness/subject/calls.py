"""Calls of the program that pid 1's supervisor has reported: listen, bind, interval timers, socket timeouts,
and the accept that it has made fail."""

from __future__ import annotations

import collections
import enum
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass

from harness.observe.lowlevel import slurp
from harness.observe.procfs import status_field
from harness.subject.channel import Report

#: Calls kept for reading; what a program does more often than that is only counted.
MOST_CALLS = 1000
#: Sockets with timeouts remembered; inode numbers of closed ones are harmless (the answer is "timed", to be safe).
MOST_INODES = 1 << 16
#: Seconds after its expiry for which a timer still counts as armed: the interrupt may come late on a busy machine.
GRACE = 0.02


class CallKind(enum.StrEnum):
    """What was called."""

    LISTEN = "listen"
    BIND = "bind"
    TIMER = "setitimer"
    TIMEOUT = "setsockopt"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the program was about to make when it was reported."""

    kind: CallKind
    #: Host pid of the process; None when it is gone by now.
    pid: int | None
    #: listen, bind: the descriptor; setsockopt: the inode; setitimer: microseconds, -1 if unknown; accept: errno.
    subject: int
    #: listen: the backlog argument.
    backlog: int = 0


@dataclass
class _Timer:
    pidfd: int
    value: float
    #: CLOCK_MONOTONIC seconds; None while unknown or periodic.
    expiry: float | None = None
    periodic: bool = False


class Calls:
    """The record of one program."""

    def __init__(self) -> None:
        self.recent: collections.deque[Call] = collections.deque(maxlen=MOST_CALLS)
        #: How often each kind was reported.
        self.count: collections.Counter[CallKind] = collections.Counter()
        self.timeout_sockets: frozenset[int] = frozenset()
        self._timers: dict[int, _Timer] = {}

    def take(self, report: Report) -> None:
        """Note a report of kind L, B, T, O or A; its descriptor is ours from now on."""
        pid = report.host_pid()
        first, second, _, _ = report.numbers
        keep = False
        if report.kind == "L":
            self._note(Call(CallKind.LISTEN, pid, first, second))
        elif report.kind == "B":
            self._note(Call(CallKind.BIND, pid, first))
        elif report.kind == "A":
            self._note(Call(CallKind.ACCEPT, pid, first))
        elif report.kind == "O":
            self._note(Call(CallKind.TIMEOUT, pid, first))
            if len(self.timeout_sockets) < MOST_INODES:
                self.timeout_sockets |= {first}
        else:
            self._note(Call(CallKind.TIMER, pid, first))
            keep = pid is not None and report.descriptor is not None
            if pid is not None and report.descriptor is not None:
                self._set_timer(
                    _process_of(pid), _Timer(report.descriptor, first / 1e6, periodic=first < 0 or second > 0)
                )
        if not keep and report.descriptor is not None:
            os.close(report.descriptor)

    def _note(self, call: Call) -> None:
        self.recent.append(call)
        self.count[call.kind] += 1

    def _set_timer(self, process: int, timer: _Timer) -> None:
        self._drop(process)
        if timer.value == 0:
            os.close(timer.pidfd)
        else:
            self._timers[process] = timer

    def _drop(self, process: int) -> None:
        old = self._timers.pop(process, None)
        if old is not None:
            os.close(old.pidfd)

    def timers(self) -> Mapping[int, float | None]:
        """Armed interval timers: host pid -> CLOCK_MONOTONIC expiry, None if periodic or not known yet."""
        return {process: timer.expiry for process, timer in self._timers.items()}

    def refresh(self) -> None:
        """Forget timers that have expired, or whose process is dead."""
        for process, timer in list(self._timers.items()):
            now = time.monotonic()
            if _is_dead(timer.pidfd) or (timer.expiry is not None and now > timer.expiry):
                self._drop(process)
            elif timer.expiry is None and not timer.periodic and _is_elsewhere(process):
                # The call was reported before it ran. Now that the process waits elsewhere it has run: the
                # timer was armed before this moment, and cannot expire later than this.
                timer.expiry = now + timer.value + GRACE

    def close(self) -> None:
        """Give the descriptors back."""
        for process in list(self._timers):
            self._drop(process)


def _process_of(thread: int) -> int:
    """The process of a thread id (a pidfd may be one of a thread)."""
    return int(status_field(thread, "Tgid") or thread)


def _is_dead(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


#: System call numbers of alarm(2) and setitimer(2), by architecture.
_ARMING = {"x86_64": (b"37", b"38"), "aarch64": (b"103",)}.get(os.uname().machine, ())


def _is_elsewhere(process: int) -> bool:
    """Whether every thread of the process is blocked, and none in the call that arms a timer."""
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            call = slurp(f"/proc/{process}/task/{task}/syscall", 256).split(None, 1)[0]
            if call == b"running" or call in _ARMING:
                return False
    except (OSError, IndexError):
        return False
    return True
