"""line-client: a line of standard input is sent, the answer received and printed, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from harness.assignment.profiles._base import CannotAsk
from harness.assignment.profiles._client import ClientProfile, Turn
from harness.assignment.profiles._content import text
from harness.assignment.transport import STREAMS, Transport

_USUAL_SIZE = 40
#: Nobody would call it long, who has not made an array of 100.
_LONG_LINE = 200


class LineClient(ClientProfile):
    """The client of a chat: what it prints around an answer is its own affair.

    An answer is a line.  Whether the request ends with a line end on the wire is left open, unless
    ``contract.framing`` says how it ends.
    """

    name = "line-client"
    summary = "sends each line of its standard input, and prints the line that comes back for it"
    transports = (*(t for t in STREAMS if t is not Transport.TCP_DUAL),)
    framings = ("none", "line", "crlf")
    options = frozenset({"prints"})
    by_lines = True
    defaults: ClassVar[Mapping[str, object]] = {"prints": "among"}

    def telling(self, token: int) -> list[Turn]:
        """Long and short by turns, so that what is left of a longer line or answer shows."""
        return [
            self.line(token, asked=_USUAL_SIZE, answered=90),
            self.line(token + 1, asked=8, answered=9),
            self.line(token + 2, asked=70, answered=_USUAL_SIZE),
            self.line(token + 3, asked=12, answered=12),
        ]

    def turn(self, token: int, size: int | None = None) -> Turn:
        """One line for one line."""
        return self.line(token, asked=_USUAL_SIZE, answered=size or _USUAL_SIZE)

    def odd_line(self, token: int, which: str, ending: bytes) -> Turn:
        """The lines that a client mangles which takes a line for a word."""
        turn = self.turn(token)
        line = turn.typed.removesuffix(b"\n")
        end = turn.asked.removeprefix(line) or ending
        if which == "empty":
            if not end:
                raise CannotAsk(
                    "it sends its lines without their ends: of an empty one nothing is left on the wire"
                )
            return replace(turn, typed=b"\n", asked=end, endings=())
        if which == "long":
            return self.line(token, asked=_LONG_LINE, answered=_USUAL_SIZE)
        if which == "blanks":
            line = b"  " + line + b"  "
            return replace(turn, typed=line + b"\n", asked=line + turn.asked[len(line) - 4 :])
        return replace(turn, typed=line, asked=line, endings=(b"\n", b"\r\n"))

    def empty_answer(self, token: int) -> Turn:
        """The line end alone."""
        turn = self.turn(token)
        return replace(turn, reply=turn.reply[_USUAL_SIZE:])

    def line(self, token: int, *, asked: int, answered: int) -> Turn:
        """A line of *asked* bytes, and its answer of *answered*, line ends not counted."""
        line = text(token, asked)
        end = b"\r\n" if self.contract.framing == "crlf" else b"\n"
        reply = text(token + 5000, answered) + end
        if self.contract.framing == "none":
            return Turn(line + b"\n", line, reply, (b"\n", b"\r\n"))
        return Turn(line + b"\n", line + end, reply)


PROFILE = LineClient()
