"""fetch: connects, and prints all that comes until the server closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._client import ClientProfile, Turn
from harness.assignment.profiles._content import lines
from harness.assignment.transport import Transport

_USUAL_SIZE, _LINES = 120, 4


class Fetch(ClientProfile):
    """The client of ``greeter``: ruptime."""

    name = "fetch"
    summary = "connects to the first address of the host that answers, and prints all that comes until the server closes"
    transports = (Transport.TCP, Transport.TCP6)
    options = frozenset({"prints"})
    defaults: ClassVar[Mapping[str, object]] = {"prints": "text", "resolves": True}
    reads_input = False
    greeted = True

    def turn(self, token: int, size: int | None = None) -> Turn:
        """Lines of text, for nothing; one begins with blanks, and an empty one follows it."""
        each = (size or _USUAL_SIZE) // _LINES
        first, second, *others = (lines(token + number, each) for number in range(_LINES))
        return Turn(b"", b"", b"".join((first, b"  ", second, b"\n", *others)))

    def telling(self, token: int) -> list[Turn]:
        """One connection, one text."""
        return [self.turn(token)]


PROFILE = Fetch()
