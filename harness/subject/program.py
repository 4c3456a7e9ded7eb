"""A running program: the process tree below our pid 1, seen and steered from outside."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from harness.assignment.limits import Limits
from harness.observe.procfs import status_field
from harness.subject.calls import Call, CallKind, Calls
from harness.subject.cgroup import MemoryGroup
from harness.subject.channel import Channel, Report, close_descriptor, pid_of
from harness.subject.memory import MemoryWatch
from harness.subject.output import Input, Output
from harness.subject.rescue import Rescue
from harness.subject.succession import Succession
from harness.subject.tree import Tree, inner_pid, is_zombie
from harness.subject.wait_status import WaitStatus

#: Seconds after which the start of our own pid 1, or its end, counts as failed. Our error, never the program's.
FUSE = 30.0

#: Reports taken in at one refresh at most; a program that calls faster waits for us.
_PER_REFRESH = 5000

#: A program that writes more than this many times its output limit is ended.
_FLOOD = 8

#: The step of `child.c` that may fail because of the program; any other is our error.
_EXEC = "x"

_SUPERVISED = 1
_MEGABYTE = 1 << 20


class LaunchError(RuntimeError):
    """The sandbox or our pid 1 did not work: an error of the harness or of this machine, not of the program."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the program itself used up, getrusage(2): CPU seconds and the greatest resident set in KiB."""

    user_seconds: float
    system_seconds: float
    max_rss_kb: int


class Program:
    """A started program; implements `harness.observe.watched.Watched`.

    Made by `harness.subject.launch.Launcher`. All pids are pids as we see them. Nothing here blocks,
    except `close`, until everything of the program is dead.
    """

    def __init__(
        self,
        channel: Channel,
        sandbox: subprocess.Popen[bytes],
        output: Output,
        stdin: Input,
        limits: Limits,
        group: MemoryGroup | None,
        on_close: Callable[[], None],
        *,
        daemon: bool = False,
        directory: str = "",
    ) -> None:
        self._channel = channel
        self._sandbox = sandbox
        self._on_close = on_close
        self._memory = MemoryWatch(limits.memory_mb * _MEGABYTE)
        self._group = group
        self._output_limit = limits.output_mb * _MEGABYTE * _FLOOD
        self._calls = Calls()
        self._closed = False
        self._executed = False
        self._supervised = False
        self.output = output
        self.stdin = stdin
        #: Pid of the first process, and a pidfd of it; 0 and -1 before it exists.
        self.pid = 0
        self.pidfd = -1
        #: Pid of the process that we started, which leads its session and process group; `pid` unless it is a daemon.
        self.first_pid = 0
        #: The working directory it is started in, by the name it has inside.
        self.directory = directory
        self._tree = Tree()
        #: How the first process ended; None while it lives, as far as the last `refresh` knows.
        #: Of a daemon: how the process ended that went on when those who had started it were gone.
        self.status: WaitStatus | None = None
        #: How the process ended that we started, if the program has gone on without it, as a daemon; else None.
        self.launch_status: WaitStatus | None = None
        self._succession = Succession() if daemon else None
        #: errno of an exec that failed; None if it worked. The status is then 127, as in a shell.
        self.exec_errno: int | None = None
        #: How those processes ended that nobody of the program has waited for (only if it was started with *orphans*).
        self.orphans: list[WaitStatus] = []
        #: Whether it ignored SIGCHLD when it ended, so that the kernel waited for its children (wait(2), NOTES);
        #: None while it lives, and if that cannot be known (only if it was started with *orphans*).
        self.ignored_children: bool | None = None
        self.rusage: Usage | None = None
        #: Nothing of the tree is alive any more (reported by the kernel; only if `supervised`).
        self.all_gone = False
        #: How the canary died; None while it lives.
        self.canary_status: WaitStatus | None = None
        #: Why we ended the program ourselves, a sentence; None if we did not.
        self.excess: str | None = None
        #: Between `stop_all` and `continue_all`.
        self.frozen = False
        self._rescue = Rescue(lambda: self._tree.signal(signal.SIGSTOP), self._go_on)
        output.read_by(self._rescue.read)
        stdin.write_by, stdin.close_by = self._rescue.write, self._rescue.close_end

    # -- starting ----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Wait until the program is one step before its exec. Raises `LaunchError`."""
        self._wait_for(lambda: self.pid != 0)
        if self.pid == 0:
            raise LaunchError("the program's sandbox did not come up" + self._sandbox_words())

    def go(self) -> None:
        """Let it exec, and wait until that has worked or failed (`exec_errno`)."""
        if self._group is not None:
            try:
                self._group.add(self.pid)
            except OSError:
                self._group = None
        self._channel.go()
        self._wait_for(lambda: self._executed or self.status is not None)

    def _wait_for(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + FUSE
        while not happened() and not self._channel.ended:
            if not self._channel.wait(deadline):
                raise LaunchError(f"our own pid 1 of the program did not answer within {FUSE:.0f} seconds")
            self._take_reports()

    @property
    def alive(self) -> bool:
        """Whether the first process runs, as the kernel knows it; `status` may still be on its way."""
        return not is_zombie(self.pid)

    def collect_status(self) -> None:
        """Wait for `status` of a program that is known to be dead. Raises `LaunchError` if pid 1 does not say it."""
        self._wait_for(lambda: self.status is not None or self.alive)

    def _sandbox_words(self) -> str:
        """What bubblewrap said before it gave up."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._sandbox.wait(FUSE)
        said = b""
        if self._sandbox.stderr is not None:
            said = self._sandbox.stderr.read(4096) or b""
        return (
            f" (status {self._sandbox.returncode}): {said.decode(errors='replace').strip() or 'no message'}"
        )

    # -- what the observer wants to know ------------------------------------------------------

    @property
    def root(self) -> int:
        """Our pid 1 of the program: parent of its first process, and of every orphan; not itself a member."""
        return self._tree.root

    @property
    def supervised(self) -> bool:
        """Whether calls that /proc cannot show are reported to us."""
        return self._supervised

    @property
    def interval_timers(self) -> Mapping[int, float | None]:
        """Armed ITIMER_REAL/alarm timers: pid -> CLOCK_MONOTONIC expiry in seconds (at the latest).

        None if periodic, or as long as the call that arms it may not have run yet.
        """
        return self._calls.timers()

    @property
    def timeout_sockets(self) -> frozenset[int]:
        """Inodes of sockets that were given SO_RCVTIMEO or SO_SNDTIMEO; empty if not supervised."""
        return self._calls.timeout_sockets

    @property
    def events(self) -> list[Call]:
        """The reported calls, the last thousand, in order; empty if not supervised."""
        return list(self._calls.recent)

    @property
    def listened(self) -> bool:
        """Whether it has called listen(2); always False if not supervised."""
        return self._calls.count[CallKind.LISTEN] > 0

    @property
    def bound(self) -> bool:
        """Whether it has called bind(2); always False if not supervised."""
        return self._calls.count[CallKind.BIND] > 0

    @property
    def accept_failed(self) -> bool:
        """Whether a call of accept(2) was made to fail (only if it was started with *failing_accept*)."""
        return self._calls.count[CallKind.ACCEPT] > 0

    @property
    def stdout_at_eof(self) -> bool:
        """Whether every process has closed standard output."""
        return self.output.stdout_at_eof

    def wakers(self) -> Iterable[int]:
        """Descriptors of ours that become readable when the program writes, ends or reports a call."""
        control = [] if self._channel.ended or self._closed else [self._channel.fileno()]
        return control + self.output.fds()

    def refresh(self) -> None:
        """Take in what pid 1 and the pipes have for us, without blocking; end a program that exceeds its limits."""
        if self._closed:
            return
        self._take_reports()
        self._calls.refresh()
        self.output.refresh()
        self.stdin.refresh()
        self._check_limits()

    def _take_reports(self) -> None:
        for _ in range(_PER_REFRESH):
            report = self._channel.receive()
            if report is None:
                break
            self._take(report)
        if self._succession is not None:
            self._follow(self._succession)
        if self._channel.ended and self.status is None and self.pid:
            # Pid 1 is dead (a program without a pid namespace of its own can kill it): so is the program.
            self.status = WaitStatus(signal.SIGKILL)

    def _take(self, report: Report) -> None:
        first, second, third, fourth = report.numbers
        if report.kind == "P" and report.descriptor is not None:
            self.pidfd = report.descriptor
            self.pid = self.first_pid = pid_of(self.pidfd) or 0
            if self._succession is not None:
                self._succession.follow(report.inner_pid)
            self._tree.root = int(status_field(self.pid, "PPid") or 0)
            self._supervised = bool(first & _SUPERVISED)
        elif report.kind == "X":
            self._executed = True
        elif report.kind == "E":
            if chr(second) != _EXEC:
                raise LaunchError(
                    f"the program could not be prepared (step {chr(second)}): {os.strerror(first)}"
                )
            self.exec_errno = first
        elif report.kind in "SR":
            if report.kind == "S" or self._succession is not None:
                self.rusage = Usage(second / 1e6, third / 1e6, fourth)
            if self._succession is None and report.kind == "R":
                self.orphans.append(WaitStatus(first))
            elif self._succession is None:
                self.status = WaitStatus(first)
            else:
                self._succession.died(report.inner_pid, WaitStatus(first))
        elif report.kind == "I":
            self.ignored_children = bool(first)
        elif report.kind == "H":
            self.all_gone = True
        elif report.kind == "K":
            self._tree.stranger = report.host_pid() or 0
            close_descriptor(report)
        elif report.kind == "D":
            self.canary_status = WaitStatus(first)
        elif report.kind in "LBTOA":
            self._calls.take(report)
        else:
            close_descriptor(report)

    def _follow(self, line: Succession) -> None:
        """Of a daemon: when the process that we took for the program has ended, another one goes on, or the program has ended."""
        ended = line.ended
        if ended is None or self.status is not None:
            return
        heir = self._tree.heir()
        if heir and line.follow(inner_pid(heir)):
            with contextlib.suppress(OSError):
                pidfd = os.pidfd_open(heir)
                os.close(self.pidfd)
                self.pid, self.pidfd = heir, pidfd
                self.launch_status = self.launch_status or ended
        elif self.all_gone or not (self._supervised or self._tree.members()):
            self.status = ended

    def _check_limits(self) -> None:
        if self.excess is not None:
            return
        if self.output.total > self._output_limit:
            self._end_for(
                f"it wrote more than {self._output_limit // _MEGABYTE} MB to stdout and stderr and was ended"
            )
        elif self._exceeds_memory():
            self._end_for(f"it used more than {self._memory.limit // _MEGABYTE} MB of memory and was ended")

    def _exceeds_memory(self) -> bool:
        """Looked at now and then, and in any case when the program has just been killed."""
        killed = self.status is not None and self.status.signal == signal.SIGKILL
        if not killed and not self._memory.due:
            return False
        if self._group is not None:
            return self._group.has_killed
        return self._memory.exceeded(self.members())

    def _end_for(self, reason: str) -> None:
        self.excess = reason
        self.kill()

    # -- steering ------------------------------------------------------------------------------

    def signal(self, number: int) -> bool:
        """Send a signal to the first process, pidfd_send_signal(2); False if it is gone."""
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except OSError:
            return False
        return True

    def signal_group(self, number: int) -> bool:
        """Send a signal to the process group of the program, as a terminal does for ^C; False if it is gone.

        The program leads a session and a process group of its own; the group of a daemon has lost its leader.
        """
        group = self.pid
        if self.launch_status is not None:
            with contextlib.suppress(ProcessLookupError):
                group = os.getpgid(self.pid)
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(pid) == group:  # as long as it has a member, the number means no other group
                    os.killpg(group, number)
                    return True
        return False

    def kill(self) -> None:
        """SIGKILL every process of the tree, until none is left or they come faster than we kill; never blocks."""
        self._tree.signal(signal.SIGKILL)

    def stop_all(self) -> None:
        """SIGSTOP every process of the tree. Whether all have stopped shows in /proc, a little later."""
        self.frozen = True
        self._tree.signal(signal.SIGSTOP)

    def continue_all(self) -> None:
        """SIGCONT every process of the tree."""
        self._tree.signal(signal.SIGCONT)
        self.frozen = False

    def _go_on(self) -> None:
        if not self.frozen:
            self._tree.signal(signal.SIGCONT)

    def members(self) -> list[int]:
        """Pids of the live processes of the tree, zombies not included; in no particular order."""
        return [] if self._closed else self._tree.members()

    def zombies(self) -> list[int]:
        """Pids of the processes that have ended and that their parent, a process of the program, has not waited for."""
        return [] if self._closed else self._tree.zombies()

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """End everything inside and wait until it is dead; what was written until then is in `output`.

        Idempotent, never raises.
        """
        if self._closed:
            return
        with contextlib.suppress(Exception):
            self.refresh()
        self._closed = True
        self.stdin.abandon()
        self._channel.close()
        self._reap_sandbox()
        self.output.finish()
        self._rescue.close()
        self._calls.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
        with contextlib.suppress(Exception):
            self._on_close()

    def _reap_sandbox(self) -> None:
        with contextlib.suppress(OSError):
            pidfd = os.pidfd_open(self._sandbox.pid)
            try:
                poll = select.poll()
                poll.register(pidfd, select.POLLIN)
                if not poll.poll(FUSE * 1000):
                    self._sandbox.kill()
            finally:
                os.close(pidfd)
        self._sandbox.wait()
        if self._sandbox.stderr is not None:
            self._sandbox.stderr.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
