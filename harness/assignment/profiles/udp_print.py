"""udp-print: prints each datagram as a line; ends after the terminator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._base import CannotAsk, Conversation, DatagramProfile, Judgement, Standing
from harness.assignment.profiles._content import text
from harness.assignment.profiles._printed import Lines, introduces
from harness.assignment.transport import Transport

_USUAL_SIZE = 32
#: A text of fewer bytes could stand at the end of some other line by chance.
_SMALLEST = 12


class UdpPrint(DatagramProfile):
    """The text ends its line exactly; before it there may be what ``contract.prefix`` allows (a time, say).

    Other lines may be printed as well.  An empty datagram may be printed as an empty line or not at all.
    """

    name = "udp-print"
    summary = "prints each datagram as a line of text; ends after the terminator"
    transports = (Transport.UDP, Transport.UDP6, Transport.UNIX_DGRAM)
    defaults: ClassVar[Mapping[str, object]] = {
        "lifetime": "until-terminator",
        "terminator": "LastHello",
        "output": "either",
    }
    options = frozenset({"output", "terminator", "prefix"})
    outputs = ("either", "stdout", "stderr")
    smallest = _SMALLEST

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """Printable text; an empty datagram, or one long enough to be known again."""
        size = _USUAL_SIZE if size is None else size
        if 0 < size < _SMALLEST:
            raise CannotAsk(f"a text of fewer than {_SMALLEST} bytes is not known again among other lines")
        return self.carry(text(token, size))

    def carry(self, data: bytes) -> bytes:
        """*data*, if it is text that fits."""
        if len(data) > self.contract.max_datagram:
            raise CannotAsk(
                f"a datagram has from 0 to {self.contract.max_datagram} bytes here, not {len(data)}"
            )
        if not (data.isascii() and data.decode().isprintable()):
            raise CannotAsk("the program prints datagrams as lines of text, so they carry text only")
        return data

    def replies(self, request: bytes) -> list[bytes]:
        """None: the answer is printed."""
        return []

    def printing(self) -> Conversation:
        """Waits for the lines."""
        return _Texts(self.contract.prefix)


class _Texts(Lines):
    """Each text once, at the end of a line; in any order (RFC 768 promises none)."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix
        self._owed: Counter[bytes] = Counter()
        self._came: Counter[bytes] = Counter()
        #: The texts sent, by their last bytes.
        self._by_end: dict[bytes, list[bytes]] = {}
        self._twice: bytes | None = None

    def sent(self, data: bytes) -> None:
        """A line is owed for it, unless it is too short to be known again."""
        if len(data) < _SMALLEST:
            return
        self._owed[data] += 1
        alike = self._by_end.setdefault(data[-_SMALLEST:], [])
        if data not in alike:
            alike.append(data)

    def finish(self) -> None:
        """Datagrams have no end."""

    def line(self, line: bytes) -> None:
        """A text may have been sent, and so be printed, with a NUL at its end."""
        line = line.removesuffix(b"\0")
        for data in self._by_end.get(line[-_SMALLEST:], []):
            if line.endswith(data) and introduces(line[: -len(data)], self._prefix):
                self._came[data] += 1
                if self._came[data] > self._owed[data]:
                    self._twice = data

    def judge(self) -> Judgement:
        """Wrong if a line came too often; owing while one is missing."""
        if self._twice is not None:
            why = f"the line {self._twice[:48].decode()!r} came {self._came[self._twice]} times"
            return Judgement(
                Standing.WRONG, None, None, f"{why}; it was sent {self._owed[self._twice]} times"
            )
        missing = self._owed - self._came
        if not missing:
            return Judgement(Standing.SETTLED)
        first = next(iter(missing))
        more = f" and {missing.total() - 1} more" if missing.total() > 1 else ""
        shown = first[:48].decode() + ("..." if len(first) > 48 else "")
        why = f"no line that ends with {shown!r} ({len(first)} bytes){more}"
        return Judgement(Standing.OWING, None, None, why)


PROFILE = UdpPrint()
