"""Our end of a datagram conversation (UDP, UNIX datagram)."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

from harness.verdict.timeline import Timeline

#: Larger than any UDP datagram over IPv4 (65507, udp(7)) or IPv6, so that nothing is cut by us.
LARGEST = 1 << 16

#: Asked for on our receive buffer, so that replies are dropped by the program's socket or not at all.
RECEIVE_BUFFER = 1 << 22

SO_RCVBUFFORCE = 33  # socket(7); needs CAP_NET_ADMIN, which we have in a network of our own


@dataclass(frozen=True, slots=True)
class Datagram:
    """One datagram that came back, and the address it came from."""

    data: bytes
    source: object


class DatagramPeer:
    """An unconnected datagram socket of ours: it sees every reply, whoever sends it."""

    def __init__(self, name: str, sock: socket.socket, timeline: Timeline) -> None:
        self.name = name
        self.socket = sock
        self.timeline = timeline
        self.inbox: list[Datagram] = []
        self.sent = 0
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except OSError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    @property
    def moved(self) -> int:
        """Datagrams moved so far, both directions."""
        return self.sent + len(self.inbox)

    def send(self, data: bytes, to: str | tuple[str, int]) -> None:
        """Send one datagram; loopback takes it at once or refuses it with an error of ours."""
        self.socket.sendto(data, to)
        self.sent += 1

    def pump(self) -> int:
        """Take in every datagram that has arrived; how many."""
        before = len(self.inbox)
        while True:
            try:
                data, source = self.socket.recvfrom(LARGEST)
            except BlockingIOError:
                break
            except ConnectionRefusedError:
                continue  # an ICMP error of an earlier datagram (ip(7)); the next call reads on
            self.inbox.append(Datagram(data, source))
        return len(self.inbox) - before

    def close(self) -> None:
        """Close the socket; idempotent."""
        with contextlib.suppress(OSError):
            self.socket.close()
