"""Looking at a descriptor of the program through a short-lived duplicate: pidfd_getfd(2).

The duplicate keeps the program's socket open: while we hold it, a close() of the program sends no
FIN and a dead program's port stays taken. Hence the context managers, held for some 20 us. Only
look: receiving, accepting, shutdown(2), F_SETFL and even SO_ERROR would act on the program's socket.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from harness.observe.lowlevel import duplicate_from
from harness.observe.procfs import Changed, descriptor_info, process_state

#: pidfd_open(2): a file descriptor for a thread rather than a process, since Linux 6.9.
_PIDFD_THREAD = os.O_EXCL


class Forbidden(Exception):
    """This process may not duplicate the program's descriptors (EPERM or ENOSYS)."""


class Unreachable(Exception):
    """The main thread has ended, and before Linux 6.9 only its descriptors could be duplicated."""


@contextlib.contextmanager
def borrowed(pid: int, fd: int, *, tid: int | None = None) -> Iterator[int]:
    """A duplicate of descriptor *fd* of process *pid*; *tid*: a thread of it that lives.

    Raises Changed when the descriptor is gone, Forbidden, or Unreachable.
    """
    try:
        duplicate = _duplicate(os.pidfd_open(pid), fd)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            raise Forbidden(str(error)) from None
        if error.errno not in (errno.EBADF, errno.ESRCH, errno.EINVAL):
            raise
        if tid is None or tid == pid or process_state(pid) != "Z":
            raise Changed(f"descriptor {fd} was closed") from None
        duplicate = _duplicate_from_thread(tid, fd)
    try:
        yield duplicate
    finally:
        os.close(duplicate)


def _duplicate(pidfd: int, fd: int) -> int:
    try:
        return duplicate_from(pidfd, fd)
    finally:
        os.close(pidfd)


def _duplicate_from_thread(tid: int, fd: int) -> int:
    try:
        return _duplicate(os.pidfd_open(tid, _PIDFD_THREAD), fd)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise Unreachable(str(error)) from None
        raise Changed(f"descriptor {fd} was closed") from None


@contextlib.contextmanager
def as_socket(duplicate: int) -> Iterator[socket.socket]:
    """View a borrowed descriptor as a socket object, without taking it over. OSError if it is none."""
    view = socket.socket(fileno=duplicate)
    try:
        yield view
    finally:
        view.detach()


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """Options of a program's socket, socket(7) and tcp(7); times in seconds, buffers in bytes.

    *linger*: None if off. *backlog*: of a listener the limit of its accept queue, else None.
    """

    domain: int
    type: int
    protocol: int
    nonblocking: bool
    close_on_exec: bool
    listening: bool
    reuse_address: bool
    reuse_port: bool
    keep_alive: bool
    broadcast: bool
    linger: int | None
    receive_timeout: float
    send_timeout: float
    receive_buffer: int
    send_buffer: int
    no_delay: bool | None
    v6_only: bool | None
    backlog: int | None


def socket_options(pid: int, fd: int) -> SocketOptions:
    """Options of descriptor *fd* of process *pid*.

    Raises Changed when it is gone, Forbidden without the right to look, OSError if it is no socket.
    """
    flags = next(
        (int(line.split()[1], 8) for line in descriptor_info(pid, fd) if line.startswith("flags:")), 0
    )
    with borrowed(pid, fd) as duplicate, as_socket(duplicate) as sock:

        def option(name: int) -> int:
            return sock.getsockopt(socket.SOL_SOCKET, name)

        on, seconds = struct.unpack("ii", sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        protocol = option(socket.SO_PROTOCOL)
        is_tcp = protocol == socket.IPPROTO_TCP
        listening = bool(option(socket.SO_ACCEPTCONN))
        backlog = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32) if is_tcp and listening else b""
        return SocketOptions(
            domain=sock.family,
            type=sock.type,
            protocol=protocol,
            nonblocking=bool(fcntl.fcntl(duplicate, fcntl.F_GETFL) & os.O_NONBLOCK),
            close_on_exec=bool(flags & os.O_CLOEXEC),
            listening=listening,
            reuse_address=bool(option(socket.SO_REUSEADDR)),
            reuse_port=bool(option(socket.SO_REUSEPORT)),
            keep_alive=bool(option(socket.SO_KEEPALIVE)),
            broadcast=bool(option(socket.SO_BROADCAST)),
            linger=seconds if on else None,
            receive_timeout=timeout_option(sock, socket.SO_RCVTIMEO),
            send_timeout=timeout_option(sock, socket.SO_SNDTIMEO),
            receive_buffer=option(socket.SO_RCVBUF),
            send_buffer=option(socket.SO_SNDBUF),
            no_delay=bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) if is_tcp else None,
            v6_only=bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
            if sock.family == socket.AF_INET6
            else None,
            backlog=struct.unpack_from("=I", backlog, 28)[0] if backlog else None,
        )


def timeout_option(sock: socket.socket, name: int) -> float:
    """SO_RCVTIMEO or SO_SNDTIMEO in seconds; 0: none."""
    seconds, microseconds = struct.unpack("=qq", sock.getsockopt(socket.SOL_SOCKET, name, 16))
    return float(seconds + microseconds / 1e6)
