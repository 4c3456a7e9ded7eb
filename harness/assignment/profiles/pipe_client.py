"""pipe-client: standard input to the socket, the socket to standard output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._client import ClientProfile, Turn
from harness.assignment.profiles._content import lines
from harness.assignment.transport import STREAMS, Transport

_USUAL_SIZE = 64


class PipeClient(ClientProfile):
    """What netcat does, with -N."""

    name = "pipe-client"
    summary = (
        "copies its standard input to the server and what the server sends to its standard output; "
        "half-closes at the end of its input, ends when the server closes"
    )
    transports = (*(t for t in STREAMS if t is not Transport.TCP_DUAL),)
    options = frozenset({"prints"})
    defaults: ClassVar[Mapping[str, object]] = {"prints": "exact", "on_fin": 0, "notices_fin": True}
    half_closes = True
    bulk = True

    def turn(self, token: int, size: int | None = None) -> Turn:
        """Some text for some text."""
        sent = lines(token, _USUAL_SIZE)
        return Turn(sent, sent, lines(token + 5000, size or _USUAL_SIZE))

    def telling(self, token: int) -> list[Turn]:
        """Text, then all byte values in either direction, both kinds of line ends, and no line end at the end."""
        sent, answered = bytes(range(256)) + b"one\r\ntwo\n", bytes(reversed(range(256))) + b"one\r\nthe end"
        return [self.turn(token), Turn(sent, sent, answered), self.turn(token + 1)]

    def bulky(self, token: int, size: int) -> Turn:
        """Much to send, little that comes back."""
        sent = lines(token, size)
        return Turn(sent, sent, lines(token + 5000, _USUAL_SIZE))


PROFILE = PipeClient()
