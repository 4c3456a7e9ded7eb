"""Decoding one blocked thread: which call, which descriptors, until when.

Everything is decoded from the line of /proc/PID/task/TID/syscall and from the program's memory.
A call that is not in our table, or that we cannot decode, makes the wait UNKNOWN, never proven.
"""

from __future__ import annotations

import struct
import time

from harness.observe.lowlevel import read_memory, slurp
from harness.observe.procfs import HIDDEN, Changed, ProcFs, Thread
from harness.observe.syscalls import CallKind, Calls
from harness.observe.wait import IN, OUT, UNSEEN_CALL, Wait, WaitKind

_FUTEX_COMMAND = 0x7F
_FUTEX_CLOCK_REALTIME = 256
_FUTEX_WAIT, _FUTEX_LOCK_PI, _FUTEX_WAIT_BITSET, _FUTEX_WAIT_REQUEUE_PI, _FUTEX_LOCK_PI2 = 0, 6, 9, 11, 13
_FUTEX_WAITS = {_FUTEX_WAIT, _FUTEX_LOCK_PI, _FUTEX_WAIT_BITSET, _FUTEX_WAIT_REQUEUE_PI, _FUTEX_LOCK_PI2}
_TIMER_ABSTIME = 1
_CLOCK_REALTIME, _CLOCK_MONOTONIC = 0, 1
_MOST_POLLFDS = 4096
_FD_SETSIZE = 1024


def decode(files: ProcFs, calls: Calls, thread: Thread, line: bytes) -> Wait:
    """The wait behind *line*, the ``syscall`` line of *thread*. Raises Changed, or OSError as `read_memory`."""
    fields = line.split()
    if fields[0] == HIDDEN:
        return Wait(*thread, UNSEEN_CALL, note="we may not look into it")
    number = int(fields[0])
    if number == -1:
        if files.state(thread) in "ZX":
            return Wait(*thread, "", WaitKind.DEAD)
        return Wait(*thread, "page fault")
    arguments = tuple(int(word, 16) for word in fields[1:7])
    wait = Wait(*thread, calls.name(number), arguments=arguments)
    kind = calls.kind(number)
    if kind is CallKind.RESTART and b"poll" in slurp(f"/proc/{thread.pid}/task/{thread.tid}/wchan"):
        # poll(2) resumed after SIGSTOP and SIGCONT; the registers still hold its arguments.
        wait.call, kind = "poll", CallKind.POLL
    if wait.call.startswith("accept") and b"seccomp" in slurp(f"/proc/{thread.pid}/task/{thread.tid}/wchan"):
        raise Changed(
            f"{wait.call} is about to be answered"
        )  # by the supervisor of a program whose accept() is to fail
    try:
        _Decoder(wait, arguments).decode(kind)
    except PermissionError:  # its memory is closed to us
        wait.cannot_tell("we may not look into it")
    return wait


class _Decoder:
    """Fills in one Wait from the arguments of its call."""

    def __init__(self, wait: Wait, arguments: tuple[int, ...]) -> None:
        self.wait = wait
        self.arguments = arguments

    def decode(self, kind: CallKind) -> None:
        wait, a = self.wait, self.arguments
        match kind:
            case CallKind.READ:
                self.on_descriptor(IN)
                wait.direct = True
            case CallKind.WRITE:
                self.on_descriptor(OUT)
                wait.direct = True
            case CallKind.SPLICE:
                wait.kind = WaitKind.EVENT
                wait.fds = {_signed(a[0]): IN, _signed(a[2]): OUT}
                wait.direct = wait.needs_all = True
            case CallKind.UNTIMED:
                wait.kind = WaitKind.EVENT
            case CallKind.LOCK:
                wait.kind = WaitKind.EVENT
                wait.fds[_signed(a[0])] = 0
            case CallKind.MQ_RECEIVE | CallKind.MQ_SEND:
                self.on_descriptor(IN if kind is CallKind.MQ_RECEIVE else OUT)
                self.until(a[4], clock=_CLOCK_REALTIME)
            case CallKind.POLL:
                self.pollfds()
                self.milliseconds(a[2])
            case CallKind.PPOLL:
                self.pollfds()
                self.after(a[2])
            case CallKind.SELECT | CallKind.PSELECT:
                self.fd_sets()
                self.after(a[4], fraction=1e-6 if kind is CallKind.SELECT else 1e-9)
            case CallKind.EPOLL:
                self.on_descriptor(IN)
                self.milliseconds(a[3])
            case CallKind.EPOLL_TIMESPEC:
                self.on_descriptor(IN)
                self.after(a[3])
            case CallKind.FUTEX:
                self.futex()
            case CallKind.FUTEX_WAITV:
                self.until(a[3], clock=a[4])
            case CallKind.RECVMMSG:
                # Its timeout is looked at only after a datagram, but a lower bound does no harm.
                self.on_descriptor(IN)
                wait.direct = True
                self.after(a[4])
            case CallKind.SIGTIMEDWAIT:
                self.after(a[2])
            case CallKind.SEMTIMEDOP:
                self.after(a[3])
            case CallKind.NANOSLEEP:
                self.after(a[0])
            case CallKind.CLOCK_NANOSLEEP:
                if a[1] & _TIMER_ABSTIME:
                    self.until(a[2], clock=a[0])
                else:
                    self.after(a[2])
            case CallKind.CONNECT | CallKind.CLOSE:
                wait.kind = WaitKind.TIMED
                wait.fds[_signed(a[0])] = 0
            case CallKind.SUPERVISED:
                raise Changed(f"{wait.call} is about to be answered")
            case CallKind.RESTART | CallKind.OPAQUE:
                wait.kind = WaitKind.UNKNOWN

    def on_descriptor(self, events: int) -> None:
        self.wait.kind = WaitKind.EVENT
        self.wait.fds[_signed(self.arguments[0])] = events

    def pollfds(self) -> None:
        """struct pollfd: int fd, short events, short revents."""
        address, count = self.arguments[0], min(self.arguments[1], _MOST_POLLFDS)
        raw = read_memory(self.wait.tid, address, 8 * count) if count else b""
        for fd, events, _ in struct.iter_unpack("=ihh", raw):
            if fd >= 0:
                self.wait.fds[fd] = self.wait.fds.get(fd, 0) | (events & (IN | OUT))

    def fd_sets(self) -> None:
        # The kernel works on copies: while select(2) sleeps, the sets in memory are still the question.
        count = min(self.arguments[0], _FD_SETSIZE)
        for address, events in ((self.arguments[1], IN), (self.arguments[2], OUT)):
            if address and count:
                raw = read_memory(self.wait.tid, address, (count + 63) // 64 * 8)
                bits = int.from_bytes(raw, "little")
                for fd in range(count):
                    if bits >> fd & 1:
                        self.wait.fds[fd] = self.wait.fds.get(fd, 0) | events

    def futex(self) -> None:
        operation = self.arguments[1]
        command = operation & _FUTEX_COMMAND
        if command not in _FUTEX_WAITS:
            return
        self.wait.lock = self.arguments[0]
        if command == _FUTEX_WAIT:
            self.after(self.arguments[3])
        else:
            realtime = bool(operation & _FUTEX_CLOCK_REALTIME) or command == _FUTEX_LOCK_PI
            self.until(self.arguments[3], clock=_CLOCK_REALTIME if realtime else _CLOCK_MONOTONIC)

    # -- timeouts ------------------------------------------------------------------

    def milliseconds(self, argument: int) -> None:
        """A timeout in ms; negative: none."""
        value = _signed(argument)
        if value < 0:
            self.wait.kind = WaitKind.EVENT
        else:
            self.wait.kind, self.wait.period = WaitKind.TIMED, value / 1e3

    def after(self, address: int, *, fraction: float = 1e-9) -> None:
        """A relative struct timespec (or timeval) at *address*; NULL: none."""
        if self.untimed(address):
            return
        self.wait.period = self.time_at(address, fraction)

    def until(self, address: int, *, clock: int) -> None:
        """An absolute struct timespec at *address*; NULL: none."""
        if self.untimed(address):
            return
        deadline = self.time_at(address, 1e-9)
        if clock == _CLOCK_MONOTONIC:
            self.wait.due = deadline
        elif clock == _CLOCK_REALTIME:
            # The monotonic clock is read first, so that the result is a lower bound.
            monotonic = time.monotonic()
            self.wait.due = monotonic + deadline - time.time()

    def untimed(self, address: int) -> bool:
        self.wait.kind = WaitKind.TIMED if address else WaitKind.EVENT
        return not address

    def time_at(self, address: int, fraction: float) -> float:
        seconds, rest = struct.unpack("=qq", read_memory(self.wait.tid, address, 16))
        return float(seconds + rest * fraction)


def _signed(argument: int) -> int:
    """A C int that travelled in a 64-bit register."""
    value = argument & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value
