"""The oracle against a server that hides its progress in 38 ways, on a machine that is too busy.

    python tests/observe/stress/stress.py --trials 2000 --mode thread

A verdict is wrong when it says that nothing more will happen while the server has not finished the
last request (it counts finished requests in shared memory), or when the reply is missing.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

if not __package__:  # run as a script: give the relative imports below a package to start from
    _TESTS = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(_TESTS.parent), str(_TESTS)]
    __package__ = "observe.stress"

from benchmarks.load import busy_loops
from harness.observe.census import owned_listeners
from harness.observe.quiescence import Oracle
from harness.observe.settle import Settler
from harness.observe.sock_diag import SockDiag

from .rules import RULES, Conclusion
from .subjects import COUNTER, Start, bare, bare_without_borrowing, supervised

HERE = Path(__file__).resolve().parent
MODES = ("iterative", "fork", "thread", "epoll", "poll")
#: In the order of the table in server.c.
KINDS = (
    *("spin_on_cpu", "sleep_nanosleep", "sleep_poll", "sleep_select", "sleep_epoll", "sleep_condition"),
    *(
        "timerfd_blocking",
        "timerfd_in_epoll",
        "posix_timer",
        "alarm_with_handler",
        "receive_timeout",
        "child",
    ),
    *("daemon_writes", "thread_joined", "tcp_hops", "udp_hop", "unix_hop", "yield_in_loop", "write_to_disk"),
    *("spawned_program", "unix_ping_pong", "thread_condition", "io_uring_timeout", "touch_pages"),
    *("stopped_and_continued", "file_lock", "semaphore", "sleep_sigtimedwait", "sleep_ppoll"),
    *("sleep_epoll_pwait2", "signal_from_child", "sleep_absolute", "eventfd_from_thread", "thread_detached"),
    *("grandchild_writes", "threads_in_a_row", "short_children", "alarm_default_action"),
)
#: Invisible without the seccomp supervisor: always, and if also pidfd_getfd(2) is forbidden.
UNSEEN = frozenset({"alarm_default_action"})
UNSEEN_WITHOUT_BORROWING = UNSEEN | {"alarm_with_handler", "receive_timeout"}


def mask_of(names: set[str] | frozenset[str]) -> int:
    return sum(1 << KINDS.index(name) for name in names)


@dataclass(frozen=True)
class Options:
    trials: int = 200
    mode: str = "iterative"
    rule: str = "oracle"
    seed: int = 1
    load: int = 2
    most_ms: int = 30
    steps: int = 3
    start: Start = bare
    stop_when_wrong: bool = False
    kinds: frozenset[str] = frozenset(KINDS) - UNSEEN

    @property
    def borrow(self) -> bool:
        """Whether pidfd_getfd(2) may be used."""
        return self.start is not bare_without_borrowing


@dataclass
class Report:
    options: Options
    looks: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    #: Requests after which nothing was ever concluded.
    never: list[str] = field(default_factory=list)
    detection: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        o, ms = self.options, sorted(1e3 * seconds for seconds in self.detection) or [0.0]
        return (
            f"{o.rule} {o.mode}: {o.trials} trials, {sum(self.looks.values())} looks {dict(self.looks)}, "
            f"{len(self.wrong)} WRONG, {len(self.never)} never concluded; detected after "
            f"{statistics.median(ms):.2f} ms (95 %: {ms[len(ms) * 95 // 100]:.2f}, most {ms[-1]:.1f})"
        )


def build(directory: Path) -> Path:
    """Compile the server into *directory*."""
    target = directory / "stress"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread"]
    subprocess.run([_compiler(), *flags, "-o", str(target), *sorted(map(str, HERE.glob("*.c")))], check=True)
    return target


def _compiler() -> str:
    return os.environ.get("CC") or shutil.which("gcc") or "cc"


class Server:
    """The stress server, its counter of finished requests, and one connection at a time."""

    def __init__(self, program: Path, options: Options, stack: ExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.chmod(0o777)
        counter = directory / COUNTER
        counter.write_bytes(bytes(4096))
        counter.chmod(0o666)
        with counter.open("r+b") as file:
            self._counter = stack.enter_context(mmap.mmap(file.fileno(), 4096))
        self.watched = options.start(program, directory, options.mode, stack)
        self.diag = stack.enter_context(SockDiag())
        self.oracle = Oracle(self.watched, self.diag, borrow=options.borrow)
        stack.callback(self.oracle.close)
        settled = Settler(self.oracle).wait(lambda: bool(owned_listeners(self.watched, self.diag)))
        assert settled.ready, settled.reasons()
        self._port = owned_listeners(self.watched, self.diag)[0].port
        self.connection: socket.socket | None = None

    @property
    def finished(self) -> int:
        return int.from_bytes(self._counter[:8], "little")

    def reconnect(self) -> socket.socket:
        self.disconnect()
        self.connection = socket.create_connection(("127.0.0.1", self._port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.oracle.peers.add(self.connection)
        return self.connection

    def disconnect(self) -> None:
        if self.connection is not None:
            self.oracle.peers.discard(self.connection)
            self.connection.close()
            self.connection = None


def readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


def run(options: Options, program: Path) -> Report:
    """The trials, one request each."""
    report = Report(options)
    dice = random.Random(options.seed)
    with ExitStack() as stack:
        stack.enter_context(busy_loops(options.load))
        server = Server(program, options, stack)
        stack.callback(server.disconnect)
        for number in range(1, options.trials + 1):
            _trial(number, server, options, report, dice)
            if report.wrong and options.stop_when_wrong:
                break
    return report


def _trial(number: int, server: Server, options: Options, report: Report, dice: random.Random) -> None:
    connection = server.connection
    if connection is None or dice.random() < 0.3:
        connection = server.reconnect()
    replies = dice.choice("RRD") == "R"
    most_ms = dice.choice([0, 1, 5, options.most_ms])
    words = ("R" if replies else "D", dice.randrange(1 << 31), dice.randint(1, options.steps), most_ms)
    request = f"{' '.join(map(str, words))} {mask_of(options.kinds):x}\n"
    connection.send(request.encode())
    conclude = RULES[options.rule](server.oracle)
    done_at: float | None = None
    while True:
        answered = replies and readable(connection)
        conclusion, kind = conclude(lambda: replies and readable(connection))
        finished = server.finished == number  # after the verdict: it may not come true in between
        report.looks[kind] += 1
        now = time.monotonic()
        if finished and done_at is None:
            done_at = now
        if conclusion is Conclusion.ANSWERED:
            break
        if conclusion is Conclusion.NOTHING_MORE:
            if not finished or (replies and not answered and not readable(connection)):
                report.wrong.append(f"trial {number}: {request.strip()}")
            elif done_at is not None:
                report.detection.append(now - done_at)
            break
        if done_at is not None and now - done_at > 10:
            report.never.append(f"trial {number}: {request.strip()}: {server.oracle.look(explain=True)}")
            break
    _catch_up(number, server, connection, replies)


def _catch_up(number: int, server: Server, connection: socket.socket, replies: bool) -> None:
    """After a wrong verdict the server is still at work: wait for it, so that each trial begins clean."""
    if replies:
        connection.settimeout(30)
        assert connection.recv(10) == b"OK\n"
        connection.settimeout(None)
    while server.finished != number:
        os.sched_yield()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--mode", choices=[*MODES, "all"], default="all")
    parser.add_argument("--rule", choices=sorted(RULES), default="oracle")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load", type=int, default=2 * (os.cpu_count() or 1), help="busy loops beside it")
    parser.add_argument("--most-ms", type=int, default=50, help="longest single step")
    parser.add_argument("--steps", type=int, default=3, help="most steps per request")
    parser.add_argument("--only", nargs="*", choices=KINDS, help="kinds of hidden progress")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--no-borrow", action="store_true", help="as if pidfd_getfd(2) were forbidden")
    how.add_argument("--supervised", action="store_true", help="in the sandbox, with all kinds")
    given = parser.parse_args()
    start, kinds = bare, frozenset(KINDS) - UNSEEN
    if given.no_borrow:
        start, kinds = bare_without_borrowing, frozenset(KINDS) - UNSEEN_WITHOUT_BORROWING
    elif given.supervised:
        start, kinds = supervised, frozenset(KINDS)
    kinds = frozenset(given.only or kinds)
    wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        program = build(Path(directory))
        for mode in MODES if given.mode == "all" else (given.mode,):
            options = Options(
                trials=given.trials,
                mode=mode,
                rule=given.rule,
                seed=given.seed,
                load=given.load,
                most_ms=given.most_ms,
                steps=given.steps,
                start=start,
                kinds=kinds,
            )
            report = run(options, program)
            print(report, *report.wrong[:3], *report.never[:3], sep="\n    ", flush=True)
            wrong += len(report.wrong)
    return 1 if wrong and given.rule in ("oracle", "settler") else 0


if __name__ == "__main__":
    sys.exit(main())
