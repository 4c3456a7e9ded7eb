"""What the echo-like servers share: each byte comes back, in order, perhaps translated."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from harness.assignment.profiles._base import CannotAsk, Conversation, Judgement, ServerProfile, Standing
from harness.assignment.profiles._content import LONGEST_LINE, lines
from harness.assignment.profiles._difference import difference

_USUAL_SIZE = 32


class MirrorProfile(ServerProfile):
    """A server that owes the translation of every byte it is sent.

    If *by_lines*, a server that reads whole lines is right too: an unfinished line is
    owed only after the client's EOF, though it may come back before.  Under a contract by
    which the server closes first, it owes the first line, and then its end of the connection.
    """

    by_lines: ClassVar[bool] = True
    piecemeal: ClassVar[bool] = True
    options = frozenset({"closes"})

    def translate(self, data: bytes) -> bytes:
        """What comes back for *data*; as long as *data*, and byte by byte."""
        return data

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """Printable lines; too short a one has no room for the token."""
        if size is not None and size < 1:
            raise CannotAsk("a request ends with a line end, so it has at least one byte")
        if self.contract.closes == "server" and size is not None and size > LONGEST_LINE:
            raise CannotAsk("a server that closes after one line owes nothing for more than that")
        return lines(token, size or _USUAL_SIZE)

    def carry(self, data: bytes) -> bytes:
        """*data*, ended by a line end where the server may wait for one."""
        if self.by_lines:
            return data if data.endswith(b"\n") else data + b"\n"
        if not data:
            raise CannotAsk("an empty message does not exist on a stream")
        return data

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """Cut inside the first line."""
        if not self.by_lines:
            raise CannotAsk("whatever arrives is answered at once: there is no half request")
        end_of_line = request.find(b"\n")
        cut = min(len(request) // 2, len(request) if end_of_line < 0 else end_of_line)
        if cut < 1:
            raise CannotAsk("a request of one byte has no halves")
        return request[:cut], request[cut:]

    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        """Exact."""
        conversation = self.conversation()
        conversation.sent(sent)
        if eof_sent:
            conversation.finish()
        return conversation.received(received)

    def conversation(self) -> Conversation:
        """An incremental conversation: linear time, whatever the chunks."""
        return MirrorConversation(self)


class MirrorConversation(Conversation):
    """Compares as it goes; each byte is looked at once."""

    def __init__(self, profile: MirrorProfile) -> None:
        self._profile = profile
        self._whole_lines_only = profile.contract.framing == "line"
        self._mirrored = bytearray()
        self._one_line = profile.contract.closes == "server"
        self._due = 0
        self._came = 0
        self._wrong: Judgement | None = None

    def sent(self, data: bytes) -> None:
        """*data* goes to the server: it now owes its translation, up to the last line end."""
        if self._profile.by_lines:
            line_end = data.find(b"\n") if self._one_line else data.rfind(b"\n")
            if line_end >= 0 and not (self._one_line and self._due):
                self._due = len(self._mirrored) + line_end + 1
            self._mirrored += self._profile.translate(data)
        else:
            self._mirrored += self._profile.translate(data)
            self._due = len(self._mirrored)

    def finish(self) -> None:
        """The client's EOF: the unfinished line is owed as well."""
        if not (self._one_line and self._due):
            self._due = len(self._mirrored)

    def received(self, data: bytes = b"") -> Judgement:
        """*data* came back."""
        if self._wrong is not None:
            return self._wrong
        allowed = self._due if self._whole_lines_only else len(self._mirrored)
        if self._came + len(data) > allowed or not self._mirrored.startswith(data, self._came):
            self._wrong = self._mistake(data, allowed)
            return self._wrong
        self._came += len(data)
        if self._came < self._due:
            missing = self._due - self._came
            why = f"{missing} of the {self._due} bytes owed so far are still missing"
            return Judgement(Standing.OWING, self._owed(self._due), None, why)
        return Judgement(
            Standing.SETTLED, self._owed(self._due), None, f"all {self._due} bytes owed have come"
        )

    def _mistake(self, data: bytes, allowed: int) -> Judgement:
        agreed = _common_prefix(self._mirrored, self._came, min(allowed, len(self._mirrored)), data)
        offset = self._came + agreed
        if offset == allowed and self._mirrored.startswith(data[agreed : agreed + 1], offset):
            why = f"byte {offset} came back before its line was complete"
        else:
            why = difference(bytes(self._mirrored), offset, data[agreed:])
        return Judgement(
            Standing.WRONG, self._owed(allowed if offset >= self._due else self._due), offset, why
        )

    def _owed(self, length: int) -> Callable[[], bytes]:
        # What was sent is only ever added to, so the first *length* bytes stay what they are.
        return lambda: bytes(self._mirrored[:length])


def _common_prefix(owed: bytearray, start: int, stop: int, data: bytes) -> int:
    """How many bytes of *data* equal ``owed[start:stop]``, found by halving, not byte by byte."""
    low, high = 0, min(len(data), stop - start)
    while low < high:
        middle = (low + high + 1) // 2
        if owed.startswith(data[low:middle], start + low):
            low = middle
        else:
            high = middle - 1
    return low
