"""Starting a program: pipes, sandbox, our pid 1, exec."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from harness.assignment.limits import Limits
from harness.subject.cgroup import MemoryGroup
from harness.subject.channel import Channel
from harness.subject.isolation import Isolation, Level
from harness.subject.output import Input, Output
from harness.subject.pid1_binary import pid1_binary
from harness.subject.pipes import Pipes
from harness.subject.program import LaunchError, Program
from harness.subject.sandbox import WORK, View, bwrap_command, environment, landlock_arguments
from harness.subject.scratch import Scratch
from harness.subject.toolchains import resolve
from harness.subject.user import own_uid

Stdin = Literal["pipe", "null", "closed"]

_MEGABYTE = 1 << 20
_FILE_SIZE = 64 * _MEGABYTE
_MOST_DESCRIPTORS = 4096


class Launcher:
    """Starts programs under one isolation with the same default limits."""

    def __init__(self, isolation: Isolation, limits: Limits | None = None) -> None:
        self.isolation = isolation
        self.limits = limits or Limits()
        #: The user id that programs run as, None: our own.
        self.uid = own_uid() if isolation.changes_user else None
        self._foreign = _threads_of_user() if isolation.counts_foreign_processes else 0

    def start(
        self,
        argv: Sequence[str],
        *,
        files: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: Stdin = "pipe",
        closed_stdio: bool = False,
        canary: bool = False,
        daemon: bool = False,
        orphans: bool = False,
        failing_accept: bool = False,
        rendezvous: Path | None = None,
        readable: Sequence[Path] = (),
        hosts: Path | None = None,
        limits: Limits | None = None,
    ) -> Program:
        """Start *argv* and return once its exec has worked or failed (`Program.exec_errno`).

        *files* is the built submission: its entries are in the working directory, read-only, next to
        which the program may create files of its own. *rendezvous* is a directory (see `rendezvous`)
        that the program may write to, *readable* are files it may read, at the same paths inside, *hosts* is
        a file it sees as /etc/hosts (hosts(5); nothing without a sandbox of its own). It joins the network
        that the calling thread is in. ``closed_stdio`` starts it without descriptors 0, 1 and 2, ``canary``
        with an innocent process in its process group. Of a *daemon* the program is what goes on when the
        process that was started has ended. With *orphans*, processes that nobody has waited for are noted
        (`Program.orphans`). With *failing_accept*, its first accept(2) fails with ECONNABORTED
        (`Program.accept_failed`), if it is supervised.
        Raises `LaunchError` when the sandbox does not work, `Pid1Unavailable` without a C compiler.
        """
        view = View(
            files=files,
            readable=tuple(readable),
            writable=() if rendezvous is None else (rendezvous,),
            environment=dict(env or {}),
            hosts=hosts,
        )
        return self.start_with(
            resolve(list(argv)),
            view,
            stdin=stdin,
            closed_stdio=closed_stdio,
            canary=canary,
            daemon=daemon,
            orphans=orphans,
            failing_accept=failing_accept,
            limits=limits,
        )

    def start_with(
        self,
        argv: Sequence[str],
        view: View,
        *,
        stdin: Stdin = "null",
        closed_stdio: bool = False,
        canary: bool = False,
        daemon: bool = False,
        orphans: bool = False,
        failing_accept: bool = False,
        limits: Limits | None = None,
        build: bool = False,
    ) -> Program:
        """The same for any *view* of the machine; *argv* is taken as it is.

        A *build* is not supervised, but put into a memory control group if there can be one. Checks do
        without: joining a group takes up to 10 ms on a busy machine (an RCU grace period).
        """
        limits = limits or self.limits
        options = self._limit_arguments(limits, view)
        if not build:
            options.append("--supervise")
        if canary:
            options.append("--canary")
        if daemon or orphans:
            options.append("--orphans")
        if failing_accept:
            options.append("--failing-accept")
        if closed_stdio or stdin == "closed":
            options += ["--close", "012" if closed_stdio else "0"]
        with contextlib.ExitStack() as undo:
            tear_down = contextlib.ExitStack()  # what is undone when the program is closed
            undo.callback(tear_down.close)
            command, more, inherited = self._command(view, tear_down)
            pipes = Pipes(stdin == "pipe", not closed_stdio)
            undo.callback(pipes.close)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.callback(ours.close)
            with theirs:
                channel = Channel(ours)
                channel.hand_over(pipes.theirs)
                sandbox = subprocess.Popen(
                    [*command, str(theirs.fileno()), *options, *more, "--", *argv],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=[theirs.fileno()],
                    env=inherited,
                    cwd="/",
                )
            pipes.close_theirs()
            output = Output(pipes.stdout, pipes.stderr, limits.output_mb * _MEGABYTE)
            group = MemoryGroup.make(limits.memory_mb * _MEGABYTE) if build and self.uid is not None else None
            if group is not None:
                tear_down.callback(group.remove)
            program = Program(
                channel,
                sandbox,
                output,
                Input(pipes.stdin),
                limits,
                group,
                tear_down.close,
                daemon=daemon,
                directory=os.path.realpath(more[more.index("--directory") + 1]),
            )
            undo.pop_all()
        try:
            program.prepare()
            program.go()
        except BaseException:
            program.close()
            raise
        return program

    def _limit_arguments(self, limits: Limits, view: View) -> list[str]:
        values = {
            "CPU": f"{limits.cpu_seconds}:{limits.cpu_seconds + 1}",
            "NPROC": str(limits.processes + self._foreign),
            "FSIZE": str(_FILE_SIZE if not view.in_place else 8 * _FILE_SIZE),
            "NOFILE": f"{limits.descriptors}:{max(limits.descriptors, _MOST_DESCRIPTORS)}",
            "CORE": "0",
        }
        words = [word for name, value in values.items() for word in ("--limit", f"{name}={value}")]
        return words if self.uid is None else [*words, "--uid", str(self.uid)]

    def _command(
        self, view: View, tear_down: contextlib.ExitStack
    ) -> tuple[list[str], list[str], Mapping[str, str]]:
        """The words before the control descriptor, those after it, and the environment of the command."""
        pid1 = pid1_binary()
        if self.isolation.sandboxed:
            try:
                return bwrap_command(self.isolation, view, pid1), ["--directory", WORK], {}
            except OSError as error:
                raise LaunchError(str(error)) from error
        scratch = Scratch()
        tear_down.callback(scratch.remove)
        home = scratch.path
        work = home
        if view.files is not None and view.in_place:
            work = view.files
        elif view.files is not None:
            for name in os.listdir(view.files):
                os.symlink(view.files / name, home / name)
        self.give(home)
        more = ["--reaper", "--directory", str(work)]
        if self.isolation.level is Level.L4:
            more += landlock_arguments(view, {home, work})
        return [str(pid1)], more, environment(view, str(home))

    @contextlib.contextmanager
    def rendezvous(self) -> Iterator[Path]:
        """A directory with a short path (sun_path has 108 bytes) for UNIX sockets between the program and us.

        Removed at the end, with whatever is in it.
        """
        scratch = Scratch(short=True)
        try:
            self.give(scratch.path)
            yield scratch.path
        finally:
            scratch.remove()

    def give(self, path: str | Path) -> None:
        """Make *path* the program's own (a link itself, not what it leads to)."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)


def _threads_of_user() -> int:
    """Threads of the current user on the whole machine, from /proc: what RLIMIT_NPROC would count anyway."""
    user = os.getuid()
    threads = 0
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == user:
                threads += len(os.listdir(f"/proc/{name}/task"))
    return threads
