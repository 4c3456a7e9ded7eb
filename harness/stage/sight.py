"""What checks want to see of a program's sockets, put together from the observer's single looks."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from harness.observe.borrowed import Forbidden, SocketOptions, socket_options
from harness.observe.census import OwnedSocket, find_listener, owned_listeners
from harness.observe.procfs import Changed, descriptors, socket_inode
from harness.observe.sock_diag import InetSocket, SockDiag, UnixSocket
from harness.observe.tcp_info import FIN_RECEIVED, TcpState
from harness.observe.watched import Watched
from harness.stage.address import Address


def serves(at: OwnedSocket, address: Address) -> bool:
    """Whether *at* is where the clients of *address* arrive, whatever addresses of the machine it covers."""
    if address.local:
        return isinstance(at.socket, UnixSocket) and at.socket.is_at(address.path)
    transport = "udp" if address.type == socket.SOCK_DGRAM else "tcp"
    return at.transport == transport and at.port == address.port


def serving(watched: Watched, diag: SockDiag, address: Address) -> list[OwnedSocket]:
    """The sockets of the program on which clients of *address* arrive."""
    return [at for at in owned_listeners(watched, diag) if serves(at, address)]


def is_served(watched: Watched, diag: SockDiag, address: Address) -> bool:
    """Whether a client that comes to *address* now comes to the program."""
    found = find_listener(
        watched, diag, address.port, address=address.host, path=address.path, transport=address.transport
    )
    if found is None or found.pid is not None:
        return found is not None
    # The kernel names one socket, but several may share the address (SO_REUSEPORT, socket(7)).
    return any(at.socket.inode != found.socket.inode for at in serving(watched, diag, address))


def host_of(at: OwnedSocket) -> str:
    """The address an IP socket is bound to."""
    return at.socket.local[0] if isinstance(at.socket, InetSocket) else ""


def accept_queue(at: OwnedSocket) -> tuple[int, int] | None:
    """Clients that wait to be accepted, and the limit; None for a socket without such a queue."""
    if at.socket.state is not TcpState.LISTEN:
        return None
    return at.socket.receive_queue, at.socket.send_queue


def drops(at: OwnedSocket) -> int:
    """Datagrams that found no room in the socket's receive buffer (udp(7))."""
    memory = at.socket.memory if isinstance(at.socket, InetSocket) else None
    return memory.drops if memory is not None else 0


def options(at: OwnedSocket) -> SocketOptions | None:
    """The options of the program's socket; None if this machine does not let us look."""
    if at.pid is None or at.fd is None:
        return None
    try:
        return socket_options(at.pid, at.fd)
    except (Forbidden, Changed, OSError):
        return None


def far_end(diag: SockDiag, ours: socket.socket) -> InetSocket | UnixSocket | None:
    """The program's end of our connection; None when it is gone."""
    if ours.family == socket.AF_UNIX:
        own = diag.unix(os.fstat(ours.fileno()).st_ino)
        return diag.unix(own.peer) if own is not None and own.peer else None
    try:
        return diag.tcp(ours.getpeername()[:2], ours.getsockname()[:2])
    except OSError:  # not connected any more
        return None


def unread(diag: SockDiag, ours: socket.socket) -> int:
    """Bytes that we have sent and the program has not read yet."""
    theirs = far_end(diag, ours)
    return 0 if theirs is None else theirs.receive_queue


def consumed(diag: SockDiag, ours: socket.socket, sent: int) -> int:
    """How many of the *sent* bytes (taken by our kernel) the program has read."""
    theirs = far_end(diag, ours)
    if theirs is None:
        return 0
    if isinstance(theirs, InetSocket) and theirs.info is not None:
        arrived = theirs.info.bytes_received - (1 if theirs.state in FIN_RECEIVED else 0)
        # The queue of a socket that has got its FIN counts that as well.
        return min(sent, arrived - max(0, theirs.receive_queue - (1 if theirs.state in FIN_RECEIVED else 0)))
    return sent - theirs.receive_queue


def tcp_states(diag: SockDiag, port: int) -> list[str]:
    """The states of all TCP sockets whose local port is *port*, listeners excepted."""
    found = [*diag.tcp_sockets(), *diag.lingering()]
    return sorted(s.state.name for s in found if s.local[1] == port and s.state is not TcpState.LISTEN)


def holds(pid: int, inodes: frozenset[int]) -> bool:
    """Whether process *pid* has one of these sockets open."""
    return any(socket_inode(link) in inodes for link in descriptors(pid).values())


def socket_inodes(pids: Iterable[int]) -> frozenset[int]:
    """The sockets that these processes have open."""
    links = (link for pid in pids for link in descriptors(pid).values())
    return frozenset(inode for link in links if (inode := socket_inode(link)) is not None)
