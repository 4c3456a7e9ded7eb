"""A listening socket of ours: where a client under test arrives."""

from __future__ import annotations

import contextlib
import os
import socket

#: Clients that may wait in our queue.
BACKLOG = 16


class Listener:
    """A bound socket that listens when it is told to; never blocks.

    *receive_buffer* in bytes is inherited by the connections (tcp(7)): a small one makes a small window.
    """

    def __init__(
        self, family: socket.AddressFamily, where: str | tuple[str, int], *, receive_buffer: int | None = None
    ) -> None:
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        try:
            if receive_buffer is not None:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if family != socket.AF_UNIX:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(where)
            if isinstance(where, str):
                os.chmod(
                    where, 0o777
                )  # connecting takes the right to write to it, and the program is another user
        except BaseException:
            self.socket.close()
            raise

    def listen(self) -> None:
        """From now on clients are let in (listen(2))."""
        self.socket.listen(BACKLOG)

    def accept(self) -> socket.socket | None:
        """The next connection, non-blocking; None if nobody waits."""
        try:
            connection, _ = self.socket.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return None
        except OSError:  # it does not listen (yet, or any more)
            return None
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def close(self) -> None:
        """Close; clients that come now are refused. Idempotent."""
        with contextlib.suppress(OSError):
            self.socket.close()
