"""Connecting to a program that is known to listen."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from harness.stage.address import Address
from harness.verdict.outcome import Violation

if TYPE_CHECKING:
    from harness.stage.instance import Instance


def open_socket(address: Address, *, receive_buffer: int | None = None) -> socket.socket:
    """A non-blocking socket of the right kind; *receive_buffer* in bytes (SO_RCVBUF) must precede connect (tcp(7))."""
    sock = socket.socket(address.family, address.type)
    sock.setblocking(False)
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if not address.local and address.type == socket.SOCK_STREAM:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def try_connect(sock: socket.socket, address: Address) -> int:
    """Start to connect; 0, or the errno (ECONNREFUSED, EINPROGRESS: the accept queue is full, ...).

    On loopback the handshake is done when connect() returns, though it says EINPROGRESS.
    """
    error = sock.connect_ex(address.sockaddr)
    return 0 if error == errno.EINPROGRESS and _connected(sock, address) else error


def connect(instance: Instance, name: str, address: Address, receive_buffer: int | None) -> socket.socket:
    """A connected socket; a refusal, or an accept queue that stays full, is the program's fault.

    EINPROGRESS (TCP) and EAGAIN (UNIX) mean that the accept queue is full: TCP then tries again after a second by itself (tcp(7)), and we wait with it.
    """
    sock = open_socket(address, receive_buffer=receive_buffer)
    instance.oracle.names[sock] = name
    instance.oracle.peers.add(sock)
    try:
        error = try_connect(sock, address)
        while error in (errno.EINPROGRESS, errno.EALREADY, errno.EAGAIN):
            if instance.program.frozen:
                raise _queue_full(instance, name)
            retry = sock if error != errno.EAGAIN else None
            settled = instance.until(lambda: _connected(sock, address), writable=[sock] if retry else ())
            if _connected(sock, address):
                return sock
            if not instance.queue_is_full(address):
                error = try_connect(sock, address)
                continue
            raise _queue_full(instance, name, settled.reasons())
        if error not in (0, errno.EISCONN):
            raise Violation(
                f"{name} could not connect to {address}: {errno.errorcode.get(error, error)}. {instance.condition()}",
                kind="refused",
                errno=errno.errorcode.get(error, str(error)),
                **instance.facts(),
            )
    except BaseException:
        instance.oracle.peers.discard(sock)
        sock.close()
        raise
    return sock


def _connected(sock: socket.socket, address: Address) -> bool:
    """Whether it is connected by now; over UNIX this tries once more, since the kernel does not go on by itself.

    A UNIX socket that is connected is not tried: with a queue that is full again behind it, connect() says EAGAIN,
    not EISCONN (unix_stream_connect() in Linux looks at the queue first).
    """
    try:
        sock.getpeername()
    except OSError:
        return address.local and sock.connect_ex(address.sockaddr) == 0
    return True


def _queue_full(instance: Instance, name: str, reasons: list[str] | None = None) -> Violation:
    limit = instance.backlog()
    queue = (
        f"the queue of the listening socket (its backlog is {limit})"
        if limit is not None
        else "its accept queue"
    )
    return Violation(
        f"{name} could not connect: {queue} is full and nobody accepts. " + " ".join(reasons or []),
        kind="queue-full",
        backlog=limit,
        **instance.facts(),
    )
