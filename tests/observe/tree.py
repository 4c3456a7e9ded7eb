"""A program below a subreaper of ours: the simplest `Watched`, without sandbox and supervisor."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
from collections.abc import Iterable, Mapping
from types import TracebackType

from harness.observe.procfs import process_state, threads_below

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


class Tree:
    """Starts *argv* as the only child of a process that adopts and reaps orphans."""

    def __init__(self, argv: list[str], *, stdin: int | None = None, stdout: int | None = None) -> None:
        self.supervised = False
        self.interval_timers: Mapping[int, float | None] = {}
        self.timeout_sockets: frozenset[int] = frozenset()
        self.refreshed = 0
        self.status: int | None = None
        self._waker, report = os.pipe()
        self.root = os.fork()
        if self.root == 0:
            try:
                _become_reaper(argv, report, stdin, stdout)
            finally:
                os._exit(126)
        os.close(report)
        #: The program's first process, and how it ended (a wait status), once it has.
        self.pid = int(os.read(self._waker, 100))
        os.set_blocking(self._waker, False)

    def refresh(self) -> None:
        self.refreshed += 1
        with contextlib.suppress(BlockingIOError):
            report = os.read(self._waker, 100)
            self.status = int(report) if report else self.status

    def wakers(self) -> Iterable[int]:
        return [self._waker]

    @property
    def pids(self) -> list[int]:
        """All processes below the root, zombies included, the first one first."""
        return sorted({thread.pid for thread in threads_below(self.root)})

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def close(self) -> None:
        """Kill everything; the root goes last, so nothing can escape."""
        while living := [pid for pid in self.pids if process_state(pid) not in "ZX"]:
            for pid in living:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                pidfd = _open_pid(pid)
                if pidfd is not None:
                    select.select([pidfd], [], [], 5)
                    os.close(pidfd)
        os.kill(self.root, signal.SIGKILL)
        os.waitpid(self.root, 0)
        os.close(self._waker)

    def __enter__(self) -> Tree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open_pid(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _become_reaper(argv: list[str], report: int, stdin: int | None, stdout: int | None) -> None:
    """In the forked child: adopt orphans, start the program, reap for ever."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    program = os.fork()
    if program == 0:
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null if stdin is None else stdin, 0)
        if stdout is not None:
            os.dup2(stdout, 1)
        os.closerange(3, 4096)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(argv[0], argv)
    os.write(report, f"{program}\n".encode())
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            signal.pause()
            continue
        if pid == program:
            os.write(report, f"{status}\n".encode())
