"""The policy: what is concluded from which looks, and what time is charged."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterable, Mapping
from types import SimpleNamespace

import pytest

from harness.observe.quiescence import Look, LookKind, Oracle
from harness.observe.settle import Settled, SettledKind, Settler
from harness.observe.sock_diag import SockDiag
from harness.observe.wait import Wait, WaitKind

from .conftest import Compile, Start


class Nobody:
    """A `Watched` without processes."""

    supervised = True
    interval_timers: Mapping[int, float | None] = {}
    timeout_sockets: frozenset[int] = frozenset()
    root = 2**22 - 1

    def __init__(self) -> None:
        self.refreshed = 0
        self.fds: list[int] = []

    def refresh(self) -> None:
        self.refreshed += 1

    def wakers(self) -> Iterable[int]:
        return self.fds


class Scripted(Oracle):
    """Sees what a script says; the last look is repeated."""

    def __init__(
        self, diag: SockDiag, *kinds: LookKind, wakes_in: float | None = None, internal: bool = False
    ) -> None:
        super().__init__(Nobody(), diag)
        self.script = list(kinds)
        self.looks = 0
        self.wakes_in = wakes_in
        self.internal = internal

    def look(self, explain: bool = False) -> Look:
        kind = self.script[min(self.looks, len(self.script) - 1)]
        self.looks += 1
        now = time.monotonic()
        waits = []
        if kind is LookKind.TIMED:
            assert self.wakes_in is not None
            wait = Wait(1, 1, "futex", WaitKind.TIMED, internal=self.internal, wakes_at=now + self.wakes_in)
            waits.append(wait)
        return Look(kind, "", waits, now, now)


BUSY, TIMED, UNKNOWN, PROVEN, GONE = (
    LookKind.BUSY,
    LookKind.TIMED,
    LookKind.UNKNOWN,
    LookKind.PROVEN,
    LookKind.GONE,
)


def settle(oracle: Oracle, patience: float = 1.0, fuse_seconds: float = 60.0) -> Settled:
    return Settler(oracle, patience=patience, fuse_seconds=fuse_seconds).wait(lambda: False)


@pytest.fixture
def diag() -> Iterable[SockDiag]:
    with SockDiag() as diag:
        yield diag


def test_ready_before_any_look(diag: SockDiag) -> None:
    oracle = Scripted(diag, BUSY)
    settled = Settler(oracle).wait(lambda: True)
    assert (settled.kind, settled.look, oracle.looks) == (SettledKind.READY, None, 0)
    assert settled.ready and settled.reasons() == []


def test_what_came_during_the_look_is_not_lost(diag: SockDiag) -> None:
    for kind in (PROVEN, GONE):
        oracle = Scripted(diag, kind)
        assert Settler(oracle).wait(lambda oracle=oracle: oracle.looks > 0).ready  # type: ignore[misc]


@pytest.mark.parametrize(("last", "kind"), [(PROVEN, SettledKind.QUIESCENT), (GONE, SettledKind.GONE)])
def test_conclusive_looks(diag: SockDiag, last: LookKind, kind: SettledKind) -> None:
    oracle = Scripted(diag, BUSY, BUSY, last)
    settled = settle(oracle)
    assert (settled.kind, settled.looks) == (kind, 3)


def test_pipes_are_emptied_before_each_look(diag: SockDiag) -> None:
    oracle = Scripted(diag, BUSY, BUSY, PROVEN)
    settle(oracle)
    assert isinstance(oracle.watched, Nobody)
    assert oracle.watched.refreshed == 4  # before each of three looks, and before the last question


def test_a_timer_beyond_the_patience_decides_now(diag: SockDiag) -> None:
    settled = settle(Scripted(diag, TIMED, wakes_in=5.0), patience=1.0)
    assert (settled.kind, settled.looks, settled.idle_seconds) == (SettledKind.IDLE, 1, 0.0)


def test_a_timer_within_the_patience_is_waited_for(diag: SockDiag) -> None:
    settled = settle(Scripted(diag, TIMED, wakes_in=0.001), patience=0.05)
    assert settled.kind is SettledKind.IDLE
    assert settled.idle_seconds >= 0.04


def test_doubt_is_charged_by_idle_time_only(diag: SockDiag) -> None:
    # Between looks that find it busy, no time is charged, however much passes.
    settled = settle(Scripted(diag, *[UNKNOWN, BUSY] * 10, UNKNOWN), patience=0.02)
    assert settled.kind is SettledKind.IDLE
    assert settled.looks > 20


def test_timers_of_a_runtime_do_not_count(diag: SockDiag) -> None:
    oracle = Scripted(diag, TIMED, wakes_in=0.001, internal=True)
    assert settle(oracle).kind is SettledKind.QUIESCENT
    strict = Settler(oracle, runtimes=False, patience=0.01).wait(lambda: False)
    assert strict.kind is SettledKind.IDLE


def test_the_fuse_is_our_failure(diag: SockDiag) -> None:
    assert settle(Scripted(diag, BUSY), fuse_seconds=0.05).kind is SettledKind.INCONCLUSIVE


@pytest.mark.parametrize(
    ("seconds", "moving", "kind"),
    [
        (100, True, SettledKind.QUIESCENT),
        (100, False, SettledKind.INCONCLUSIVE),
        (200, True, SettledKind.INCONCLUSIVE),
    ],
)
def test_what_moves_lights_the_fuse_anew(
    diag: SockDiag, monkeypatch: pytest.MonkeyPatch, seconds: int, moving: bool, kind: SettledKind
) -> None:
    oracle = Scripted(diag, *[BUSY] * seconds, PROVEN)
    clock = SimpleNamespace(monotonic=lambda: float(oracle.looks))  # a look takes a second
    monkeypatch.setattr("harness.observe.settle.time", clock)
    settler = Settler(oracle, fuse_seconds=60.0)
    assert settler.wait(lambda: False, progress=lambda: moving * min(oracle.looks, seconds)).kind is kind


def test_progress_revokes_a_conclusion(diag: SockDiag) -> None:
    """ready() that moves bytes after a conclusive look has changed the world: look again."""
    oracle = Scripted(diag, PROVEN)
    moved = 0

    def pump() -> bool:
        nonlocal moved
        moved += oracle.looks in (1, 2)
        return False

    settled = Settler(oracle).wait(pump, progress=lambda: moved)
    assert (settled.kind, settled.looks, moved) == (SettledKind.QUIESCENT, 3, 4)


def test_progress_forgives_idle_time(diag: SockDiag) -> None:
    oracle = Scripted(diag, UNKNOWN)
    moved = 0

    def trickle() -> bool:
        nonlocal moved
        moved += oracle.looks < 30
        return False

    settled = Settler(oracle, patience=0.03).wait(trickle, progress=lambda: moved)
    assert settled.kind is SettledKind.IDLE
    assert settled.looks > 30


def test_a_useless_event_does_not_make_it_spin(diag: SockDiag) -> None:
    """A descriptor of ours that stays readable while ready() stays false: rounds must not run away."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"x")
    oracle = Scripted(diag, BUSY)
    used = time.process_time()
    settled = Settler(oracle, fuse_seconds=0.5).wait(lambda: False, [read_end], writable=[write_end])
    used = time.process_time() - used
    os.close(read_end)
    os.close(write_end)
    assert settled.looks < 200
    assert used < 0.25


def test_descriptors_beyond_fd_setsize(diag: SockDiag) -> None:
    read_end, write_end = os.pipe()
    high = os.dup2(read_end, 1500)
    os.write(write_end, b"x")
    settled = Settler(Scripted(diag, BUSY, PROVEN)).wait(lambda: False, [high])
    for fd in (read_end, write_end, high):
        os.close(fd)
    assert settled.kind is SettledKind.QUIESCENT


# -- real programs -------------------------------------------------------------------


def readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


REPLY_LATE = """
s = socket.create_server(('127.0.0.1', 0))
c, _ = s.accept()
d = c.recv(10)
time.sleep({})
c.send(d)
c.recv(1)
"""


def test_a_late_reply_is_waited_for(start: Start) -> None:
    scene = start(python=REPLY_LATE.format(0.2))
    client = scene.connect()
    client.send(b"ping")
    assert scene.settler.wait(lambda: readable(client), [client.fileno()]).ready
    assert client.recv(10) == b"ping"
    assert scene.settler.wait(lambda: readable(client), [client.fileno()]).kind is SettledKind.QUIESCENT


def test_a_reply_later_than_the_patience_is_decided_at_once(start: Start) -> None:
    scene = start(python=REPLY_LATE.format(100))
    client = scene.connect()
    client.send(b"ping")
    settled = scene.settler.wait(lambda: readable(client), [client.fileno()])
    assert settled.kind is SettledKind.IDLE
    assert settled.idle_seconds < 0.5


def test_progress_of_a_peer_is_not_spinning(start: Start) -> None:
    """A program that works without ever blocking, but answers all the time."""
    code = "s = socket.create_server(('127.0.0.1', 0))\nc, _ = s.accept()\nc.setblocking(False)\n"
    code += "while True:\n try: c.send(b'x')\n except BlockingIOError: pass"
    scene = start(python=code)
    client = scene.connect()
    client.setblocking(False)
    scene.settler.spin_cpu_seconds = 0.1
    moved = 0
    end = time.process_time() + 0.3

    def pump() -> bool:
        nonlocal moved
        with contextlib.suppress(BlockingIOError):
            moved += len(client.recv(1 << 20))
        return time.process_time() > end

    settled = scene.settler.wait(pump, [client.fileno()], progress=lambda: moved)
    assert settled.ready
    assert scene.settler.wait(lambda: False, [client.fileno()]).kind is SettledKind.SPINNING


def test_the_end_of_the_program(start: Start) -> None:
    scene = start(python="sys.exit(3)")
    settled = scene.settler.wait(lambda: False, scene.tree.wakers())
    assert (settled.kind, os.waitstatus_to_exitcode(scene.tree.status or 0)) == (SettledKind.GONE, 3)


def test_stop_and_continue(start: Start) -> None:
    scene = start(
        python="s = socket.create_server(('127.0.0.1', 0))\nwhile True: s.accept()[0].send(b'hello')"
    )
    address = scene.address()
    scene.settler.wait(lambda: False)
    scene.tree.signal(signal.SIGSTOP)
    with socket.create_connection(address) as client:
        scene.oracle.peers.add(client)
        settled = scene.settler.wait(lambda: readable(client), [client.fileno()])
        assert settled.kind is SettledKind.QUIESCENT
        assert settled.look is not None and settled.look.stopped
        scene.tree.signal(signal.SIGCONT)
        assert scene.settler.wait(lambda: readable(client), [client.fileno()]).ready
        scene.oracle.peers.discard(client)


def test_without_ptrace_access_it_costs_the_patience(start: Start, compiled: Compile) -> None:
    scene = start(compiled("waits"), "accept", trace=False)
    scene.settler.patience = 0.1
    settled = scene.settler.wait(lambda: False)
    assert settled.kind is SettledKind.IDLE
    assert settled.look is not None and settled.look.kind is UNKNOWN
    assert settled.idle_seconds >= 0.1
    assert settled.reasons() == ["thread 1 is asleep (we may not look into it)"]


def test_without_borrowing_the_supervisor_knows_timeouts(start: Start, compiled: Compile) -> None:
    scene = start(compiled("waits"), "receive_timeout", borrow=False)
    scene.tree.supervised = True
    scene.tree.timeout_sockets = frozenset({1})
    scene.settler.patience = 0.1
    assert scene.settler.wait(lambda: False).kind is SettledKind.IDLE
    other = start(compiled("waits"), "recv", borrow=False)
    other.tree.supervised = True
    assert other.settler.wait(lambda: False).kind is SettledKind.QUIESCENT
