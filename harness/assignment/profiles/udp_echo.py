"""udp-echo: one datagram back for each."""

from __future__ import annotations

from harness.assignment.profiles._base import CannotAsk, DatagramProfile
from harness.assignment.profiles._content import text
from harness.assignment.transport import Transport

_USUAL_SIZE = 32


class UdpEcho(DatagramProfile):
    """An empty datagram is a datagram, and comes back like any other (recv(2), udp(7))."""

    name = "udp-echo"
    summary = "sends each datagram back to where it came from"
    transports = (Transport.UDP, Transport.UDP6, Transport.UNIX_DGRAM)

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """Printable text; one too short has no room for the token."""
        return self.carry(text(token, self._fitting(_USUAL_SIZE if size is None else size)))

    def carry(self, data: bytes) -> bytes:
        """*data* itself."""
        self._fitting(len(data))
        return data

    def replies(self, request: bytes) -> list[bytes]:
        """The same again."""
        return [request]

    def _fitting(self, size: int) -> int:
        if not 0 <= size <= self.contract.max_datagram:
            raise CannotAsk(f"a datagram has from 0 to {self.contract.max_datagram} bytes here, not {size}")
        return size


PROFILE = UdpEcho()
