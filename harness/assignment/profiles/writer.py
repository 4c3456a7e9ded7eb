"""writer: connects, writes so many bytes, closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._base import CannotAsk
from harness.assignment.profiles._client import ClientProfile, Hearing, Turn
from harness.assignment.transport import STREAMS, Transport


class Counting(Hearing):
    """Any bytes will do; only how many there are is judged, when the client has closed."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    @property
    def complete(self) -> bool:
        """Whether enough have come."""
        return self.came >= max(self.size, 1)

    def heard(self, chunk: bytes) -> list[Turn]:
        """Count."""
        self.came += len(chunk)
        if self.size and self.came > self.size and not self.wrong:
            self.offset = self.size
            self.wrong = f"more than the {self.size} bytes came that it was to write"
        return []


class Writer(ClientProfile):
    """The other side of ``sink``."""

    name = "writer"
    summary = "connects, writes contract.size bytes, and closes"
    transports = (*(t for t in STREAMS if t is not Transport.TCP_DUAL),)
    options = frozenset({"size"})
    placeholders = ("size",)
    defaults: ClassVar[Mapping[str, object]] = {}
    reads_input = False
    answered = False
    bulk = True

    def turn(self, token: int, size: int | None = None) -> Turn:
        """There are no turns: nothing is typed, nothing is answered."""
        raise CannotAsk("a writer is answered nothing")

    def telling(self, token: int) -> list[Turn]:
        """None."""
        return []

    def hearing(self) -> Hearing:
        """Counts."""
        return Counting(self.contract.size)

    def misprint(self, replies: object, output: bytes) -> str:
        """What it prints is its own affair."""
        return ""


PROFILE = Writer()
