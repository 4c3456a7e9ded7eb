"""chat: each line of a member goes to all the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._base import (
    Audience,
    CannotAsk,
    Conversation,
    Judgement,
    ServerProfile,
    Silence,
    Standing,
)
from harness.assignment.profiles._content import text
from harness.assignment.profiles._printed import introduces
from harness.assignment.transport import STREAMS

_USUAL_SIZE = 32
#: People type; a server may bound what it keeps for a member who is slow to read.
_MOST = 128 << 10
#: Length of a line of a request that is too long for one line; a prime.
_SHORT_LINE = 199


class Chat(ServerProfile):
    """What the others get is a line that ends with the text exactly; before the text there may be what
    ``contract.prefix`` allows.  Other lines (a welcome, who has come and gone) may be sent as well
    (docs/decisions/0006-answers-that-are-not-sent-back.md).
    """

    name = "chat"
    summary = "passes on each line of a member to all the other members"
    transports = STREAMS
    defaults: ClassVar[Mapping[str, object]] = {
        "concurrency": "concurrent",
        "framing": "line",
        "self_echo": "forbidden",
    }
    options = frozenset({"prefix", "join", "leave", "self_echo", "verbatim", "longest_line"})
    framings = ("line", "crlf")

    @property
    def audience(self) -> Audience:
        """The other members."""
        return Audience.OTHERS

    @property
    def line_end(self) -> bytes:
        """What ends a line that a member sends."""
        return b"\r\n" if self.contract.framing == "crlf" else b"\n"

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """One line, or several short ones if it would be too long."""
        size = _USUAL_SIZE if size is None else size
        end = self.line_end
        if not len(end) < size <= _MOST:
            raise CannotAsk(f"a chat is not asked to carry {size} bytes at once: people type its lines")
        if size <= self.contract.longest_line:
            return text(token, size - len(end)) + end
        content = bytearray(text(token, size))
        for at in range(_SHORT_LINE - len(end), size - 2 * len(end), _SHORT_LINE):
            content[at : at + len(end)] = end
        content[-len(end) :] = end
        return bytes(content)

    def carry(self, data: bytes) -> bytes:
        """*data*, if it is printable text."""
        line = data.removesuffix(b"\n")
        if not (line.isascii() and line.decode().isprintable()):
            raise CannotAsk("a chat carries lines of text, not any bytes")
        return line + self.line_end

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """Cut inside the first line."""
        cut = min(len(request), request.find(self.line_end)) // 2
        if cut < 1:
            raise CannotAsk("a line without text has no halves")
        return request[:cut], request[cut:]

    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        """Of what a member gets, apart from the others' lines: anything."""
        return Judgement(Standing.SETTLED)

    def conversation(self) -> Conversation:
        """A connection by itself says nothing; all of a room together do."""
        return Silence()

    def passes_on(self, line: bytes, said: bytes) -> bool:
        """Whether *line*, as another member got it, passes on the text *said*; both without line end."""
        return line.endswith(said) and introduces(line[: len(line) - len(said)], self.contract.prefix)

    def speaker(self, line: bytes, said: bytes) -> str | None:
        """The id of the member who said *said*, by the first group of ``contract.prefix``."""
        found = re.fullmatch(self.contract.prefix.encode(), line[: len(line) - len(said)])
        return found[1].decode(errors="replace") if found is not None and found.lastindex else None

    def announces(self, line: bytes, event: str) -> bool:
        """Whether *line* says that somebody has joined or left (*event* is ``"join"`` or ``"leave"``)."""
        pattern = str(getattr(self.contract, event))
        return bool(pattern) and re.fullmatch(pattern.encode(), line) is not None


PROFILE = Chat()
