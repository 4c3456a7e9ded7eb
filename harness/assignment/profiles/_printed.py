"""What a program prints, taken apart into lines."""

from __future__ import annotations

import re
from abc import abstractmethod

from harness.assignment.profiles._base import Conversation, Judgement

#: What stands before a text unless the contract says otherwise: nothing, or something that can be shown
#: (a time, a name, colours by escape sequences); never a NUL or another control character.
SHOWABLE = re.compile(rb"[^\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]*")

#: A line longer than this is not kept whole: what we ask for is far shorter.
LONGEST = 1 << 20


class Lines(Conversation):
    """Judges line by line; the last line counts without its line end if nothing can follow it."""

    def __init__(self) -> None:
        self._rest = b""

    @abstractmethod
    def line(self, line: bytes) -> None:
        """One complete *line*, without its line end."""

    @abstractmethod
    def judge(self) -> Judgement:
        """The judgement as it stands."""

    def received(self, data: bytes = b"") -> Judgement:
        """*data* was printed."""
        if data:
            *whole, self._rest = (self._rest + data).split(b"\n")
            self._rest = self._rest[-LONGEST:]
            for line in whole:
                self.line(line.removesuffix(b"\r"))
        return self.judge()

    def ended(self) -> None:
        """What was printed last is a line of its own, with or without a line end."""
        if self._rest:
            self.line(self._rest)
            self._rest = b""


def introduces(prefix: bytes, pattern: str) -> bool:
    """Whether *prefix* may stand before a text under ``contract.prefix``, *pattern*."""
    if not pattern:
        return SHOWABLE.fullmatch(prefix) is not None
    return re.fullmatch(pattern.encode(), prefix) is not None
