"""The kernel's answers about real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.observe.sock_diag import SockDiag, UnixSocket, unmapped
from harness.observe.tcp_info import TcpState, tcp_info


@pytest.fixture
def diag() -> Iterator[SockDiag]:
    with SockDiag() as diag:
        yield diag


def inode(sock: socket.socket) -> int:
    return os.fstat(sock.fileno()).st_ino


FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_listener_is_found_by_its_address(diag: SockDiag, family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family, backlog=7) as server:
        port = server.getsockname()[1]
        found = diag.listener(host, port)
        assert found is not None
        assert (found.state, found.local, found.inode) == (TcpState.LISTEN, (host, port), inode(server))
        assert (found.receive_queue, found.send_queue) == (0, 7)
        assert found.inode in [listener.inode for listener in diag.listeners()]
    assert diag.listener(host, port) is None


@pytest.mark.parametrize("bound", ["", "::"])
def test_wildcard_listener_is_found_by_any_address(diag: SockDiag, bound: str) -> None:
    dual = bound == "::"
    with socket.create_server(
        (bound, 0), family=socket.AF_INET6 if dual else socket.AF_INET, dualstack_ipv6=dual
    ) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "127.9.9.9", *(["::1"] if dual else [])):
            found = diag.listener(host, port)
            assert found is not None and found.inode == inode(server)


def test_v6_only_listener_takes_no_v4(diag: SockDiag) -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6) as server:
        assert diag.listener("127.0.0.1", server.getsockname()[1]) is None


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_connection_is_found_by_its_two_ends(diag: SockDiag, family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as server:
        here = server.getsockname()[:2]
        with socket.create_connection(here) as client:
            there = client.getsockname()[:2]
            waiting = diag.tcp(here, there)
            assert waiting is not None and waiting.inode == 0  # nobody has accepted it
            with server.accept()[0] as accepted:
                client.send(b"hello")
                found = diag.tcp(here, there)
                assert found is not None and found.info is not None
                assert (found.inode, found.receive_queue, found.info.bytes_received) == (
                    inode(accepted),
                    5,
                    5,
                )
                ours = diag.tcp(there, here)
                assert ours is not None and ours.inode == inode(client)
        assert diag.tcp(here, (host, 1)) is None  # not the listener that has the same port


def test_mapped_addresses_read_as_ipv4(diag: SockDiag) -> None:
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server,
        socket.create_connection(("127.0.0.1", server.getsockname()[1])) as client,
        server.accept()[0] as accepted,
    ):
        assert accepted.getpeername()[0] == "::ffff:127.0.0.1"
        found = diag.tcp(("127.0.0.1", server.getsockname()[1]), client.getsockname())
        assert found is not None
        assert (found.inode, found.local[0], found.remote) == (
            inode(accepted),
            "127.0.0.1",
            client.getsockname(),
        )
    assert unmapped("::ffff:10.0.0.1") == "10.0.0.1"
    assert unmapped("::ffff:1") == "::ffff:1"


def test_closing_states_and_fin(diag: SockDiag) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as accepted,
    ):
        client.send(b"bye")
        client.shutdown(socket.SHUT_WR)
        found = diag.tcp(accepted.getsockname(), client.getsockname())
        assert found is not None and found.info is not None
        assert found.state is TcpState.CLOSE_WAIT
        assert found.receive_queue == 4  # three bytes and the FIN
        assert found.info.bytes_received == 4
        # The acknowledgement of the FIN may be delayed.
        assert tcp_info(client).state in (TcpState.FIN_WAIT1, TcpState.FIN_WAIT2)


def test_a_full_window_is_told(diag: SockDiag) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as accepted,
    ):
        client.setblocking(False)
        try:
            while True:
                client.send(bytes(1 << 16))
        except BlockingIOError:
            pass
        sender = diag.tcp(client.getsockname(), accepted.getsockname())
        assert sender is not None and sender.info is not None and sender.memory is not None
        assert sender.info.notsent > 0
        assert not sender.memory.writable


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_udp_socket_and_its_drops(diag: SockDiag, family: socket.AddressFamily, host: str) -> None:
    with (
        socket.socket(family, socket.SOCK_DGRAM) as receiver,
        socket.socket(family, socket.SOCK_DGRAM) as sender,
    ):
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        receiver.bind((host, 0))
        for _ in range(50):
            sender.sendto(bytes(1000), receiver.getsockname())
        (found,) = (sock for sock in diag.udp_sockets() if sock.inode == inode(receiver))
        assert found.memory is not None
        assert not found.is_tcp
        assert found.receive_queue > 0
        assert 0 < found.memory.drops < 50


def test_unix_stream(diag: SockDiag, tmp_path: Path) -> None:
    path = str(tmp_path / "sock")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen(3)
        found = diag.unix(inode(server))
        assert found is not None and found.memory is not None and found.memory.send_limit > 0
        expected = UnixSocket(socket.SOCK_STREAM, TcpState.LISTEN, inode(server), path, None, 0, 3)
        assert replace(found, memory=None, file=None) == expected
        client.connect(path)
        waiting, ours = diag.unix(inode(server)), diag.unix(inode(client))
        assert waiting is not None and (waiting.receive_queue, waiting.pending) == (1, (inode(client),))
        listener = diag.unix_listener_of(inode(client))
        assert listener is not None and listener.inode == inode(server)
        assert ours is not None and ours.peer == 0
        with server.accept()[0] as accepted:
            client.send(b"four")
            ours, theirs = diag.unix(inode(client)), diag.unix(inode(accepted))
            assert ours is not None and ours.peer == inode(accepted)
            assert theirs is not None and (theirs.peer, theirs.receive_queue) == (inode(client), 4)
    assert diag.unix(found.inode) is None


def test_unix_file(diag: SockDiag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket is where its file is, whatever name bind(2) was given: a relative one, and renamed since."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as successor:
        server.bind("sock")
        found = diag.unix(inode(server))
        assert found is not None and found.path == "sock"
        assert found.is_at(str(tmp_path / "sock")) and not found.is_at(str(tmp_path / "another"))
        os.rename("sock", "renamed")
        assert found.is_at(str(tmp_path / "renamed")) and not found.is_at(str(tmp_path / "sock"))
        successor.bind("sock")
        assert not found.is_at(str(tmp_path / "sock"))


def test_unix_names(diag: SockDiag) -> None:
    abstract = f"sockspec-{os.getpid()}"
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as named:
        named.bind("\0" + abstract)
        by_inode = {sock.inode: sock for sock in diag.unix_sockets()}
        assert by_inode[inode(named)].path == "@" + abstract
        assert by_inode[inode(left)].path is None
        assert by_inode[inode(left)].peer == inode(right)


def test_connecting_sockets(diag: SockDiag) -> None:
    """A SYN to a listener whose accept queue is full is dropped: the connect stays in SYN_SENT."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        clients = [socket.socket() for _ in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        pending = [sock.remote for sock in diag.connecting()]
        for client in clients:
            client.close()
        assert server.getsockname() in pending


def test_many_sockets_in_one_dump(diag: SockDiag) -> None:
    """More than fit into one netlink message."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(300)]
    inodes = {inode(server) for server in servers}
    assert inodes <= {sock.inode for sock in diag.listeners()}
    for server in servers:
        server.close()
    assert not inodes & {sock.inode for sock in diag.listeners()}
