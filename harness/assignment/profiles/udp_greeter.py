"""udp-greeter: answers any datagram with one line."""

from __future__ import annotations

from collections.abc import Sequence

from harness.assignment.profiles._base import CannotAsk, DatagramProfile
from harness.assignment.profiles._content import text
from harness.assignment.profiles._text import is_text
from harness.assignment.transport import Transport

_USUAL_SIZE = 1


class UdpGreeter(DatagramProfile):
    """One datagram with one line for each, whatever is in it, and be it empty (recv(2))."""

    name = "udp-greeter"
    summary = "answers any datagram with one line of text"
    transports = (Transport.UDP, Transport.UDP6)
    options = frozenset({"text"})
    foresees = False

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """One byte, as ruptime sends it, unless *size* is given."""
        size = _USUAL_SIZE if size is None else size
        if not 0 <= size <= self.contract.max_datagram:
            raise CannotAsk(f"a datagram has from 0 to {self.contract.max_datagram} bytes here, not {size}")
        return text(token, size)

    def carry(self, data: bytes) -> bytes:
        """*data* itself: any datagram will do."""
        return data

    def replies(self, request: bytes) -> list[bytes]:
        """One line, which nobody knows beforehand; :meth:`unmatched` judges it."""
        return [b""]

    def unmatched(self, owed: Sequence[bytes], came: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
        """One for one; a datagram that is not such a line is not owed."""
        right = [data for data in came if is_text(data, self.contract.text, one_line=True)]
        wrong = [data for data in came if not is_text(data, self.contract.text, one_line=True)]
        return list(owed[len(right) :]), wrong + right[len(owed) :]


PROFILE = UdpGreeter()
