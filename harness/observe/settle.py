"""Waiting for an event, or for the certainty that it will not come.

Everything in the harness that waits, waits in `Settler.wait`. Wall time decides nothing: what is
charged is *idle time*, during which the program was seen asleep at both ends of an interval.
Waiting for a CPU, a disk or the network costs the program nothing.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.observe.cpu_meter import CpuMeter, Spinning
from harness.observe.explain import explain
from harness.observe.fingerprint import Fingerprint, fingerprint
from harness.observe.ledger import IdleLedger
from harness.observe.leftovers import unread_and_unaccepted
from harness.observe.quiescence import Look, LookKind, Oracle

#: Seconds between two looks while nothing concludes: the first, the factor, the longest.
_FIRST_GAP, _GROWTH, _LONGEST_GAP = 0.0002, 1.4, 0.01
#: select(2) cannot wait for descriptors beyond this; its timeout is finer than that of poll(2).
_FD_SETSIZE = 1024
#: Progress lights the fuse anew; after this many of its lengths one wait is over all the same.
_MOST_FUSES = 3


class SettledKind(StrEnum):
    """How a wait ended, and what may be claimed."""

    READY = "ready"  # the event came
    QUIESCENT = "quiescent"  # it will never come: nothing in the program can move
    IDLE = "idle"  # it does not come within the patience, counted in idle time
    GONE = "gone"  # it will never come: no process is left
    SPINNING = "spinning"  # the program burns CPU time without moving a byte
    INCONCLUSIVE = "inconclusive"  # the fuse blew: our failure, never the program's


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of one wait. *idle_seconds*: idle time charged, of the *patience* granted; *looks*: how often we looked."""

    kind: SettledKind
    look: Look | None
    oracle: Oracle
    idle_seconds: float = 0.0
    looks: int = 0
    spinning: Spinning | None = None
    patience: float = 0.0

    @property
    def ready(self) -> bool:
        """The awaited event came."""
        return self.kind is SettledKind.READY

    def reasons(self, *, sent: int | None = None) -> list[str]:
        """Sentences, without a full stop, for the student: what each thread of the program is doing.

        *sent*: a signal that should have ended the program; one sentence then tells what became of it.
        Reads details (names, queues) from the kernel, so ask while the program is still there.
        """
        if self.kind is SettledKind.READY or self.look is None:
            return []
        if self.spinning is not None:
            return [str(self.spinning), *unread_and_unaccepted(self.oracle)]
        return explain(self.look, self.oracle, sent=sent)


class Settler:
    """Waits for events of one program.

    *patience*: seconds of idle time granted to a program that has timers or cannot be judged.
    *spin_cpu_seconds*: CPU time that one thread may use without blocking and without a byte moving.
    *fuse_seconds*: wall time without progress after which we give up without a verdict. *runtimes*: whether timers
    of known language runtimes are disregarded (`harness.observe.runtimes`).
    """

    def __init__(
        self,
        oracle: Oracle,
        *,
        patience: float = 1.0,
        spin_cpu_seconds: float = 2.0,
        fuse_seconds: float = 60.0,
        runtimes: bool = True,
    ) -> None:
        self.oracle = oracle
        self.patience = patience
        self.spin_cpu_seconds = spin_cpu_seconds
        self.fuse_seconds = fuse_seconds
        self.runtimes = runtimes

    def wait(
        self,
        ready: Callable[[], bool],
        fds: Iterable[int] = (),
        *,
        writable: Iterable[int] = (),
        progress: Callable[[], int] | None = None,
    ) -> Settled:
        """Wait until ``ready()``, or until it is certain that waiting is useless.

        *fds* and *writable* are descriptors of ours whose readiness may make ``ready()`` true.
        ``ready()`` may itself send and receive without blocking; it then has to give *progress*, a
        count that changes whenever it moved something: that is neither idling nor spinning. It is
        asked once more after each conclusive look, so an event that came in between is not lost.
        """
        return _Waiting(self, ready, list(fds), list(writable), progress).run()

    def let_pass(self, seconds: float) -> None:
        """Let *seconds* of real time pass: only for contracts that are themselves about time (an idle timeout)."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.oracle.watched.refresh()
            _await(list(self.oracle.watched.wakers()), [], left)


class _Waiting:
    """The state of one `Settler.wait`."""

    def __init__(
        self,
        settler: Settler,
        ready: Callable[[], bool],
        readable: list[int],
        writable: list[int],
        progress: Callable[[], int] | None,
    ) -> None:
        self.settler = settler
        self.oracle = settler.oracle
        self.watched = settler.oracle.watched
        self.ready = ready
        self.readable = readable
        self.writable = writable
        self.progress = progress
        self.moved = progress() if progress else 0
        self.looks = 0
        self.idle = 0.0
        self.last_idle: float | None = None
        self.gap = _FIRST_GAP
        #: Descriptors that reported something which ``ready()`` had no use for: not asked next time.
        self.muted: set[int] = set()
        self.cpu = CpuMeter(self.watched, settler.spin_cpu_seconds)
        self.ledger = IdleLedger(self.watched)
        self.print: Fingerprint | None = None
        #: When the wait began, and when something moved last.
        self.began = self.fuse_lit = time.monotonic()

    def run(self) -> Settled:
        while True:
            if self._is_ready():
                return self._end(SettledKind.READY, None)
            look = self.oracle.look()
            self.looks += 1
            kind = self._judge(look)
            spinning = self.cpu.spinning() if look.kind is LookKind.BUSY and kind is None else None
            if spinning is not None:
                kind = SettledKind.SPINNING
            if kind is not None:
                moved = self.moved
                if self._is_ready():
                    return self._end(SettledKind.READY, look)
                if self.moved == moved:
                    return self._end(kind, look, spinning)
            elif self._blown(time.monotonic()):
                return self._end(SettledKind.INCONCLUSIVE, look)
            self._pause()

    def _blown(self, now: float) -> bool:
        """Whether nothing has moved for the length of the fuse, or something has for a multiple of it."""
        fuse = self.settler.fuse_seconds
        return now - self.fuse_lit > fuse or now - self.began > _MOST_FUSES * fuse

    def _is_ready(self) -> bool:
        """Let the program's pipes and reports come in, ask, and take note of progress."""
        self.watched.refresh()
        is_ready = self.ready()
        moved = self.progress() if self.progress else 0
        if moved != self.moved:
            self.moved, self.fuse_lit = moved, time.monotonic()
            self.idle, self.last_idle = 0.0, None
            self.gap = _FIRST_GAP
            self.muted.clear()
            self.cpu.restart()
            self.ledger.restart()
        return is_ready

    def _judge(self, look: Look) -> SettledKind | None:
        """What *look* allows to conclude, None if nothing yet."""
        match look.kind:
            case LookKind.GONE:
                return SettledKind.GONE
            case LookKind.PROVEN:
                return SettledKind.QUIESCENT
            case LookKind.BUSY:
                self.last_idle = None
                if not look.woke:  # it runs, begins, ends, or waits for a disk: that is not idling
                    self.ledger.restart()
                    return None
                idle = self.ledger.charge()
                if idle and self._moved_elsewhere():
                    self.idle = idle = 0.0
                self.idle += idle
                return SettledKind.IDLE if self.idle >= self.settler.patience else None
        self.cpu.restart()
        self.ledger.restart()
        if look.kind is LookKind.TIMED:
            wakes_at = look.earliest_of_program if self.settler.runtimes else look.earliest
            if wakes_at is None:
                return SettledKind.QUIESCENT
        else:
            wakes_at = look.ended
        if self._moved_elsewhere():
            self.idle, self.last_idle = 0.0, None
            return None
        if self.last_idle is not None:
            self.idle += look.ended - self.last_idle
        self.last_idle = look.ended
        # A timer further away than the remaining patience decides now what waiting would decide later.
        if max(wakes_at - look.ended, 0.0) >= self.settler.patience - self.idle:
            return SettledKind.IDLE
        return None

    def _moved_elsewhere(self) -> bool:
        """Whether the program got on with other clients since we asked last (not the first time)."""
        before, self.print = self.print, fingerprint(self.oracle.diag, self.oracle.peers)
        return before is not None and before != self.print

    def _pause(self) -> None:
        """Until a descriptor reports something, at most for the gap, which grows."""
        wakers = [fd for fd in self.watched.wakers() if fd not in self.muted]
        reads = [fd for fd in self.readable if fd not in self.muted] + wakers
        writes = [fd for fd in self.writable if fd not in self.muted]
        # A descriptor that stays ready without making ready() true must not turn waiting into a busy loop.
        self.muted = _await(reads, writes, self.gap)
        self.gap = min(self.gap * _GROWTH, _LONGEST_GAP)

    def _end(self, kind: SettledKind, look: Look | None, spinning: Spinning | None = None) -> Settled:
        patience = self.settler.patience
        return Settled(kind, look, self.oracle, self.idle, self.looks, spinning, patience)


def _await(reads: list[int], writes: list[int], seconds: float) -> set[int]:
    """Which descriptors became ready within *seconds*."""
    if max([*reads, *writes], default=0) < _FD_SETSIZE:
        readable, writable, _ = select.select(reads, writes, [], seconds)
        return {*readable, *writable}
    poller = select.poll()
    for fd in {*reads, *writes}:
        poller.register(fd, (select.POLLIN if fd in reads else 0) | (select.POLLOUT if fd in writes else 0))
    return {fd for fd, _ in poller.poll(max(1.0, seconds * 1e3))}
