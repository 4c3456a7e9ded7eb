"""The oracle: "the program will do nothing more unless we act".

One look takes two samples of every thread and decodes its wait in between:

* the pid allocated last, and the list L1 of all threads of the tree;
* P1: the run counter of every thread; A1: its ``syscall`` line, which the kernel gives only for a
  thread that is off its CPU and blocked (anything else: BUSY);
* decoded meanwhile: every wait, whether its descriptors are ready, timers, bytes in flight;
* L2: the same list, and no live thread of the tree among the pids allocated meanwhile; A2: the
  same lines; P2: the same counters.

If all agree, then every thread was blocked during one common interval (no counter moved from P1 to
P2, and all A1 lie before all P2), no thread was missed (a chain of forks that runs away from the
list needs new pids), and a wake-up from within the tree would have shown in A2, since the waker
delivers it before it blocks itself. What is left are timers and the loopback network, which were
decoded in that interval.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, MutableSet
from dataclasses import dataclass, field
from enum import StrEnum
from weakref import WeakKeyDictionary

from harness.observe import timers
from harness.observe.barriers import PacketBarrier, timer_barrier
from harness.observe.decode import decode
from harness.observe.descriptors import Examiner
from harness.observe.in_flight import Traffic
from harness.observe.procfs import (
    Changed,
    ProcFs,
    Thread,
    children,
    command_name,
    last_pid,
    newcomer,
    process_state,
    threads_below,
)
from harness.observe.runtimes import Runtimes
from harness.observe.sleeps import Sleeps
from harness.observe.sock_diag import SockDiag
from harness.observe.syscalls import Calls
from harness.observe.wait import Wait, WaitKind
from harness.observe.watched import Watched


class LookKind(StrEnum):
    """What one look found."""

    PROVEN = "proven"  # all blocked, and no timer can wake anybody
    TIMED = "timed"  # all blocked, but a timer will wake somebody
    UNKNOWN = "unknown"  # all blocked, but we cannot tell what may wake somebody
    BUSY = "busy"  # something runs, is about to run, or is under way
    GONE = "gone"  # no live process is left


class Woken(Changed):
    """A thread that was blocked at the first sample was not any more at the second one."""


@dataclass(slots=True)
class Look:
    """One look: its result, *why* in a few words, and the waits of all threads unless BUSY.

    *began*, *ended*: CLOCK_MONOTONIC seconds. *woke*: every thread was blocked when we began, and one of
    them woke up before we had finished: it may be a program that polls more often than a look takes.
    """

    kind: LookKind
    why: str = ""
    waits: list[Wait] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    woke: bool = False

    @property
    def earliest(self) -> float | None:
        """The earliest CLOCK_MONOTONIC second at which the tree can wake up by itself; None: never."""
        return self._earliest(include_internal=True)

    @property
    def earliest_of_program(self) -> float | None:
        """The same, leaving out threads of a language runtime that run no code of the program."""
        return self._earliest(include_internal=False)

    def _earliest(self, *, include_internal: bool) -> float | None:
        moments = [
            wait.wakes_at
            for wait in self.waits
            if wait.wakes_at is not None and (include_internal or not wait.internal)
        ]
        return min(moments) if moments else None

    @property
    def stopped(self) -> bool:
        """Whether every live thread is stopped by a signal."""
        alive = [wait for wait in self.waits if wait.kind is not WaitKind.DEAD]
        return bool(alive) and all(wait.kind is WaitKind.STOPPED for wait in alive)


@dataclass(slots=True)
class _Sample:
    """The first of the two samples."""

    last_pid: int
    threads: list[Thread]
    runs: list[bytes]
    lines: list[bytes]


class Oracle:
    """Looks at one program.

    *peers* are our sockets that talk to it: peers add and discard themselves. *spoken_for* are IP
    addresses for which we answer packet by packet, without a kernel socket. *names* may give a
    peer a name for sentences. *borrow* False forbids pidfd_getfd(2) and *trace* False all that needs
    ptrace access, as some containers do; what is forbidden in fact is found out by itself.
    """

    def __init__(self, watched: Watched, diag: SockDiag, *, borrow: bool = True, trace: bool = True) -> None:
        self.watched = watched
        self.diag = diag
        self.peers: MutableSet[socket.socket] = set()
        self.spoken_for: set[str] = set()
        self.names: WeakKeyDictionary[socket.socket, str] = WeakKeyDictionary()
        self.may_borrow = borrow
        self.files = ProcFs(trace=trace)
        self._calls = Calls()
        self._sleeps = Sleeps()
        self._alarms = timers.Alarms()
        self._runtimes = Runtimes()
        self._packets: PacketBarrier | None = None

    def close(self) -> None:
        """Close what is kept open in /proc. The oracle can still be used afterwards."""
        self.files.close()
        if self._packets is not None:
            self._packets.close()
            self._packets = None

    def name_of(self, peer: socket.socket) -> str:
        """What to call *peer* in a sentence: its name, or else its port."""
        if peer in self.names:
            return self.names[peer]
        if peer.family in (socket.AF_INET, socket.AF_INET6):
            return f"our client on port {peer.getsockname()[1]}"
        return "our client"

    def look(self, explain: bool = False) -> Look:
        """Look once; *explain* also reads the names of the threads. Never blocks, never raises OSError."""
        began = time.monotonic()
        waits: list[Wait] = []
        try:
            sample = self._sample(began)
            if sample is None:
                self._check_reaper()
                self._check_legacy()
                look = Look(LookKind.GONE, "no process is left")
            else:
                waits = self._examine(sample)
                self._confirm(sample)
                self._sleeps.complete(began)
                self._alarms.settled()
                look = _conclude(waits)
                if look.kind is LookKind.GONE:
                    self._check_reaper()
        except Changed as change:
            look = Look(LookKind.BUSY, str(change), waits, woke=isinstance(change, Woken))
        except OSError as error:  # a thread, descriptor or mapping went away under us: somebody ran
            look = Look(LookKind.BUSY, f"it changed while we looked: {error}", waits)
        look.began, look.ended = began, time.monotonic()
        if look.kind not in (LookKind.BUSY, LookKind.GONE):
            for wait in look.waits:
                wait.wakes_at = self._sleeps.earliest_end(wait, began)
                wait.internal = self._runtimes.is_internal(wait)
        if explain:
            for wait in look.waits:
                wait.comm = wait.comm or command_name(Thread(wait.pid, wait.tid))
        return look

    def _sample(self, began: float) -> _Sample | None:
        last = last_pid()
        threads = threads_below(self.watched.root)
        if not threads:
            return None
        runs = [self.files.runs(thread) for thread in threads]
        counters = dict(zip((thread.tid for thread in threads), runs, strict=True))
        lines = []
        for thread in threads:
            line = self.files.syscall(thread)
            if line.startswith(b"running"):
                self._sleeps.note(counters, thread.tid, began)
                raise Changed(f"thread {thread.tid} is running")
            lines.append(line)
        self._sleeps.note(counters, None, began)
        return _Sample(last, threads, runs, lines)

    def _examine(self, sample: _Sample) -> list[Wait]:
        """Decode every wait, while nothing moves (which `_confirm` verifies)."""
        # Only now: a timer that was armed before the first sample has been reported by now. (If this
        # empties a pipe for which the program waited, the second sample differs.)
        self.watched.refresh()
        self._alarms.note(self.watched.interval_timers)
        pids = {thread.pid for thread in sample.threads}
        traffic = Traffic(self.diag, self.peers, pids, self.spoken_for)
        watched_timeouts = self.watched.timeout_sockets if self.watched.supervised else None
        examiner = Examiner(self.diag, traffic, may_borrow=self.may_borrow, timeout_sockets=watched_timeouts)
        waits = []
        for thread, line, runs in zip(sample.threads, sample.lines, sample.runs, strict=True):
            wait = self._decode(thread, line)
            wait.runs = runs
            waits.append(wait)
        traffic.check_peers()
        for wait in waits:
            if wait.kind in (WaitKind.DEAD, WaitKind.STOPPED):
                continue
            try:
                examiner.examine(wait)
            except PermissionError:
                wait.cannot_tell("we may not look into it")
        self.may_borrow = examiner.may_borrow
        expired = self._process_timers(waits)
        if expired or examiner.doubtful_timer or self._alarms.doubtful:
            timer_barrier()
        if traffic.datagrams:
            self._flush_packets()
        return waits

    def _decode(self, thread: Thread, line: bytes) -> Wait:
        state = self.files.state(thread)
        if state == "T":
            return Wait(*thread, "", WaitKind.STOPPED)
        wait = decode(self.files, self._calls, thread, line)
        if state != "S" and wait.kind is not WaitKind.DEAD:
            raise Changed(f"thread {thread.tid} is in state {state}")
        return wait

    def _process_timers(self, waits: list[Wait]) -> bool:
        """Append the timers of whole processes to *waits*; True if one has expired but may not have acted yet."""
        expired = False
        alarms = self.watched.interval_timers
        able = {WaitKind.EVENT, WaitKind.TIMED}
        for pid in sorted({wait.pid for wait in waits if wait.kind in able}):
            if timers.has_posix_timers(pid):
                waits.append(Wait(pid, pid, "timer_create", WaitKind.TIMED, note="a POSIX timer exists"))
            if pid in alarms:
                due = alarms[pid]
                if due is not None and due < time.monotonic():
                    expired = True
                else:
                    waits.append(Wait(pid, pid, "setitimer", WaitKind.TIMED, due=due, note="an alarm is set"))
            elif not self.watched.supervised and timers.catches_alarm(pid):
                waits.append(Wait(pid, pid, "setitimer", WaitKind.TIMED, note="an alarm may be set"))
        return expired

    def _check_reaper(self) -> None:
        """Raises Changed while our own pid 1 has not taken in, and told us, how the program ended."""
        root = self.watched.root
        if process_state(root) in "ZX":
            return
        if children(root) or self.files.syscall(Thread(root, root)).startswith(b"running"):
            raise Changed("the end of the program is being reported")

    def _check_legacy(self) -> None:
        """Raises Changed while what the program has sent before its end is still on its way: the kernel goes on with
        that by itself (SO_LINGER of socket(7)), however long ago the last process has ended."""
        traffic = Traffic(self.diag, self.peers, (), self.spoken_for)
        traffic.check_peers()
        if traffic.datagrams:
            self._flush_packets()

    def _flush_packets(self) -> None:
        if self._packets is None:
            self._packets = PacketBarrier()
        self._packets.flush()

    def _confirm(self, sample: _Sample) -> None:
        """The second sample. Raises Changed where it differs from the first."""
        # The list comes before the lines: reading ``children`` takes tasklist_lock, so that an exit
        # seen half-way (child already a zombie, parent not woken yet) is complete afterwards.
        root = self.watched.root
        if threads_below(root) != sample.threads:
            raise Changed("a thread or process began or ended")
        new = newcomer(root, sample.last_pid, {thread.tid for thread in sample.threads})
        if new is not None:
            raise Changed(f"thread {new} began")
        for thread, line in zip(sample.threads, sample.lines, strict=True):
            if self.files.syscall(thread) != line:
                raise Woken(f"thread {thread.tid} moved")
        for thread, runs in zip(sample.threads, sample.runs, strict=True):
            if self.files.runs(thread) != runs:
                raise Woken(f"thread {thread.tid} ran")


def _conclude(waits: Iterable[Wait]) -> Look:
    waits = list(waits)
    kinds = {wait.kind for wait in waits}
    if kinds == {WaitKind.DEAD}:
        return Look(LookKind.GONE, "only zombies are left", waits)
    if WaitKind.STORAGE in kinds:
        return Look(LookKind.BUSY, "waiting for a disk", waits)
    if WaitKind.UNKNOWN in kinds:
        return Look(LookKind.UNKNOWN, "a wait that we cannot judge", waits)
    if WaitKind.TIMED in kinds:
        return Look(LookKind.TIMED, "a timer is running", waits)
    if kinds <= {WaitKind.STOPPED, WaitKind.DEAD}:
        return Look(LookKind.PROVEN, "stopped by a signal", waits)
    return Look(LookKind.PROVEN, "every thread is blocked", waits)


def stopped(watched: Watched) -> bool:
    """Whether there is a live process and all threads of all processes are stopped (state T).

    A parent that waits in vfork(2) for a child that is stopped before its exec stays in state D and cannot
    stop itself; it will not run before the child does.
    """
    files = ProcFs()
    try:
        states = {thread: files.state(thread) for thread in threads_below(watched.root)}
        alive = {thread: state for thread, state in states.items() if state not in "ZX"}
        still = {thread.pid for thread, state in alive.items() if state == "T"}
        return bool(still) and all(
            state == "T" or (state == "D" and not still.isdisjoint(children(thread.pid)))
            for thread, state in alive.items()
        )
    except (Changed, OSError):
        return False
    finally:
        files.close()
