"""What the program holds on to: descriptors, threads, processes, memory, files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING

from harness.observe import census
from harness.observe.borrowed import Forbidden, socket_options
from harness.observe.procfs import Changed, descriptors, socket_inode, status_field
from harness.observe.runtimes import has_sanitizer, language_of
from harness.stage import sight
from harness.stage.ending import Ending
from harness.stage.patience import PATIENCE
from harness.verdict.outcome import Inconclusive, NotApplicable, Violation
from harness.verdict.show import count

if TYPE_CHECKING:
    from harness.stage.client import Client

#: Descriptors, threads or processes that may come and go by themselves (a pool, a lazily opened file).
SLACK = 4

#: Address space that one kept thread costs at the least: half of the usual 8 MiB of stack (pthread_create(3)).
KEPT_STACK = 4 << 20

#: Regions of address space that fifty kept threads cost at the least: a stack and its guard page each, some merged.
KEPT_MAPPINGS = 45

#: Growth of the resident set, in bytes per client, that is called a leak.
LEAK_PER_CLIENT = 512

#: Bytes by which any process may grow when it first does its work.
FIRST_TOUCH = 128 << 10

#: Programs whose memory is managed by a collector: what they hold says nothing about what they need.
MANAGED = ("java", "node")


class Holding(Ending):
    """An instance that is asked what it holds."""

    def holdings(self) -> census.Census:
        """Descriptors, threads, processes and memory, counted while nothing moves."""
        self.settle(patience=PATIENCE)
        return census.take(self.program, self.stage.diag)

    def limit_descriptors(self, *, spare: int) -> None:
        """Leave the program room for *spare* more descriptors than it has now (RLIMIT_NOFILE, getrlimit(2))."""
        self.expect_running()
        most = (
            max(
                max(process.descriptors, default=2)
                for process in census.take(self.program, self.stage.diag).processes
            )
            + 1
            + spare
        )
        self.timeline.record("peer", f"limited the program to {most} open descriptors")
        # Our uid may be another than the program's, and prlimit(2) wants them equal.
        uid = self.stage.launcher.uid
        for pid in self.program.members():
            command = ["prlimit", f"--pid={pid}", f"--nofile={most}"]
            subprocess.run(command, check=True, user=uid, group=uid, extra_groups=None if uid is None else [])

    def expect_no_growth(self, what: str, before: int, after: int) -> None:
        """*after* the clients have left there is no more of *what* than *before*, give or take SLACK."""
        if after > before + SLACK:
            raise Violation(
                f"the program holds {after} {what} after clients that have all left; before them it held {before}.",
                kind="growth",
                what=what,
            )

    def expect_no_kept_stacks(self, before: census.Census, after: census.Census) -> None:
        """No address space was kept for threads that have ended (proc_pid_maps(5))."""
        grown = after.memory - before.memory
        kept = after.mapping_count - before.mapping_count > KEPT_MAPPINGS
        if not self._managed() and (kept or grown > KEPT_STACK * 50):
            raise Violation(
                f"what the program may write to has grown by {grown >> 20} MiB and {after.mapping_count - before.mapping_count} regions over 50 clients: the stacks of threads that have ended "
                "are kept, because nobody joins them and they are not detached.",
                kind="growth",
                what="stacks",
            )

    def expect_no_zombies(self) -> None:
        """Every child that has ended was waited for (wait(2))."""
        zombies = self.holdings().zombies
        if zombies:
            raise Violation(
                f"{count(len(zombies), 'child')} of the program ended and nobody has waited for them: they stay as zombies.".replace(
                    "childs", "children"
                ),
                kind="zombies",
            )

    def resident(self) -> int:
        """Memory in use by all processes of the program, in bytes (VmRSS, proc(5))."""
        sizes = (status_field(pid, "VmRSS").split() for pid in self.program.members())
        return sum(int(size[0]) * 1024 for size in sizes if size)

    def expect_flat(self, before: int, after: int, clients: int) -> None:
        """Memory has not grown with the number of clients."""
        # A worker that has not had a client yet touches its pages when the first one comes.
        if after - before > clients * LEAK_PER_CLIENT + FIRST_TOUCH * len(self.program.members()):
            raise Violation(
                f"the program uses {(after - before) >> 10} KiB more after {clients} clients that have all left.",
                kind="growth",
                what="memory",
            )

    def require_unmanaged(self) -> None:
        """Memory can be judged: the program has no garbage collector, and free(3) gives it back at once."""
        if language := self._managed():
            raise NotApplicable(f"when memory is given back is up to the {language} runtime")
        if any(map(has_sanitizer, self.program.members())):
            raise NotApplicable("the address sanitizer keeps freed memory for a while, to find its use")

    def _managed(self) -> str | None:
        try:
            name = os.path.basename(os.readlink(f"/proc/{self.program.pid}/exe"))
        except OSError:
            return None
        return (
            next((language for language in MANAGED if name.startswith(language)), None)
            or language_of(self.program.pid)
            or None
        )

    # -- how it serves -----------------------------------------------------------------------

    def expect_model(self, before: census.Census, with_ten: census.Census) -> None:
        """Ten connected clients are served by the kind of tasks that ``contract.model`` asks for."""
        model = self.contract.model
        processes = len(with_ten.processes) - len(before.processes)
        threads = with_ten.thread_count - before.thread_count - processes
        found = f"with ten clients connected it has {count(processes, 'process')} and {count(threads, 'thread')} more than before"
        alone = self._managed() is not None or with_ten.thread_count == 1
        if model == "event-loop" and (processes > 0 or threads > 0 or not alone):
            total = f"{count(len(with_ten.processes), 'process')} with {count(with_ten.thread_count, 'thread')} in all"
            raise Violation(f"one thread in one process is asked for; {found} ({total}).", kind="model")
        if model == "thread" and processes > 0:
            raise Violation(
                f"a thread for each client is asked for, and no further process; {found}.", kind="model"
            )
        if model == "process" and threads > 0:
            raise Violation(
                f"a process for each client is asked for, and no further thread; {found}.", kind="model"
            )

    def expect_nonblocking(self, client: Client) -> None:
        """O_NONBLOCK is set on the program's end of *client*'s connection."""
        theirs = sight.far_end(self.stage.diag, client.peer.socket)
        for pid in self.program.members():
            for fd, link in descriptors(pid).items():
                if theirs is None or socket_inode(link) != theirs.inode:
                    continue
                try:
                    options = socket_options(pid, fd)
                except (Forbidden, Changed) as error:
                    raise Inconclusive(
                        f"the flags of the program's descriptor cannot be read here: {error}"
                    ) from None
                if not options.nonblocking:
                    raise Violation(
                        f"O_NONBLOCK is not set on descriptor {fd}, the connection of {client.name}.",
                        kind="blocking",
                    )

    def expect_executed_children_hold_little(self) -> None:
        """A process that executes another program holds neither the listening socket nor two clients' sockets."""
        clients = {
            inode
            for pid in self.program.members()
            for link in descriptors(pid).values()
            if (inode := socket_inode(link))
        }
        clients -= self.listening_sockets()
        executed = self.executed()
        if not executed:
            raise NotApplicable("the program executes no other program for its clients")
        for pid in executed:
            held = {inode for link in descriptors(pid).values() if (inode := socket_inode(link))}
            if held & self.listening_sockets():
                raise Violation(
                    "a program that it executes for a client has inherited the listening socket.",
                    kind="inherited",
                )
            if len(held & clients) > 1:
                raise Violation(
                    "a program that it executes for one client has inherited the connection of another.",
                    kind="inherited",
                )

    def executed(self) -> list[int]:
        """Processes of the program that have executed another program (execve(2))."""
        own = self._executable(self.program.pid)
        # One that is just ending has no executable any more.
        return [pid for pid in self.program.members() if self._executable(pid) not in ("", own)]

    @staticmethod
    def _executable(pid: int) -> str:
        try:
            return os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return ""

    # -- files -------------------------------------------------------------------------------

    def files_made(self) -> list[str]:
        """Files that the program has made where it may make any: its working directory, /tmp, and beside its socket."""
        root = Path(f"/proc/{self.program.root}/root")
        work = root / self.program.directory.lstrip("/")
        # Without a sandbox /tmp is the machine's, and what comes and goes there is anybody's.
        places = [work, root / "tmp"] if self.stage.launcher.isolation.sandboxed else [work]
        if self.address.local:
            places.append(self.stage.rendezvous)
        try:
            found = [path for place in places if place.is_dir() for path in place.rglob("*")]
        except OSError as error:
            raise Inconclusive(f"the program's directory cannot be read here: {error}") from None
        given = set(os.listdir(self.stage.built.directory))
        own = {path for path in found if path.parent == work and path.name in given}
        ours = {path for path in found if path.name.endswith(".peer")}
        if (documents := self.stage.documents) is not None:
            shown = root / documents.above.relative_to("/")
            ours |= {path for path in found if path.is_relative_to(shown)}
        left = {str(path).removeprefix(str(root)) for path in set(found) - own - ours if not path.is_dir()}
        return sorted(left)  # the rendezvous is seen both through the program's root and through ours

    def expect_no_files_left(self) -> None:
        """Nothing that it made is left after its end."""
        left = [path for path in self.files_made() if "/tmp/hsperfdata_" not in path]
        if left:
            raise Violation(
                f"after its end the program leaves {', '.join(left[:5])} behind.", kind="file-left"
            )

    def expect_file_mode(self) -> None:
        """The socket file has the permission bits of ``contract.mode``."""
        mode = os.lstat(self.address.path).st_mode & 0o7777
        if mode != self.contract.mode:
            raise Violation(
                f"the socket file has mode {mode:04o}; asked is {self.contract.mode:04o}.", kind="mode"
            )

    def kill(self) -> None:
        """SIGKILL: nothing can be tidied up."""
        self.signal(Signals.SIGKILL)
        self.expect_end("any")
        self.close()
