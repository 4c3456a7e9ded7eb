"""What is under way, and who is at the other end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.observe.barriers import PacketBarrier, timer_barrier
from harness.observe.in_flight import Traffic, undelivered
from harness.observe.procfs import Changed
from harness.observe.quiescence import LookKind
from harness.observe.settle import Settled, SettledKind
from harness.observe.sock_diag import SockDiag

from .conftest import Start

LISTEN = "s = socket.create_server(('127.0.0.1', 0), backlog=2)\n"


@pytest.fixture
def diag() -> Iterator[SockDiag]:
    with SockDiag() as diag:
        yield diag


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as accepted,
    ):
        yield client, accepted


def under_way(diag: SockDiag, sender: socket.socket, receiver: socket.socket) -> str:
    from_, to = (diag.tcp(end.getsockname(), end.getpeername()) for end in (sender, receiver))
    assert from_ is not None and to is not None
    return undelivered(from_, to)


def fill(sock: socket.socket) -> int:
    sock.setblocking(False)
    sent = 0
    try:
        while True:
            sent += sock.send(bytes(1 << 16))
    except BlockingIOError:
        return sent


def test_delivered_bytes_are_not_under_way(diag: SockDiag, pair: tuple[socket.socket, socket.socket]) -> None:
    client, accepted = pair
    assert under_way(diag, client, accepted) == ""
    client.send(b"hello")  # its acknowledgement may be delayed for 40 ms
    assert under_way(diag, client, accepted) == ""
    accepted.send(b"x" * 100_000)
    client.shutdown(socket.SHUT_WR)
    assert under_way(diag, client, accepted) == ""


def test_corked_bytes_are_under_way(diag: SockDiag, pair: tuple[socket.socket, socket.socket]) -> None:
    """TCP_CORK holds them back for 200 ms: then the kernel sends them by itself."""
    client, accepted = pair
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    client.send(b"held back")
    assert under_way(diag, client, accepted) != ""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    assert under_way(diag, client, accepted) == ""


def test_bytes_before_a_closed_window_are_not_under_way(
    diag: SockDiag, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, accepted = pair
    with ExitStack() as stack:
        stack.callback(client.setblocking, True)
        fill(client)
        # The last segment may still be on its way when send(2) has just failed.
        while under_way(diag, client, accepted):
            os.sched_yield()
    assert under_way(diag, client, accepted) == ""


def test_what_a_program_has_sent_before_its_end_is_waited_for(
    start: Start, pair: tuple[socket.socket, socket.socket]
) -> None:
    """The kernel sends on for a program that is gone; here we are the one who holds it back."""
    scene = start(python="pass")
    assert scene.settler.wait(lambda: False).kind is SettledKind.GONE
    ours, theirs = pair
    scene.oracle.peers.add(ours)
    assert scene.oracle.look().kind is LookKind.GONE
    theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    theirs.send(b"held back for 200 ms")
    if scene.oracle.look().kind is not LookKind.BUSY:
        assert ours.recv(100, socket.MSG_DONTWAIT)  # it took us longer than that
    theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    assert scene.settler.wait(lambda: False).kind is SettledKind.GONE


def test_both_ends_full_is_a_standstill(start: Start) -> None:
    scene = start(python=LISTEN + "c, _ = s.accept()\nc.sendall(bytes(50_000_000))")
    client = scene.connect()
    fill(client)
    settled = scene.settler.wait(lambda: False)
    assert settled.kind is SettledKind.QUIESCENT


def test_full_accept_queue_stalls_a_handshake(start: Start) -> None:
    """The SYN of one client too many is dropped: only an accept could change that."""
    scene = start(python="s = socket.create_server(('127.0.0.1', 0), backlog=0)\nsignal.pause()")
    address = scene.address()
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
        scene.oracle.peers.add(client)
    settled = scene.settler.wait(lambda: False)
    for client in list(scene.oracle.peers):
        client.close()
    assert settled.kind is SettledKind.QUIESCENT


def test_a_reset_connection_is_not_waited_for(start: Start) -> None:
    scene = start(python=LISTEN + "c, _ = s.accept()\nc.recv(1)\nc.close()\nsignal.pause()")
    client = scene.connect()
    client.send(b"more than one byte, so that close() resets")
    assert scene.settler.wait(lambda: False).kind is SettledKind.QUIESCENT


STRANGERS = {
    "tcp": (
        LISTEN + "c, _ = s.accept()\nsignal.pause()",
        "c = socket.create_connection(('127.0.0.1', {port}))\nc.recv(1)",
    ),
    "tcp, not accepted": (
        LISTEN + "signal.pause()",
        "c = socket.create_connection(('127.0.0.1', {port}))\nc.recv(1)",
    ),
    "tcp in epoll": (
        LISTEN + "c, _ = s.accept()\nsignal.pause()",
        "import select\nc = socket.create_connection(('127.0.0.1', {port}))\n"
        "e = select.epoll()\ne.register(c, select.EPOLLIN)\ne.poll()",
    ),
    "udp": (
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('127.0.0.1', 0))\nsignal.pause()",
        "c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nc.connect(('127.0.0.1', {port}))\nc.recv(1)",
    ),
    "unix": (
        "s = socket.socket(socket.AF_UNIX)\ns.bind({path!r})\ns.listen()\nc, _ = s.accept()\nsignal.pause()",
        "c = socket.socket(socket.AF_UNIX)\nc.connect({path!r})\nc.recv(1)",
    ),
}


@pytest.mark.parametrize("borrow", [True, False], ids=["borrowing", "without"])
@pytest.mark.parametrize("kind", STRANGERS)
def test_a_strangers_answer_cannot_be_ruled_out(
    start: Start, tmp_path: Path, kind: str, borrow: bool
) -> None:
    serving, asking = STRANGERS[kind]
    path = str(tmp_path / "s")
    stranger = start(python=serving.format(path=path))
    port = 0 if kind == "unix" else stranger.address()[1]
    if kind == "unix":
        assert stranger.settler.wait(lambda: (tmp_path / "s").exists()).ready
        stranger.settler.wait(lambda: False)
    scene = start(python=asking.format(port=port, path=path), borrow=borrow)
    scene.tree.supervised = True
    scene.settler.patience = 0.05
    settled = scene.settler.wait(lambda: False)
    assert settled.kind is SettledKind.IDLE, settled
    assert settled.look is not None and settled.look.kind is LookKind.UNKNOWN
    assert "the other end is a" in str(settled.reasons())


def test_our_own_sockets_are_no_strangers(start: Start, tmp_path: Path) -> None:
    """Also those that no peer has registered."""

    def settle(code: str) -> Settled:
        return start(python=code).settler.wait(lambda: False)

    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        port = tcp.getsockname()[1]
        codes = [
            f"socket.create_connection(('127.0.0.1', {port})).recv(1)",
            f"c = socket.socket(2, 2)\nc.connect(('127.0.0.1', {udp.getsockname()[1]}))\nc.recv(1)",
            f"c = socket.socket(1)\nc.connect({str(tmp_path / 's')!r})\nc.recv(1)",
        ]
        for code in codes:
            assert settle(code).kind is SettledKind.QUIESCENT, code


def test_a_conversation_within_the_program_is_its_own(start: Start) -> None:
    code = "a, b = socket.socketpair()\nos.fork() and a.recv(1)\nb.recv(1)"
    assert start(python=code).settler.wait(lambda: False).kind is SettledKind.QUIESCENT


def test_traffic_of_a_peer_in_the_middle_of_a_send(
    diag: SockDiag, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, accepted = pair
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    accepted.send(b"held back")
    traffic = Traffic(diag, [client], [], frozenset())
    with pytest.raises(Changed, match="on the way"):
        traffic.check_peers()


def test_a_datagram_that_is_not_answered(start: Start) -> None:
    code = "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('127.0.0.1', 0))\n"
    scene = start(python=code + "while True:\n d, a = s.recvfrom(100)\n if d != b'!': s.sendto(d, a)")
    address = scene.address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        scene.oracle.peers.add(peer)
        peer.connect(address)
        peer.setblocking(False)
        for request, kind in ((b"echo", SettledKind.READY), (b"!", SettledKind.QUIESCENT)) * 5:
            peer.send(request)
            settled = scene.settler.wait(lambda: answered(peer), [peer.fileno()])
            assert settled.kind is kind
        scene.oracle.peers.discard(peer)


def answered(peer: socket.socket) -> bool:
    try:
        return bool(peer.recv(100))
    except BlockingIOError:
        return False


def test_barriers_end_and_leave_no_trace() -> None:
    allowed = os.sched_getaffinity(0)
    barrier = PacketBarrier()
    for _ in range(5):
        barrier.flush()
        timer_barrier()
    barrier.close()
    assert os.sched_getaffinity(0) == allowed
