"""What a thread that is blocked in system call number N is waiting for, per architecture."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from enum import Enum, auto

from harness.observe.syscalls import aarch64, x86_64


class CallKind(Enum):
    """Where the decoder finds descriptors and timeout of a blocking call."""

    READ = auto()  # (fd, ...): until input or end of file
    WRITE = auto()  # (fd, ...): until there is room
    SPLICE = auto()  # (in, offset, out, offset, ...): until there is input and room for it
    UNTIMED = auto()  # no descriptor, no timeout: child, signal, lock, System V message
    LOCK = auto()  # (fd, ...): until somebody else releases the lock
    MQ_RECEIVE = auto()  # (mqd, message, length, priority, absolute realtime timespec)
    MQ_SEND = auto()
    POLL = auto()  # (pollfds, count, milliseconds)
    PPOLL = auto()  # (pollfds, count, timespec)
    SELECT = auto()  # (count, in, out, except, timeval)
    PSELECT = auto()  # (count, in, out, except, timespec)
    EPOLL = auto()  # (epfd, events, count, milliseconds)
    EPOLL_TIMESPEC = auto()  # (epfd, events, count, timespec)
    FUTEX = auto()  # (address, operation, value, timespec)
    FUTEX_WAITV = auto()  # (waiters, count, flags, absolute timespec, clock)
    RECVMMSG = auto()  # (fd, messages, count, flags, timespec)
    SIGTIMEDWAIT = auto()  # (set, info, timespec)
    SEMTIMEDOP = auto()  # (semaphore, operations, count, timespec)
    NANOSLEEP = auto()  # (timespec)
    CLOCK_NANOSLEEP = auto()  # (clock, flags, timespec)
    CONNECT = auto()  # (fd, ...): SYN timers of the kernel
    CLOSE = auto()  # (fd): SO_LINGER
    RESTART = auto()  # restart_syscall(2): which call, only wchan knows
    SUPERVISED = auto()  # does not block by itself: the supervisor has not answered yet
    OPAQUE = auto()  # known by name only


#: The names, sorted by kind. One table for all architectures; the numbers are in the modules.
KINDS: Mapping[str, CallKind] = {
    **dict.fromkeys(
        ["read", "pread64", "readv", "preadv", "preadv2", "recvfrom", "recvmsg", "accept", "accept4"],
        CallKind.READ,
    ),
    **dict.fromkeys(
        ["write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "sendfile"],
        CallKind.WRITE,
    ),
    "splice": CallKind.SPLICE,
    **dict.fromkeys(
        [
            "wait4",
            "waitid",
            "pause",
            "rt_sigsuspend",
            "semop",
            "msgrcv",
            "msgsnd",
            "open",
            "openat",
            "openat2",
        ],
        CallKind.UNTIMED,
    ),
    **dict.fromkeys(["flock", "fcntl"], CallKind.LOCK),
    "mq_timedreceive": CallKind.MQ_RECEIVE,
    "mq_timedsend": CallKind.MQ_SEND,
    "poll": CallKind.POLL,
    "ppoll": CallKind.PPOLL,
    "select": CallKind.SELECT,
    "pselect6": CallKind.PSELECT,
    "epoll_wait": CallKind.EPOLL,
    "epoll_pwait": CallKind.EPOLL,
    "epoll_pwait2": CallKind.EPOLL_TIMESPEC,
    "futex": CallKind.FUTEX,
    "futex_waitv": CallKind.FUTEX_WAITV,
    "recvmmsg": CallKind.RECVMMSG,
    "rt_sigtimedwait": CallKind.SIGTIMEDWAIT,
    "semtimedop": CallKind.SEMTIMEDOP,
    "nanosleep": CallKind.NANOSLEEP,
    "clock_nanosleep": CallKind.CLOCK_NANOSLEEP,
    "connect": CallKind.CONNECT,
    "close": CallKind.CLOSE,
    "restart_syscall": CallKind.RESTART,
    **dict.fromkeys(
        ["socket", "bind", "listen", "shutdown", "setsockopt", "alarm", "setitimer", "io_uring_setup"],
        CallKind.SUPERVISED,
    ),
}

_NUMBERS = {"x86_64": x86_64.NUMBERS, "aarch64": aarch64.NUMBERS}


class Calls:
    """The table of one architecture: number -> name and kind. Unknown numbers are OPAQUE."""

    def __init__(self, machine: str | None = None) -> None:
        numbers = _NUMBERS.get(machine or platform.machine(), {})
        self.supported = bool(numbers)
        self._names = {number: name for name, number in numbers.items()}

    def name(self, number: int) -> str:
        """Name of the call, or "system call N"."""
        return self._names.get(number, f"system call {number}")

    def kind(self, number: int) -> CallKind:
        """What the call waits for."""
        return KINDS.get(self._names.get(number, ""), CallKind.OPAQUE)
