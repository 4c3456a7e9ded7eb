"""Asking the kernel for sockets: sock_diag(7), as any user, without touching them.

The hand-written request for one exact socket costs 10 us and no walk through a table; that is
why readiness can be asked for as often as one likes without ever connecting.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from harness.observe.tcp_info import TcpInfo, TcpState

Address = tuple[str, int]

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NO_COOKIE = b"\xff" * 8
_ALL_STATES = 0xFFFFFFFF
_INET_DIAG_INFO, _INET_DIAG_SKMEMINFO = 2, 7
_EXTENSIONS = 1 << (_INET_DIAG_INFO - 1) | 1 << (_INET_DIAG_SKMEMINFO - 1)
_UDIAG_SHOW = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x20  # NAME, VFS, PEER, ICONS, RQLEN, MEMINFO
_UNIX_DIAG_NAME, _UNIX_DIAG_VFS, _UNIX_DIAG_PEER, _UNIX_DIAG_ICONS, _UNIX_DIAG_RQLEN, _UNIX_DIAG_MEMINFO = (
    0,
    1,
    2,
    3,
    4,
    5,
)


@dataclass(frozen=True, slots=True)
class SocketMemory:
    """SK_MEMINFO: bytes charged to a socket, its limits, and datagrams dropped for want of room.

    *send_queued* is what the limit is compared with: sk_wmem_queued of a TCP socket, sk_wmem_alloc of any other.
    """

    receive_used: int
    receive_limit: int
    send_limit: int
    send_queued: int
    drops: int

    @property
    def writable(self) -> bool:
        """Whether poll(2) would say POLLOUT for a stream socket (``sk_stream_is_writeable``)."""
        return self.send_limit - self.send_queued >= self.send_queued >> 1


@dataclass(frozen=True, slots=True)
class InetSocket:
    """A TCP or UDP socket. IPv4-mapped IPv6 addresses are given as the IPv4 address they mean.

    *receive_queue*: bytes to read, or for a listener the connections waiting to be accepted;
    *send_queue*: bytes not acknowledged, or for a listener the limit of its accept queue.
    *inode* is 0 for a socket without descriptor: not accepted yet, or closed and still sending.
    """

    family: int
    protocol: int
    state: TcpState
    local: Address
    remote: Address
    receive_queue: int
    send_queue: int
    uid: int
    inode: int
    info: TcpInfo | None
    memory: SocketMemory | None

    @property
    def is_tcp(self) -> bool:
        """TCP, not UDP."""
        return self.protocol == socket.IPPROTO_TCP


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A UNIX socket: *type* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET; an abstract *path* begins with ``@``.

    *peer* is the inode of the other end (0: it exists but nobody has accepted it), None if not
    connected. The queues are bytes, of a listener connections waiting and their limit; *pending*
    are then the inodes of the clients that wait to be accepted. *file* is the inode (its low 32
    bits) and the device of the socket file that bind(2) made, None without one.
    """

    type: int
    state: TcpState
    inode: int
    path: str | None
    peer: int | None
    receive_queue: int
    send_queue: int
    pending: tuple[int, ...] = ()
    memory: SocketMemory | None = None
    file: tuple[int, int] | None = None

    def is_at(self, path: str) -> bool:
        """Whether a client that connects to *path* comes here: it is the name, or a name of the same file.

        The kernel keeps the name as it was given to bind(2). A program may have changed its directory
        and given a relative one, or have renamed the file since: what clients find is the file (unix(7)).
        """
        if self.path == path or self.file is None:
            return self.path == path
        try:
            found = os.stat(path)
        except (OSError, ValueError):  # no file; ValueError: an abstract name may contain a NUL
            return False
        return self.file == (found.st_ino & 0xFFFFFFFF, found.st_dev)


class SockDiag:
    """Looks at the sockets of one network namespace: the calling thread's when this is made.

    Methods raise OSError when the kernel refuses (a kernel without the inet_diag, udp_diag or
    unix_diag module answers ENOENT, which reads as "no such socket").
    """

    def __init__(self) -> None:
        self._netlink = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG
        )
        self._netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._sequence = 0

    def __enter__(self) -> SockDiag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the netlink socket back."""
        self._netlink.close()

    # -- one socket ------------------------------------------------------------

    def tcp(self, local: Address, remote: Address) -> InetSocket | None:
        """The TCP socket with exactly these two ends; None when it is gone."""
        request = _inet_request(_family_of(local[0]), socket.IPPROTO_TCP, _ALL_STATES, local, remote)
        for message in self._ask(request, dump=False):
            found = _parse_inet(message, socket.IPPROTO_TCP)
            # The kernel falls back to a listener on the same port: that is not the connection.
            return found if found.remote[1] == remote[1] else None
        return None

    def listener(self, address: str, port: int) -> InetSocket | None:
        """The TCP socket that would take a SYN to *address*:*port*; None when there is none.

        Finds wildcard and dual-stack listeners as the kernel itself would.
        """
        request = _inet_request(
            _family_of(address), socket.IPPROTO_TCP, _ALL_STATES, (address, port), ("", 0)
        )
        for message in self._ask(request, dump=False):
            found = _parse_inet(message, socket.IPPROTO_TCP)
            return found if found.state is TcpState.LISTEN else None
        return None

    def unix(self, inode: int) -> UnixSocket | None:
        """The UNIX socket with this inode; None when it is gone."""
        for message in self._ask(_unix_request(_ALL_STATES, inode), dump=False):
            return _parse_unix(message)
        return None

    # -- many ------------------------------------------------------------------

    def listeners(self) -> list[InetSocket]:
        """All listening TCP sockets, IPv4 and IPv6."""
        return self._inet(socket.IPPROTO_TCP, 1 << TcpState.LISTEN)

    def tcp_sockets(self) -> list[InetSocket]:
        """All TCP sockets but those in TIME_WAIT, which belong to nobody any more.

        Walks the kernel's whole hash table: up to a millisecond.
        """
        return self._inet(socket.IPPROTO_TCP, _ALL_STATES & ~(1 << TcpState.TIME_WAIT))

    def lingering(self) -> list[InetSocket]:
        """All TCP connections in TIME_WAIT: the side that closed first keeps its port taken (RFC 9293 section 3.6.1)."""
        return self._inet(socket.IPPROTO_TCP, 1 << TcpState.TIME_WAIT)

    def connecting(self) -> list[InetSocket]:
        """All TCP sockets whose SYN was not answered yet. Walks the whole hash table too."""
        return self._inet(socket.IPPROTO_TCP, 1 << TcpState.SYN_SENT)

    def udp_sockets(self) -> list[InetSocket]:
        """All UDP sockets that have a local port, IPv4 and IPv6."""
        return self._inet(socket.IPPROTO_UDP, _ALL_STATES)

    def unix_sockets(self) -> list[UnixSocket]:
        """All UNIX sockets."""
        return [_parse_unix(message) for message in self._ask(_unix_request(_ALL_STATES, 0), dump=True)]

    def unix_listener_of(self, inode: int) -> UnixSocket | None:
        """The listener at which the connected UNIX socket *inode* waits to be accepted, if it does."""
        return next((sock for sock in self.unix_sockets() if inode in sock.pending), None)

    def _inet(self, protocol: int, states: int) -> list[InetSocket]:
        return [
            _parse_inet(message, protocol)
            for family in (socket.AF_INET, socket.AF_INET6)
            for message in self._ask(_inet_request(family, protocol, states, ("", 0), ("", 0)), dump=True)
        ]

    # -- netlink(7) --------------------------------------------------------------

    def _ask(self, payload: bytes, *, dump: bool) -> Iterator[memoryview]:
        self._sequence += 1
        flags = _NLM_F_REQUEST | (_NLM_F_DUMP if dump else 0)
        header = struct.pack("=IHHII", 16 + len(payload), _SOCK_DIAG_BY_FAMILY, flags, self._sequence, 0)
        self._netlink.send(header + payload)
        while True:
            answer = self._netlink.recv(1 << 17)
            offset = 0
            while offset < len(answer):
                length, kind, _, sequence, _ = struct.unpack_from("=IHHII", answer, offset)
                if sequence == self._sequence:
                    if kind == _NLMSG_DONE:
                        return
                    if kind == _NLMSG_ERROR:
                        error = -struct.unpack_from("=i", answer, offset + 16)[0]
                        if error == 2:  # ENOENT: no such socket
                            return
                        raise OSError(error, os.strerror(error))
                    yield memoryview(answer)[offset + 16 : offset + length]
                    if not dump:
                        return
                offset += (length + 3) & ~3


def unmapped(address: str) -> str:
    """The IPv4 address that an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) means; others unchanged."""
    return address[7:] if address.startswith("::ffff:") and "." in address else address


def _family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _inet_request(family: int, protocol: int, states: int, local: Address, remote: Address) -> bytes:
    """struct inet_diag_req_v2."""

    def raw(address: str) -> bytes:
        return socket.inet_pton(family, address).ljust(16, b"\0") if address else bytes(16)

    return (
        struct.pack("=BBBBI", family, protocol, _EXTENSIONS, 0, states)
        + struct.pack("!HH", local[1], remote[1])
        + raw(local[0])
        + raw(remote[0])
        + struct.pack("=I", 0)
        + _NO_COOKIE
    )


def _unix_request(states: int, inode: int) -> bytes:
    """struct unix_diag_req."""
    return struct.pack("=BBHIII", socket.AF_UNIX, 0, 0, states, inode, _UDIAG_SHOW) + _NO_COOKIE


def _attributes(message: memoryview, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, offset)
        if length < 4:
            return
        yield kind, bytes(message[offset + 4 : offset + length])
        offset += (length + 3) & ~3


def _parse_inet(message: memoryview, protocol: int) -> InetSocket:
    """struct inet_diag_msg and its attributes."""
    family, state = message[0], TcpState(message[1])
    local_port, remote_port = struct.unpack_from("!HH", message, 4)
    width = 4 if family == socket.AF_INET else 16
    local = unmapped(socket.inet_ntop(family, message[8 : 8 + width]))
    remote = unmapped(socket.inet_ntop(family, message[24 : 24 + width]))
    receive_queue, send_queue, uid, inode = struct.unpack_from("=IIII", message, 56)
    info: TcpInfo | None = None
    memory: SocketMemory | None = None
    for kind, value in _attributes(message, 72):
        if kind == _INET_DIAG_INFO and protocol == socket.IPPROTO_TCP:
            info = TcpInfo.parse(value)
        elif kind == _INET_DIAG_SKMEMINFO and len(value) >= 36:
            memory = _parse_memory(value, queued=5 if protocol == socket.IPPROTO_TCP else 2)
    ends = (local, local_port), (remote, remote_port)
    return InetSocket(family, protocol, state, *ends, receive_queue, send_queue, uid, inode, info, memory)


def _parse_unix(message: memoryview) -> UnixSocket:
    """struct unix_diag_msg and its attributes."""
    kind, state = message[1], TcpState(message[2])
    inode = struct.unpack_from("=I", message, 4)[0]
    path: str | None = None
    peer: int | None = None
    receive_queue = send_queue = 0
    pending: tuple[int, ...] = ()
    memory: SocketMemory | None = None
    file: tuple[int, int] | None = None
    for attribute, value in _attributes(message, 16):
        if attribute == _UNIX_DIAG_NAME and value:
            abstract = value[:1] == b"\0"
            name = value[1:] if abstract else value.rstrip(b"\0")
            path = ("@" if abstract else "") + os.fsdecode(name)
        elif attribute == _UNIX_DIAG_VFS:
            number, device = struct.unpack("=II", value)
            file = (
                number,
                os.makedev(device >> 20, device & 0xFFFFF),
            )  # MAJOR, MINOR of include/linux/kdev_t.h
        elif attribute == _UNIX_DIAG_PEER:
            peer = struct.unpack("=I", value)[0]
        elif attribute == _UNIX_DIAG_ICONS:
            pending = struct.unpack(f"={len(value) // 4}I", value)
        elif attribute == _UNIX_DIAG_RQLEN:
            receive_queue, send_queue = struct.unpack("=II", value)
        elif attribute == _UNIX_DIAG_MEMINFO and len(value) >= 36:
            memory = _parse_memory(value, queued=2)
    return UnixSocket(kind, state, inode, path, peer, receive_queue, send_queue, pending, memory, file)


def _parse_memory(value: bytes, *, queued: int) -> SocketMemory:
    """The words of SK_MEMINFO (include/uapi/linux/sock_diag.h), of which *queued* counts what waits to be sent."""
    words = struct.unpack_from("=9I", value)
    return SocketMemory(words[0], words[1], words[3], words[queued], words[8])
