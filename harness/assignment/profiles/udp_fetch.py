"""udp-fetch: sends one byte, prints the one datagram that comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from harness.assignment.profiles._client import ClientProfile, Turn
from harness.assignment.profiles._content import lines, text
from harness.assignment.transport import Transport

_USUAL_SIZE = 80


class UdpFetch(ClientProfile):
    """The client of ``udp-greeter``: ruptime by datagrams."""

    name = "udp-fetch"
    summary = "sends a datagram of one byte, and prints the datagram that comes back"
    transports = (Transport.UDP, Transport.UDP6)
    options = frozenset({"prints"})
    # "Prints the datagram that comes back", of which no text says how long it is: a kilobyte, with a NUL behind it, is what
    # programs of this kind have room for, a line of text by far less.
    defaults: ClassVar[Mapping[str, object]] = {"prints": "text", "resolves": True, "max_datagram": 999}
    reads_input = False
    asks_once = True

    def turn(self, token: int, size: int | None = None) -> Turn:
        """A line of text for whichever byte; one of a given size without a line end, whose loss would be no loss
        (`ClientProfile.misprint`)."""
        return Turn(b"", b"?", lines(token, _USUAL_SIZE) if size is None else text(token, size))

    def telling(self, token: int) -> list[Turn]:
        """It asks once."""
        return [self.turn(token)]

    def accepts(self, turn: Turn, datagram: bytes) -> bool:
        """Which byte it is, nobody says."""
        return len(datagram) == 1

    def made_up(self, replies: Sequence[bytes], odd: Sequence[bytes], output: bytes) -> str:
        """A datagram that is no longer than agreed is printed whole; of a longer one the beginning will do."""
        sent = b"".join((*replies, *odd))
        if len(sent) <= self.contract.max_datagram or not sent.startswith(output.rstrip(b"\r\n")):
            return self.misprint([sent], output)
        return ""


PROFILE = UdpFetch()
