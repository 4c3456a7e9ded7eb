"""sink: reads until the client's EOF and prints how many bytes that were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._base import (
    CannotAsk,
    Conversation,
    Judgement,
    ServerProfile,
    Silence,
    Standing,
)
from harness.assignment.profiles._content import text
from harness.assignment.profiles._printed import Lines
from harness.assignment.transport import STREAMS

#: The usual sizes are two-digit numbers that no clock and no calendar shows, so that a time in front of the
#: count ("09:22:54 : Read 71 bytes", as the homework prints it) is not taken for it.
_SMALLEST, _SIZES = 61, 39


class Sink(ServerProfile):
    """The answer is a line that contains the count, on standard output or standard error, at the latest at exit.

    What it writes to the client, if anything, is left to it: its text does not speak of that.
    """

    name = "sink"
    summary = "reads until the client's EOF, prints a line with the number of bytes read, and ends"
    transports = STREAMS
    defaults: ClassVar[Mapping[str, object]] = {"lifetime": "one-client", "output": "either"}
    options = frozenset({"output"})
    outputs = ("either", "stdout", "stderr")
    prompt = False

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """Text of a length that tells it apart, unless *size* is given."""
        if size is not None and size < 1:
            raise CannotAsk("sending no byte at all is no request")
        return text(token, size or _SMALLEST + token % _SIZES)

    def carry(self, data: bytes) -> bytes:
        """*data* itself: every byte counts, whatever it is."""
        return data

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """Anywhere: nothing is owed before the client's EOF."""
        if len(request) < 2:
            raise CannotAsk("a request of one byte has no halves")
        return request[: len(request) // 2], request[len(request) // 2 :]

    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        """Of what is written to the client: anything."""
        return Judgement(Standing.SETTLED)

    def conversation(self) -> Conversation:
        """Nothing is owed over the connection."""
        return Silence()

    def printing(self) -> Conversation:
        """Waits for the count."""
        return _Count()


PROFILE = Sink()


class _Count(Lines):
    """Waits for a line in which the number of all bytes sent stands as a number of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._size = 0
        self._due = False
        self._found = False

    def sent(self, data: bytes) -> None:
        """They all count."""
        self._size += len(data)

    def finish(self) -> None:
        """From now on the count is owed."""
        self._due = True

    def line(self, line: bytes) -> None:
        """Not part of a longer number, of a time (12:71) or of an address (127.0.0.71)."""
        number = rb"(?<!\d)(?<!\d[:.])%d(?!\d|[:.]\d)" % self._size
        self._found = self._found or (self._due and re.search(number, line) is not None)

    def judge(self) -> Judgement:
        """Settled once the line has come."""
        if not self._due or self._found:
            return Judgement(Standing.SETTLED)
        return Judgement(Standing.OWING, None, None, f"no line with the number {self._size}")
