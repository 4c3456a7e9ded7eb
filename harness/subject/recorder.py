"""What a thread that spins calls, over and over: ptrace(2), for a handful of calls.

Asked only when it is certain that the program uses the CPU without getting anywhere; what it does then is
the same again and again, so a few turns tell all.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from harness.observe.phrases import familiar
from harness.observe.syscalls import Calls
from harness.subject.stepper import NAMES, Stepper

#: Calls that are recorded: enough for a few turns of any loop that a student writes.
MOST = 32
#: The longest turn that is told call by call.
_LONGEST_TURN = 6

_EXIT = 2
#: Calls whose first argument is a descriptor that a student knows by its number.
_ON_DESCRIPTOR = frozenset({"read", "recv", "recvmsg", "readv", "accept", "write", "send", "sendmsg", "writev", "close"})  # fmt: skip
#: What leads nowhere by itself and is in many loops: clocks, masks, what the allocator does.
_NOISE = frozenset({"clock_gettime", "gettimeofday", "rt_sigprocmask", "sched_yield", "futex", "mmap", "munmap", "brk", "madvise"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Called:
    """One call and how it ended: *outcome* is the number returned, or the name of the error."""

    name: str
    fd: int | None
    outcome: str

    def is_like(self, other: Called) -> bool:
        """Whether it is the same call with the same sort of outcome: two counts of bytes are alike, 0 and 5 are not."""
        mine, theirs = (one.outcome.isdigit() and one.outcome != "0" for one in (self, other))
        return (self.name, self.fd) == (other.name, other.fd) and (
            self.outcome == other.outcome or (mine and theirs)
        )

    def __str__(self) -> str:
        call = f"{self.name}({'' if self.fd is None else self.fd})"
        if self.outcome.startswith("E"):
            code = getattr(errno, self.outcome, 0)
            return f"{call}, which fails with {self.outcome} ({os.strerror(code)})"
        return f"{call}, which returns {self.outcome}"


class Recorder(Stepper):
    """Takes down the calls of one thread; a context manager, like its kin. Raises CannotStep where that is forbidden."""

    machines = ("x86_64", "aarch64")

    def __init__(self, tid: int) -> None:
        super().__init__(tid)
        self.calls: list[Called] = []
        self._names = Calls()
        self._entered: tuple[int, int] | None = None

    def has_enough(self) -> bool:
        """Take down what has been called by now; whether that is enough. Does not block."""
        while len(self.calls) < MOST:
            if not self._await_stop():
                return False
        return True

    def _at_system_call(self) -> None:
        """One entry into the kernel, or one return from it (struct ptrace_syscall_info, ptrace(2))."""
        buffer = ctypes.create_string_buffer(96)
        self._ptrace(self.GET_SYSCALL_INFO, 96, ctypes.addressof(buffer))
        if buffer.raw[0] == _EXIT:
            if self._entered is not None:
                value, failed = struct.unpack_from("=q?", buffer.raw, 24)
                self._take_down(*self._entered, value, failed)
            self._entered = None
        else:
            number, first = struct.unpack_from("=QQ", buffer.raw, 24)
            self._entered = number, ctypes.c_int32(first).value  # a descriptor is an int: -1 stays -1

    def _take_down(self, number: int, first: int, value: int, failed: bool) -> None:
        name = self._names.name(number)
        if name.startswith("system call") and platform.machine() == "x86_64":
            name = NAMES.get(number, name)
        if name in _NOISE:
            return
        name = familiar(name)
        outcome = errno.errorcode.get(-value, f"E{-value}") if failed else str(value)
        self.calls.append(Called(name, first if name in _ON_DESCRIPTOR else None, outcome))

    def turn(self) -> list[Called]:
        """One turn of the loop; empty if no turn was seen to repeat."""
        return turn_of(self.calls)


def turn_of(calls: Sequence[Called]) -> list[Called]:
    """The shortest run of calls with which *calls* ends at least three times in a row; empty if there is none."""
    for length in range(1, _LONGEST_TURN + 1):
        last = list(calls[-length:])
        before = calls[-3 * length : -length]
        if len(before) == 2 * length and all(
            call.is_like(other) for call, other in zip(before, last * 2, strict=True)
        ):
            return _from_its_wait(last)
    return []


def _from_its_wait(turn: list[Called]) -> list[Called]:
    """The same turn told from the call that waits, if there is one."""
    start = next((n for n, call in enumerate(turn) if call.name in ("poll", "select", "epoll_wait")), 0)
    return turn[start:] + turn[:start]
