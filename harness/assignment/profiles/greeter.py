"""greeter: sends its text to whoever connects, and closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._base import CannotAsk, Judgement, ServerProfile, Standing
from harness.assignment.profiles._text import is_text, said
from harness.assignment.transport import STREAMS

_NOTHING_ASKED = "the program sends its text to whoever connects; nothing can be asked of it"


class Greeter(ServerProfile):
    """It need not read: a server that closes with input unread resets the connection (RFC 1122 section 4.2.2.13),
    so a client of it that sends may get an RST behind the text through no fault of the program.  Ours do not send,
    but for the one in the check that asks for the text to come before any RST.
    """

    name = "greeter"
    summary = "sends its text to whoever connects and closes first; ignores what it is sent"
    transports = STREAMS
    defaults: ClassVar[Mapping[str, object]] = {"closes": "server"}
    options = frozenset({"text"})
    speaks_first = True

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """Nothing: to connect is to ask."""
        if size is not None:
            raise CannotAsk(_NOTHING_ASKED)
        return b""

    def carry(self, data: bytes) -> bytes:
        """It carries nothing."""
        raise CannotAsk(_NOTHING_ASKED)

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """There is no request."""
        raise CannotAsk(_NOTHING_ASKED)

    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        """Whether *received* is the text; more may still come."""
        if is_text(received, self.contract.text):
            return Judgement(Standing.SETTLED)
        return Judgement(Standing.OWING, None, None, f"{said(self.contract.text)} is owed")

    def must_close(self, sent: bytes, *, eof_sent: bool) -> bool:
        """After its text, whatever the client does."""
        return self.contract.closes == "server" or eof_sent


PROFILE = Greeter()
