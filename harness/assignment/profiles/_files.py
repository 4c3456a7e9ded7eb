"""What the servers of files share: a GET for each request, and an oracle that knows every file.

A reply cannot repeat the request, so what tells answers apart is which file was asked for: there is one for
each token and size, made when it is first asked for, on whatever shelf the profile was furnished with.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from harness.assignment.profiles._base import CannotAsk, Conversation, Judgement, ServerProfile, Standing
from harness.assignment.profiles._content import text
from harness.assignment.profiles._difference import difference
from harness.assignment.profiles._reply import Reply
from harness.assignment.transport import TCPS

#: Requests with different tokens ask for different files, up to so many.
FILES = 251
_USUAL_SIZE = 64
_END_OF_REQUEST = b"\r\n\r\n"
#: A server that ends may turn away a request that it has not read to its end (RFC 9110 sections 15.5.9 and 15.6.4).
_TURNED_AWAY = (408, 503)


class Shelf(Protocol):
    """Where the files are that the server hands out."""

    def put(self, name: str, content: bytes) -> None:
        """Let there be a readable file *name* with this *content*; idempotent."""

    def get(self, name: str) -> bytes | None:
        """The content of the readable file *name*; None if there is none."""


class Bare:
    """A shelf that exists in memory only: for a profile that no server stands behind."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        """As in Shelf."""
        self._files[name] = content

    def get(self, name: str) -> bytes | None:
        """As in Shelf."""
        return self._files.get(name)


class FileServerProfile(ServerProfile):
    """A server that is given a port and a directory, and answers ``GET /NAME`` with the file NAME."""

    transports = TCPS
    placeholders = ("root",)
    framings = ("crlf",)
    long_requests: ClassVar[bool] = False
    #: HTTP does not, and Node's http module for one takes the FIN for the end of interest (httpAllowHalfOpen).
    answers_after_fin: ClassVar[bool] = False
    defaults: ClassVar[Mapping[str, object]] = {
        "bind": "localhost",
        "closes": "server",
        "framing": "crlf",
        "drain": "finish-current",
    }
    options = frozenset(
        {
            "closes",
            "head",
            "keep_alive",
            "pipelined",
            "percent_decoding",
            "symlinks",
            "other_methods",
            "unreadable",
            "target",
        }
    )

    shelf: Shelf = Bare()

    def furnished(self, shelf: Shelf) -> Self:
        """This profile, with its files on *shelf*."""
        bound = copy.copy(self)
        bound.shelf = shelf
        return bound

    def get(self, name: str, *headers: str, method: str = "GET", close: bool = True) -> bytes:
        """The request for the file *name* (percent-encoded where that is wanted).

        *close*: whether the client says ``Connection: close``.
        """
        slash = "/" if self.contract.target == "slash" else ""
        lines = [f"{method} {slash}{name} HTTP/1.1", "Host: localhost", *headers]
        if close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """A GET of a text file of *size* bytes that begins with the token."""
        content = text(token % FILES, _USUAL_SIZE if size is None else size)
        name = f"{token % FILES}-{len(content)}.txt"
        self.shelf.put(name, content)
        return self.get(name, close=self.one_request)

    def carry(self, data: bytes) -> bytes:
        """A GET of a file that consists of *data*; what can stand in a header line stands there as well."""
        name = f"{hashlib.sha256(data).hexdigest()[:12]}.bin"
        self.shelf.put(name, data)
        harmless = data and all(0x20 < byte < 0x7F for byte in data)
        headers = [f"User-Agent: {data.decode()}"] if harmless else []
        return self.get(name, *headers, close=self.one_request)

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """Cut inside the value of the first header line."""
        colon = request.find(b":")
        if colon < 0 or not request.endswith(_END_OF_REQUEST):
            raise CannotAsk("a request without header lines has no halves")
        return request[: colon + 5], request[colon + 5 :]

    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        """Exact on status and body; of the head, only that it is one."""
        conversation = self.conversation()
        conversation.sent(sent)
        if eof_sent:
            conversation.finish()
        return conversation.received(received)

    def must_close(self, sent: bytes, *, eof_sent: bool) -> bool:
        """After its reply, if the contract has the server close first."""
        return eof_sent or (self.one_request and _END_OF_REQUEST in sent)

    def conversation(self) -> Conversation:
        """Incremental."""
        return _Conversation(self)

    def owed(self, request: bytes) -> bytes | None:
        """The file that *request* asks for; None if there is none of that name."""
        words = request.split(b"\r\n", 1)[0].split(b" ")
        return self.shelf.get(words[1].removeprefix(b"/").decode("latin-1")) if len(words) == 3 else None


@dataclass
class _Answer:
    """What is owed for one request, and what of it has come."""

    content: bytes
    reply: Reply
    came: int = 0

    @property
    def complete(self) -> bool:
        """All of it has come."""
        return (
            self.reply.complete_head
            and self.came == len(self.content)
            and self.reply.chunked == self.reply.ended
        )

    @property
    def expected(self) -> Callable[[], bytes] | None:
        """All the bytes of this answer; unknown as long as its head is the server's to choose."""
        if not self.reply.complete_head or self.reply.chunked:
            return None
        return lambda: self.reply.head + self.content


class _Conversation(Conversation):
    """Compares as it goes."""

    def __init__(self, profile: FileServerProfile) -> None:
        self._profile = profile
        self._sent = bytearray()
        self._parsed = 0
        self._answers: list[_Answer] = []
        self._done = 0
        self._early = bytearray()
        self._wrong: Judgement | None = None

    def sent(self, data: bytes) -> None:
        """*data* goes to the server; with its blank line a request is owed its answer."""
        self._sent += data
        while (end := self._sent.find(_END_OF_REQUEST, self._parsed)) >= 0:
            request = bytes(self._sent[self._parsed : end])
            self._parsed = end + len(_END_OF_REQUEST)
            content = self._profile.owed(request)
            if content is not None and not (self._answers and self._profile.one_request):
                self._answers.append(_Answer(content, Reply()))

    def finish(self) -> None:
        """The client's EOF changes nothing: half a request is owed nothing."""

    def received(self, data: bytes = b"") -> Judgement:
        """*data* came back."""
        while data and self._wrong is None:
            data = self._take(data)
        if self._wrong is not None:
            return self._wrong
        if self._early:
            return Judgement(Standing.OWING, None, None, "the request was turned away before it was complete")
        if self._done == len(self._answers):
            last = self._answers[-1].expected if self._done == 1 else None
            return Judgement(Standing.SETTLED, last, None, "all that is owed has come")
        answer = self._answers[self._done]
        missing = len(answer.content) - answer.came
        why = f"{missing} of {len(answer.content)} bytes of the file are still missing"
        return Judgement(Standing.OWING, answer.expected if self._done == 0 else None, None, why)

    def _take(self, data: bytes) -> bytes:
        """Judge *data* up to the end of an answer; what is left of it."""
        if self._done == len(self._answers):
            return self._beyond(data)
        answer = self._answers[self._done]
        reply = answer.reply
        body = reply.feed(data)
        if reply.error is not None:
            self._mistake(f"this is no HTTP reply: {reply.error}")
            return b""
        if not reply.complete_head:
            return b""
        if reply.status != 200:
            self._mistake(f"the answer is {reply.line}, though the file is there and may be read")
            return b""
        belongs = len(answer.content) - answer.came
        own, rest = (body, b"") if reply.chunked else (body[:belongs], body[belongs:])
        if len(own) > belongs or not answer.content.startswith(own, answer.came):
            agreed = next(
                (n for n, byte in enumerate(own[:belongs]) if byte != answer.content[answer.came + n]),
                belongs,
            )
            place = answer.came + agreed
            why = f"in the body, {difference(answer.content, place, own[agreed:])}"
            self._mistake(why, answer.expected, len(reply.head) + place)
            return b""
        answer.came += len(own)
        if answer.complete:
            self._done += 1
        return rest

    def _beyond(self, data: bytes) -> bytes:
        if self._answers and self._profile.one_request and not data.strip(b"\r\n"):
            return b""  # a line end after the file: wrong, but http/get-exact says so, and not every check
        if self._answers:
            last = self._answers[-1]
            offset = len(last.reply.head) + len(last.content)
            self._mistake("more came than the file holds", last.expected if self._done == 1 else None, offset)
            return b""
        self._early += data
        line = bytes(self._early[:12])
        if not any(
            f"HTTP/1.{minor} {status}".encode().startswith(line)
            for minor in (0, 1)
            for status in _TURNED_AWAY
        ):
            self._mistake("an answer came before the blank line that ends the request")
        return b""

    def _mistake(
        self, why: str, expected: Callable[[], bytes] | None = None, offset: int | None = None
    ) -> None:
        self._wrong = Judgement(Standing.WRONG, expected, offset, why)
