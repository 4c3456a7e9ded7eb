"""sink-upper: writes what it receives, upper-cased, to its own standard output."""

from __future__ import annotations

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
from harness.assignment.profiles._content import lines
from harness.assignment.profiles._difference import difference
from harness.assignment.profiles._printed import SHOWABLE
from harness.assignment.transport import Transport

_USUAL_SIZE = 32
#: So many bytes in a row that were sent are no message of the program's own.
_TELLING = 8
#: By so many bytes the beginning of what is owed is found.
_BEGINNING = 16


class SinkUpper(ServerProfile):
    """ASCII letters only.  Messages of its own, whole lines, may stand before and after what it was sent."""

    name = "sink-upper"
    summary = (
        "writes what its client sends, ASCII letters in upper case, to its own standard output, and ends"
    )
    transports = (Transport.UNIX_STREAM,)
    defaults: ClassVar[Mapping[str, object]] = {"lifetime": "one-client", "output": "stdout"}
    options = frozenset({"output"})
    outputs = ("stdout", "stderr")
    prompt = False

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """Printable lines."""
        if size is not None and size < 1:
            raise CannotAsk("sending no byte at all is no request")
        return lines(token, size or _USUAL_SIZE)

    def carry(self, data: bytes) -> bytes:
        """*data* itself."""
        return data

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """Anywhere: what is printed may be judged only at the end."""
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
        """Compares what is printed."""
        return _Copy()


PROFILE = SinkUpper()


class _Copy(Conversation):
    """The bytes owed, in one piece; before and after them whole lines that can be shown and are none of ours."""

    def __init__(self) -> None:
        self._owed = bytearray()
        self._printed = bytearray()
        self._begins: int | None = None
        self._same = 0
        self._due = False

    def sent(self, data: bytes) -> None:
        """Owed in upper case."""
        self._owed += data.upper()

    def finish(self) -> None:
        """From now on all of it is owed."""
        self._due = True

    def received(self, data: bytes = b"") -> Judgement:
        """*data* was printed."""
        self._printed += data
        if not self._due or not self._owed:  # judged once it is known what is owed: a message may begin alike
            return Judgement(Standing.SETTLED)
        if self._begins is None:
            self._begins = self._beginning()
        if self._begins is None:
            return Judgement(
                Standing.OWING, None, None, f"nothing of the {len(self._owed)} bytes it was sent"
            )
        came = len(self._printed) - self._begins
        fresh = self._printed[self._begins + self._same : self._begins + min(came, len(self._owed))]
        if not self._owed.startswith(fresh, self._same):
            agreed = next(i for i, byte in enumerate(fresh) if byte != self._owed[self._same + i])
            offset = self._same + agreed
            why = difference(bytes(self._owed), offset, bytes(fresh[agreed:]))
            return Judgement(Standing.WRONG, bytes(self._owed), offset, why)
        self._same += len(fresh)
        if self._same < len(self._owed):
            why = f"{self._same} of the {len(self._owed)} bytes it was sent"
            return Judgement(Standing.OWING, None, None, why)
        rest = bytes(self._printed[self._begins + len(self._owed) :])
        if not self._is_message(rest):
            why = difference(bytes(self._owed), len(self._owed), rest)
            return Judgement(Standing.WRONG, bytes(self._owed), len(self._owed), why)
        return Judgement(Standing.SETTLED)

    def _beginning(self) -> int | None:
        """Where, at the beginning of a line, the bytes owed begin."""
        wanted = bytes(self._owed[:_BEGINNING])
        at = 0
        while at < len(self._printed):
            if self._printed.startswith(wanted, at):
                return at
            line_end = self._printed.find(b"\n", at)
            if line_end < 0:
                return None
            at = line_end + 1
        return None

    def _is_message(self, rest: bytes) -> bool:
        if not rest:
            return True
        if not self._owed.endswith(b"\n") and not rest.startswith(b"\n"):
            return False
        if SHOWABLE.fullmatch(rest) is None:
            return False
        windows = (rest[at : at + _TELLING] for at in range(max(0, len(rest) - _TELLING + 1)))
        return not any(window.strip() and window in self._owed for window in windows)
