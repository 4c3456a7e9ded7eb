"""Where a program under test is asked to serve, and how our peers reach it."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace

_STREAMS = {"tcp", "tcp6", "tcp-dual", "unix-stream"}
_DATAGRAMS = {"udp", "udp6", "unix-dgram"}


@dataclass(frozen=True, slots=True)
class Address:
    """A port on an address of the loopback interface, or a path, for one transport.

    A *path* that begins with ``@`` stands for an abstract name (unix(7)), as in ss(8).
    """

    transport: str
    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def local(self) -> bool:
        """Whether this is a UNIX-domain address."""
        return self.transport.startswith("unix-")

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET, AF_INET6 or AF_UNIX, as a client of ours uses it."""
        if self.local:
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def type(self) -> socket.SocketKind:
        """SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET."""
        if self.transport in _STREAMS:
            return socket.SOCK_STREAM
        return socket.SOCK_DGRAM if self.transport in _DATAGRAMS else socket.SOCK_SEQPACKET

    @property
    def sockaddr(self) -> str | tuple[str, int]:
        """What connect() and bind() of the socket module take."""
        if self.local:
            return "\0" + self.path[1:] if self.path.startswith("@") else self.path
        return self.host, self.port

    def on(self, host: str) -> Address:
        """The same port on another address."""
        return replace(self, host=host)

    def on_port(self, port: int) -> Address:
        """Another port on the same address."""
        return replace(self, port=port)

    def placeholders(self) -> dict[str, str]:
        """Values for ``{host}``, ``{port}``, ``{path}`` and the ``{peer_...}`` of clients in a command line."""
        own = {"host": self.host, "port": str(self.port), "path": self.path}
        return {**own, "peer_host": self.host, "peer_port": str(self.port)}

    def __str__(self) -> str:
        if self.local:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
