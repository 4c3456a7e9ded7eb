"""fetch: connects, and prints all that comes until the server closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._client import ClientProfile, Turn
from harness.assignment.profiles._content import lines
from harness.assignment.transport import Transport

_USUAL_SIZE = 100


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
        """Lines of text, for nothing."""
        return Turn(b"", b"", lines(token, size or _USUAL_SIZE))

    def telling(self, token: int) -> list[Turn]:
        """One connection, one text."""
        return [self.turn(token)]


PROFILE = Fetch()
