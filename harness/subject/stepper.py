"""Leading a program from one system call to the next: ptrace(2).

Used by one check only, which delivers a signal at a chosen moment: after the program has decided to
call, and before the call.  That moment has no length, so it can be met by leading the program to it, and
in no other way.  The registers are those of x86-64; elsewhere :class:`CannotStep` is raised.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct
from types import TracebackType
from typing import Self

from harness.observe.lowlevel import slurp

_SEIZE, _INTERRUPT, _SYSCALL, _DETACH = 0x4206, 0x4207, 24, 17
_GETREGS, _SETREGS, _GET_SYSCALL_INFO = 12, 13, 0x420E
_O_TRACESYSGOOD = 1
_ENTRY = 1
_EVENT_STOP = 128
_WALL = 0x40000000

#: struct user_regs_struct of x86-64: 27 words; rax, orig_rax and rip among them (sys/user.h).
_WORDS, _RAX, _ORIG_RAX, _RIP = 27, 10, 15, 16
#: A call without effect and without delay.
_GETPID = 39
#: How a call that was interrupted by our coming, and has a timeout, goes on (restart_syscall(2)).
_RESTART = 219

#: Length of the instruction ``syscall``.
_INSTRUCTION = 2

_libc = ctypes.CDLL(None, use_errno=True)

NAMES = {
    0: "read", 1: "write", 2: "open", 3: "close", 5: "fstat", 7: "poll", 8: "lseek", 9: "mmap", 10: "mprotect",
    11: "munmap", 12: "brk", 13: "rt_sigaction", 14: "rt_sigprocmask", 16: "ioctl", 17: "pread64", 19: "readv",
    20: "writev", 22: "pipe", 23: "select", 32: "dup", 33: "dup2", 34: "pause", 35: "nanosleep", 37: "alarm",
    38: "setitimer", 39: "getpid", 40: "sendfile", 41: "socket", 42: "connect", 43: "accept", 44: "sendto",
    45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 48: "shutdown", 49: "bind", 50: "listen", 51: "getsockname",
    52: "getpeername", 53: "socketpair", 54: "setsockopt", 55: "getsockopt", 56: "clone", 57: "fork", 58: "vfork",
    59: "execve", 60: "exit", 61: "wait4", 62: "kill", 72: "fcntl", 130: "rt_sigsuspend", 186: "gettid", 202: "futex",
    228: "clock_gettime", 230: "clock_nanosleep", 231: "exit_group", 232: "epoll_wait", 233: "epoll_ctl",
    234: "tgkill", 247: "waitid", 257: "openat", 270: "pselect6", 271: "ppoll", 275: "splice", 281: "epoll_pwait",
    288: "accept4", 293: "pipe2", 318: "getrandom", 332: "statx", 435: "clone3", 441: "epoll_pwait2",
}  # fmt: skip


class CannotStep(Exception):
    """This machine does not let us lead the program (no x86-64, no ptrace access), or the program was lost."""


class Stepper:
    """Holds the main thread of a process, from one entry into the kernel to the next; a context manager.

    Nothing here blocks: :meth:`at_call` is asked until it says yes, or until the caller knows better.
    """

    #: Where the registers are known that it needs.
    machines: tuple[str, ...] = ("x86_64",)
    GET_SYSCALL_INFO = _GET_SYSCALL_INFO

    def __init__(self, pid: int) -> None:
        if platform.machine() not in self.machines:
            raise CannotStep(
                f"system calls can be led on {' and '.join(self.machines)} only, not on {platform.machine()}"
            )
        self.pid = pid
        #: Number of the call that is about to be made, None while the thread runs.
        self.call: int | None = None
        self._held = False
        self._slept_in: int | None = None

    def __enter__(self) -> Self:
        self._slept_in = _blocked_in(self.pid)
        self._ptrace(_SEIZE, 0, _O_TRACESYSGOOD)
        self._held = True
        self._ptrace(_INTERRUPT, 0, 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held:
            self._let_go()

    def go_on(self) -> None:
        """Let the thread make the call it is about to make."""
        self.call = None
        self._ptrace(_SYSCALL, 0, 0)

    def at_call(self) -> bool:
        """Whether the thread is held right before a system call; passes on what else happens to it."""
        while self.call is None:
            if not self._await_stop():
                return False
        return True

    def _await_stop(self) -> bool:
        """Pass one stop of the thread, unless it is the entry into a call; False if it has not stopped."""
        pid, status = os.waitpid(self.pid, os.WNOHANG | _WALL)
        if not pid:
            return False
        if not os.WIFSTOPPED(status):
            self._held = False
            raise CannotStep("the program ended while it was led")
        stop, event = os.WSTOPSIG(status), status >> 16
        if stop == signal.SIGTRAP | 0x80:
            self._at_system_call()
            if self.call is not None:
                return True
            stop = 0
        elif event == _EVENT_STOP:
            stop = 0
        self._ptrace(_SYSCALL, 0, stop)  # a signal on its way to the program is delivered
        return True

    def _at_system_call(self) -> None:
        """It enters the kernel or leaves it: sets `call` if it shall be held here."""
        self.call = self._entering()
        if self.call == _RESTART:
            self.call = self._slept_in

    def rewind(self) -> None:
        """Undo the entry into the call: what comes next is the instruction that makes it.

        A signal that is sent to the process now, before we let the thread go, is handled first, as if it
        had come one instruction before the call.
        """
        wanted = self._registers()[_ORIG_RAX]
        # The entry cannot be undone, but it can be made one into a call without effect; that one is done at once.
        self._change({_ORIG_RAX: _GETPID})
        self._ptrace(_SYSCALL, 0, 0)
        os.waitpid(self.pid, _WALL)
        # -1 says that no call is being left, so the kernel does not restart one (signal(7)).
        self._change({_RAX: wanted, _ORIG_RAX: 2**64 - 1, _RIP: self._registers()[_RIP] - _INSTRUCTION})

    def _let_go(self) -> None:
        self._held = False
        try:
            if self.call is None:  # it runs: only a stopped thread can be let go
                self._ptrace(_INTERRUPT, 0, 0)
                if not os.WIFSTOPPED(os.waitpid(self.pid, _WALL)[1]):
                    return
            self._ptrace(_DETACH, 0, 0)
        except CannotStep:
            # Another thread has ended the process.  Its end is reported to us first, and to its parent only
            # when we have taken note (ptrace(2), "Death under ptrace").
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, _WALL)

    def _registers(self) -> list[int]:
        buffer = ctypes.create_string_buffer(_WORDS * 8)
        self._ptrace(_GETREGS, 0, ctypes.addressof(buffer))
        return list(struct.unpack(f"={_WORDS}Q", buffer.raw))

    def _change(self, values: dict[int, int]) -> None:
        registers = self._registers()
        for place, value in values.items():
            registers[place] = value
        buffer = ctypes.create_string_buffer(struct.pack(f"={_WORDS}Q", *registers), _WORDS * 8)
        self._ptrace(_SETREGS, 0, ctypes.addressof(buffer))

    def _entering(self) -> int | None:
        """The number of the call that is being entered; None when it is being left."""
        buffer = ctypes.create_string_buffer(96)
        self._ptrace(_GET_SYSCALL_INFO, 96, ctypes.addressof(buffer))
        return int(struct.unpack_from("=Q", buffer.raw, 24)[0]) if buffer.raw[0] == _ENTRY else None

    def _ptrace(self, request: int, address: int, data: int) -> None:
        if _libc.ptrace(request, self.pid, ctypes.c_void_p(address), ctypes.c_void_p(data)) < 0:
            raise CannotStep(f"ptrace: {os.strerror(ctypes.get_errno())}")


def _blocked_in(pid: int) -> int | None:
    """The number of the call in which the main thread is blocked (proc_pid_syscall(5)), None if it runs."""
    try:
        number = slurp(f"/proc/{pid}/syscall", 256).split()[0]
        return int(number)
    except (OSError, ValueError, IndexError):
        return None
