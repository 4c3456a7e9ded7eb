"""A daemon: detached from whoever started it (daemon(7), section "SysV Daemons")."""

from __future__ import annotations

import os
from signal import Signals

from harness.observe.procfs import descriptors
from harness.stage.holding import Holding
from harness.verdict.outcome import Inconclusive, Violation

_STANDARD = {0: "standard input", 1: "standard output", 2: "standard error"}


class Background(Holding):
    """An instance that has gone into the background."""

    def expect_detached(self) -> None:
        """Who started it has ended with status 0; the program runs on in a session of its own, without a terminal."""
        launched = self.program.launch_status
        if launched is None:
            raise Violation(
                "the process that was started is still the one that serves: the program has not gone into the background.",
                kind="foreground",
            )
        if launched.signal is not None or launched.code != 0:
            raise Violation(
                f"the program serves in the background, but the process that was started {launched.told}, "
                "which says that starting it failed.",
                kind="status",
            )
        session, terminal = _session(self.program.pid)
        if terminal:
            raise Violation("the program still has a controlling terminal.", kind="attached")
        if session == self.program.first_pid:  # which leads the session in which we start it
            raise Violation(
                "the program is still in the session in which it was started: it has not called setsid().",
                kind="attached",
            )

    def expect_no_session_leader(self) -> None:
        """The program does not lead its session: so it can never get a controlling terminal again (setsid(2))."""
        session, _ = _session(self.program.pid)
        if session == self.program.pid:
            raise Violation(
                "the program leads its session: if it opens a terminal, that becomes its controlling terminal. "
                "After setsid() it has to fork() once more.",
                kind="session-leader",
            )

    def expect_standard_descriptors_let_go(self) -> None:
        """Descriptors 0, 1 and 2 are open, and none of them is what the program was started with."""
        open_now = descriptors(self.program.pid)
        closed = [name for number, name in _STANDARD.items() if number not in open_now]
        kept = [
            name
            for name, keeps in (
                ("standard input", open_now.get(0) == f"pipe:[{self.program.stdin.inode}]"),
                ("standard output", not self.program.output.stdout_at_eof),
                ("standard error", not self.program.output.stderr_at_eof),
            )
            if keeps
        ]
        if kept:
            raise Violation(
                f"the program, or a process of it, still holds the {' and '.join(kept)} that it was started with: "
                "whoever reads from there waits for ever.",
                kind="stdio-kept",
            )
        if closed:
            raise Violation(
                f"{' and '.join(closed)} {'is' if len(closed) == 1 else 'are'} closed: the next socket gets that number, "
                "and what a library prints there goes to a client.",
                kind="stdio-closed",
            )

    def expect_other_directory(self) -> None:
        """The program has left the directory in which it was started."""
        try:
            now = os.readlink(f"/proc/{self.program.pid}/cwd")
        except OSError as error:
            raise Inconclusive(f"the program's working directory cannot be read here: {error}") from None
        if now == self.program.directory:
            raise Violation(
                f"the program is still in the directory in which it was started ({now}), which can never be unmounted while it runs.",
                kind="directory-kept",
            )

    def expect_visible_failure(self) -> None:
        """Started where it cannot serve, it does not run on, and whoever started it learns of it."""
        self.until(lambda: not self.program.members())
        if self.is_listening():
            raise Violation(f"it came to serve {self.address} beside the other one.", kind="shared")
        if self.program.members():
            raise Violation(
                f"it cannot serve {self.address}, and runs on all the same. {self.condition_of_rest()}",
                kind="no-end",
                **self.facts(),
            )
        status = self.program.launch_status or self.status
        said = self.program.output.stderr.strip() or self.program.output.stdout.strip()
        if status is not None and status.code == 0 and not said and not self.files_made():
            raise Violation(
                "it cannot serve, but the process that was started ended with exit status 0, nothing was printed and nothing was "
                "written to a file: whoever started it takes it for running.",
                kind="silent",
            )

    def hang_up(self) -> None:
        """Send SIGHUP, as the kernel does when a terminal is closed, and an administrator who wants the configuration read again."""
        self.settle()
        self.signal(Signals.SIGHUP)
        self.settle()


def _session(pid: int) -> tuple[int, int]:
    """Session and controlling terminal (0: none) of process *pid*: proc(5), stat, as its own pid namespace numbers them."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[3]), int(fields[4])
