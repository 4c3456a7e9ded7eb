"""One running instance of the program under test, ready or not."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from harness.observe.census import OwnedSocket, owned_listeners
from harness.observe.explain import explain
from harness.observe.insight import insight
from harness.observe.procfs import process_state
from harness.observe.quiescence import Oracle, stopped
from harness.observe.settle import Settled, SettledKind, Settler
from harness.stage import sight
from harness.stage.address import Address
from harness.stage.patience import PACE, PATIENCE, SPIN, SPIN_AGAIN
from harness.subject.program import Program
from harness.subject.recorder import Recorder
from harness.subject.stepper import CannotStep
from harness.subject.wait_status import WaitStatus
from harness.verdict.outcome import Inconclusive, Verdict, Violation
from harness.verdict.show import text

if TYPE_CHECKING:
    from harness.stage.stage import Stage


def sentences(reasons: Iterable[str]) -> str:
    """*reasons* as one paragraph of sentences."""
    return " ".join(reason[0].upper() + reason[1:].rstrip(".") + "." for reason in reasons)


#: Characters of the program's last words; the whole of them stands below the story.
_LAST_WORDS = 300


def _last_lines(said: str) -> str:
    """The end of *said*: of a traceback of Python its last line, which names the error."""
    lines = said.strip().splitlines()
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return lines[-1].strip()
    kept: list[str] = []
    for line in reversed(lines):
        if kept and sum(map(len, kept)) + len(line) > _LAST_WORDS:
            break
        kept.insert(0, line)
    return "\n".join(kept)[-_LAST_WORDS:]


class Instance:
    """A started program, with the observer that looks at it."""

    def __init__(self, stage: Stage, program: Program, address: Address, name: str) -> None:
        self.stage = stage
        self.program = program
        self.address = address
        self.name = name
        self.timeline = stage.timeline
        self.contract = stage.assignment.contract
        self.profile = stage.profile
        self.oracle = Oracle(program, stage.diag)
        #: Processes of the program before its first client, if they were noted.
        self.at_start: frozenset[int] = frozenset()
        #: SO_REUSEADDR of its listening socket, looked up before we make it end; None if unknown.
        self.reuses_address: bool | None = None
        #: The last signal we sent to end it.
        self.last_signal: signal.Signals | None = None
        #: What was seen when its condition was last told, for the likely cause.
        self._seen: dict[str, object] = {}
        self._said_end = False
        self._chores: list[Callable[[], int]] = []
        self._chored = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program and everything it started; idempotent."""
        self.program.close()
        self.oracle.close()

    def settler(self, patience: float) -> Settler:
        """What waits for this program, granting it *patience* seconds of idle time."""
        fuse = self.stage.assignment.limits.wall_seconds
        spin = SPIN_AGAIN if self.stage.memory.spins else SPIN
        return Settler(self.oracle, patience=patience, spin_cpu_seconds=spin, fuse_seconds=fuse)

    # -- waiting -----------------------------------------------------------------------------

    def until(
        self,
        done: Callable[[], bool],
        fds: Iterable[socket.socket] = (),
        *,
        writable: Iterable[socket.socket] = (),
        progress: Callable[[], int] | None = None,
        patience: float = PATIENCE,
    ) -> Settled:
        """Wait for *done*, or for the proof that it will not come.

        Every negative verdict of the project comes from here.  The fuse and the limits that guard the machine
        end the check: the fuse as inconclusive, a flood of output or of memory as the program's fault.
        """
        settler = self.settler(patience)

        def ready() -> bool:
            self._chored += sum(chore() for chore in self._chores)
            return done()

        settled = settler.wait(
            ready,
            [s.fileno() for s in fds if s.fileno() >= 0],
            writable=[s.fileno() for s in writable if s.fileno() >= 0],
            progress=lambda: self._chored + (progress() if progress is not None else 0),
        )
        if settled.kind is not SettledKind.READY and not self.program.alive:
            self.program.collect_status()  # it is dead; our pid 1 is about to say how
        self._note_end()
        self.stage.memory.spins |= settled.kind is SettledKind.SPINNING
        if self.program.excess:  # even if it is READY: that may be because we have ended the program
            raise Violation(self.program.excess, kind="excess", **self.facts())
        if settled.kind is SettledKind.INCONCLUSIVE:
            raise Inconclusive(
                "neither did it happen nor could it be shown that it will not, until the last fuse blew; "
                f"that is not the program's fault. {self.condition(settled)}"
            )
        return settled

    def settle(
        self,
        *,
        step: Callable[[], object] | None = None,
        progress: Callable[[], int] | None = None,
        enough: Callable[[], bool] | None = None,
        patience: float = PACE,
    ) -> Settled:
        """Wait until the program will do nothing more by itself; a program that spins fails here.

        *step* is done on our side again and again meanwhile (a writer that goes on writing).  When there is
        *enough*, nothing more is waited for.  *patience* is the idle time, in seconds, granted to a program that
        wakes up by itself.
        """

        def satisfied() -> bool:
            if step is not None:
                step()
            return enough is not None and enough()

        settled = self.until(satisfied, progress=progress, patience=patience)
        if settled.kind is SettledKind.SPINNING:
            raise Violation(
                "the program uses the CPU without pause though there is nothing for it to do. "
                + self.condition(settled),
                kind="spinning",
                **self.facts(),
            )
        return settled

    def expect_running(self) -> None:
        """The program has not ended, and does not spin."""
        self.settle()
        if (status := self.status) is not None:
            raise Violation(f"the program is gone: {status}.{self.last_words()}", kind="died", **self.facts())

    @contextlib.contextmanager
    def meanwhile(self, chore: Callable[[], int]) -> Iterator[None]:
        """Do *chore*, which must not block and says how much it moved, again and again while we wait in the block."""
        self._chores.append(chore)
        try:
            yield
        finally:
            self._chores.remove(chore)

    def idle_for(self, seconds: float) -> None:
        """Let *seconds* of idle time pass: for contracts that are themselves about time (idle_timeout)."""
        self.timeline.record("peer", f"did nothing for {seconds:.2g} s")
        self.settler(seconds).let_pass(seconds)

    def _note_end(self) -> None:
        if self.program.status is not None and not self._said_end:
            self._said_end = True
            self.timeline.record("program", f"{self.name} ended: {self.program.status}")

    # -- what it is doing --------------------------------------------------------------------

    @property
    def status(self) -> WaitStatus | None:
        """The wait status of the program, None while it runs."""
        self.program.refresh()
        self._note_end()
        return self.program.status

    def condition(self, settled: Settled | None = None) -> str:
        """What the program is doing, in sentences: its end and last words, or where it waits."""
        self._seen = {}
        if (status := self.status) is not None:
            return f"The program has ended: {status}.{self.last_words()}"
        if settled is None:
            return sentences(explain(self.oracle.look(explain=True), self.oracle))
        self._seen = insight(settled.look) if settled.look is not None else {}
        reasons = settled.reasons(sent=self.last_signal)
        if settled.spinning is not None:
            self._seen["spins"] = True
            if settled.spinning.thread is not None:
                reasons[1:1] = self._loop_of(settled.spinning.thread.tid)
        return sentences(reasons)

    def _loop_of(self, tid: int) -> list[str]:
        """What the thread that spins calls over and over, in a sentence; nothing where that cannot be seen."""
        try:
            with Recorder(tid) as recorder:
                self.until(recorder.has_enough, progress=lambda: len(recorder.calls))
        except (CannotStep, Verdict):
            return []
        turn = recorder.turn()
        self._seen["traced"] = True
        if recorder.calls and not turn:
            return []
        self._seen["loop"] = [(call.name, call.outcome) for call in turn]
        if not turn:
            return ["it makes no system call meanwhile, locks and clocks apart"]
        return [f"over and over it calls {', then '.join(map(str, turn))}"]

    def last_words(self) -> str:
        """The end of what the program wrote to stderr (or else stdout), for a message."""
        for where, output in (("stderr", self.program.output.stderr), ("stdout", self.program.output.stdout)):
            if said := output.strip():
                return f" It wrote on {where}: {_last_lines(text(said[-2000:]))}"
        return ""

    def facts(self) -> dict[str, object]:
        """What is known about the program's end and its handling of signals, for the likely cause."""
        status = self.status
        if status is None:
            return {"alive": True, **self._seen}
        name = signal.Signals(status.signal).name if status.signal is not None else None
        return {"alive": False, "code": status.code, "signal": name}

    def listeners(self) -> list[OwnedSocket]:
        """Sockets owned by the program that wait for clients: listening TCP and UNIX, bound datagram sockets."""
        return owned_listeners(self.program, self.stage.diag)

    def serving(self) -> list[OwnedSocket]:
        """Those on which the clients of its address arrive."""
        return sight.serving(self.program, self.stage.diag, self.address)

    def is_listening(self) -> bool:
        """Whether the program owns a socket that serves its address."""
        addresses = [self.address]
        if self.address.transport == "tcp-dual":
            addresses = [self.address.on("127.0.0.1"), self.address.on("::1")]
        return any(sight.is_served(self.program, self.stage.diag, address) for address in addresses)

    def backlog(self) -> int | None:
        """The limit of the accept queue, None if there is no listening TCP socket."""
        limits = [queue[1] for at in self.serving() if (queue := sight.accept_queue(at)) is not None]
        return limits[0] if limits else None

    def queue_is_full(self, address: Address) -> bool:
        """Whether the accept queue is full at this moment."""
        queues = [sight.accept_queue(at) for at in sight.serving(self.program, self.stage.diag, address)]
        return any(queue is not None and queue[0] > queue[1] for queue in queues)

    @contextlib.contextmanager
    def main_process_stopped(self) -> Iterator[None]:
        """Stop the first process only; its children go on."""
        self.timeline.record("peer", "stopped the main process (SIGSTOP)")
        try:
            self.program.signal(signal.SIGSTOP)
            self.until(lambda: process_state(self.program.pid) in "TZX")
            yield
        finally:
            self.timeline.record("peer", "let the main process go on (SIGCONT)")
            self.program.signal(signal.SIGCONT)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop every process of the program (SIGSTOP), act, and let it go on (SIGCONT)."""
        self.timeline.record("peer", f"stopped {self.name} (SIGSTOP)")
        try:
            self.program.stop_all()
            self.until(lambda: stopped(self.program))
            yield
        finally:
            self.timeline.record("peer", f"let {self.name} go on (SIGCONT)")
            self.program.continue_all()
