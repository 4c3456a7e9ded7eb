"""The transports: an axis of its own, beside the profile."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Families = Literal["ipv4", "ipv6", "both"]


class Transport(StrEnum):
    """What carries the dialogue; the values are public (assignment file, command line)."""

    TCP = "tcp"
    TCP6 = "tcp6"
    TCP_DUAL = "tcp-dual"
    """One TCP server, reached over IPv4 and over IPv6."""
    UNIX_STREAM = "unix-stream"
    UNIX_SEQPACKET = "unix-seqpacket"
    UNIX_DGRAM = "unix-dgram"
    UDP = "udp"
    UDP6 = "udp6"

    @property
    def is_tcp(self) -> bool:
        """Whether segments, ports and TIME_WAIT exist here."""
        return self in (Transport.TCP, Transport.TCP6, Transport.TCP_DUAL)

    @property
    def is_unix(self) -> bool:
        """Whether the address is a path and not a port (unix(7))."""
        return self in (Transport.UNIX_STREAM, Transport.UNIX_SEQPACKET, Transport.UNIX_DGRAM)

    @property
    def is_datagram(self) -> bool:
        """Whether there are no connections, only datagrams."""
        return self in (Transport.UDP, Transport.UDP6, Transport.UNIX_DGRAM)

    @property
    def keeps_boundaries(self) -> bool:
        """Whether one send arrives as one receive (datagrams and SOCK_SEQPACKET)."""
        return self.is_datagram or self is Transport.UNIX_SEQPACKET

    @property
    def families(self) -> Families:
        """The IP families a program speaks by default over this transport; of no meaning for UNIX."""
        if self is Transport.TCP_DUAL:
            return "both"
        return "ipv6" if self in (Transport.TCP6, Transport.UDP6) else "ipv4"

    @property
    def possible_families(self) -> tuple[Families, ...]:
        """The families a contract may ask for; there is no ``udp-dual``, so ``udp6`` may ask for both."""
        if self.is_unix:
            return ()
        return ("ipv6", "both") if self is Transport.UDP6 else (self.families,)


STREAMS = (Transport.TCP, Transport.TCP6, Transport.TCP_DUAL, Transport.UNIX_STREAM)
TCPS = (Transport.TCP, Transport.TCP6, Transport.TCP_DUAL)
INTERNET = (*TCPS, Transport.UDP, Transport.UDP6)
UNIXES = (Transport.UNIX_STREAM, Transport.UNIX_SEQPACKET, Transport.UNIX_DGRAM)
DATAGRAMS = (Transport.UDP, Transport.UDP6, Transport.UNIX_DGRAM)
