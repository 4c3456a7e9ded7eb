"""The words of the http checks: visits to a server of files, and what may come of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.assignment.profiles._difference import difference
from harness.assignment.profiles._files import FileServerProfile
from harness.assignment.profiles._reply import Reply
from harness.observe.procfs import status_field
from harness.sizes import BIG, TINY_WINDOW
from harness.stage import findings
from harness.stage.documents import DocumentRoot
from harness.stage.server import Server
from harness.verdict.outcome import Inconclusive, Violation
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.observe.settle import Settled
    from harness.stage.client import Client

#: Capabilities by which a file's permission bits mean nothing (capabilities(7)): CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH.
_ABOVE_PERMISSIONS = 1 << 1 | 1 << 2

_STATUS_LINE = re.compile(rb"\nHTTP/1\.[01] [1-5][0-9]{2} ")
_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")


#: Ways out of the root, to a file FILE beside it; ABOVE is the directory that holds both.
WAYS_OUT = {
    "dot-dot": "../FILE",
    "after-a-name": "inner/../../FILE",
    "after-a-dot": "./../FILE",
    "encoded-dots": "%2e%2e/FILE",
    "one-encoded-dot": ".%2e/FILE",
    "encoded-slash": "..%2fFILE",
    "all-encoded": "%2e%2e%2fFILE",
    "encoded-twice": "%252e%252e%252fFILE",
    "doubled": "....//FILE",
    "backslash": "..\\FILE",
    "absolute": "ABOVE/FILE",
    "two-slashes": "/ABOVE/FILE",
    "same-beginning": "../www-private/FILE",
}


class Web:
    """A server of files, with the directory that it hands out."""

    def __init__(self, server: Server) -> None:
        assert server.stage.documents is not None and isinstance(server.profile, FileServerProfile)
        self.server = server
        self.documents: DocumentRoot = server.stage.documents
        self.profile: FileServerProfile = server.profile

    def put(self, name: str, content: bytes) -> None:
        """Put a file into the directory."""
        self.documents.put(name, content)

    # -- asking --------------------------------------------------------------------------------

    def client(self, *, lazy: bool = False) -> Client:
        """A client that is connected and says nothing yet; a *lazy* one has a tiny receive buffer."""
        return self.server.client(receive_buffer=TINY_WINDOW if lazy else None)

    def begin(self, name: str, *, lazy: bool = False) -> Visit:
        """Ask for a file and read nothing yet."""
        client = self.client(lazy=lazy)
        client.send_unjudged(self.profile.get(name))
        return Visit(self, client)

    def get(self, name: str, *headers: str, method: str = "GET", close: bool = True) -> Visit:
        """Ask for the file *name*, percent-encoded as it is, and read what comes."""
        return self.send(self.profile.get(name, *headers, method=method, close=close))

    def send(self, *requests: bytes, finish: bool = False) -> Visit:
        """Send *requests*, each when the one before was read, and read what comes; *finish*: the last is followed by a FIN."""
        client = self.client()
        for request in requests:
            client.send_unjudged(request)
            client.wait_until_read()
        if finish:
            client.finish_sending()
        return Visit(self, client, "HEAD" if requests[0].startswith(b"HEAD ") else "GET").read()

    def go_out(self, way: str, file: str) -> Visit:
        """Ask for *file* beside the root, by one of WAYS_OUT."""
        if not (self.documents.root / "inner").exists():
            self.documents.directory("inner")
        path = WAYS_OUT[way].replace("ABOVE", str(self.documents.above)).replace("FILE", file)
        return self.get(path)

    def require_permissions(self) -> None:
        """The permission bits of a file mean something to the program."""
        capable = int(status_field(self.server.program.pid, "CapEff") or "0", 16)
        if capable & _ABOVE_PERMISSIONS:
            raise Inconclusive("the program runs with the rights of root here, and so may read every file")

    def lazy_visit(self) -> tuple[Visit, str]:
        """A visit whose large answer is under way to a client that does not read; and the name of the file."""
        request = self.profile.request(self.server.next_token(), BIG)
        name = request.split(b" ", 2)[1].decode().removeprefix("/")
        visit = self.begin(name, lazy=True)
        visit.client.fill()
        return visit, name


class Visit:
    """One connection: what was asked on it, and what came back."""

    def __init__(self, web: Web, client: Client, method: str = "GET") -> None:
        self.web = web
        self.client = client
        self._method = method
        self._settled: Settled | None = None
        self._reply: Reply | None = None
        self._body = b""

    def read(self) -> Visit:
        """Read until the connection is over, or nothing more comes; leave when it is over.

        A server that closes first does well to wait for our FIN before it serves the next (RFC 9112 section 9.6).
        """
        self._settled = self.client.read_to_the_end()
        self._reply = None
        if self.client.peer.over and not self.client.closed:
            self.client.leave_unread()
        return self

    @property
    def raw(self) -> bytes:
        """Everything that came."""
        return bytes(self.client.received)

    @property
    def reply(self) -> Reply:
        """The reply; that there is none with a complete head is a violation."""
        if self._reply is not None:
            return self._reply
        reply = Reply(self._method)
        self._body = reply.feed(self.raw)
        if reply.error is not None:
            raise Violation(
                f"what {self.client.name} got is no HTTP reply ({reply.error}): {literal(self.raw)}",
                kind="no-http",
            )
        if not reply.complete_head:
            raise self._no_reply()
        self._reply = reply
        return reply

    @property
    def body(self) -> bytes:
        """What came after the head."""
        assert self.reply.complete_head
        return self._body

    def _condition(self) -> str:
        return self.web.server.condition(self._settled)

    def _no_reply(self) -> Violation:
        how = (
            "reset the connection (RST)"
            if self.client.peer.reset
            else "closed the connection"
            if self.client.peer.over
            else "sent nothing more"
        )
        got = (
            f"got {literal(self.raw)}, which has no blank line after the head"
            if self.raw
            else "got no answer"
        )
        kind = "reset" if self.client.peer.reset else "closed-early" if self.client.peer.over else "no-reply"
        return Violation(
            f"{self.client.name} {got}; the program {how}. {self._condition()}",
            kind=kind,
            **self.web.server.facts(),
        )

    # -- expectations --------------------------------------------------------------------------

    def expect_status(self, *statuses: int) -> None:
        """The answer has one of these statuses."""
        if self.reply.status not in statuses:
            owed = " or ".join(map(str, statuses))
            raise Violation(
                f"{self.client.name} got the status {self.reply.line}; {owed} is owed.",
                kind="wrong-status",
                status=self.reply.status,
            )

    def expect_file(self, content: bytes) -> None:
        """The answer is 200 and *content*, byte by byte, and nothing after it."""
        self.expect_status(200)
        if self.body != content:
            raise self._wrong_body(content)

    def _wrong_body(self, content: bytes) -> Violation:
        body = self.body
        place = next((n for n, (a, b) in enumerate(zip(body, content, strict=False)) if a != b), None)
        if place is None and len(body) < len(content):
            return Violation(
                f"{self.client.name} got {len(body)} of the {count(len(content), 'byte')} of the body that is owed. {self._condition()}",
                kind="closed-early" if self.client.peer.over else "no-reply",
                next=content[len(body) : len(body) + 1],
                **self.web.server.facts(),
            )
        place = len(content) if place is None else place
        return Violation(
            f"{self.client.name} got a wrong body: {difference(content, place, body[place:])}.",
            kind="wrong-bytes",
            expected_byte=content[place : place + 1],
            extra=place >= len(content),
        )

    def expect_whole(self) -> None:
        """The answer is an HTTP reply, as long as it says itself (RFC 9112 section 6.3)."""
        promised = self.reply.length
        if promised is not None and promised != len(self.body):
            raise Violation(
                f"{self.client.name} got the status {self.reply.line} and Content-Length: {promised}, "
                f"and {count(len(self.body), 'byte')} of body came.",
                kind="wrong-length",
                refusal=self.reply.status >= 400,
            )
        if self.reply.chunked and not self.reply.ended:
            raise Violation(
                f"{self.client.name} got chunks of a body, but not the last one.", kind="wrong-length"
            )
        if promised is None and not self.reply.chunked and not self.client.peer.over:
            raise Violation(
                f"{self.client.name} got the status {self.reply.line} without a Content-Length, and the connection stays open: "
                "where does the body end?",
                kind="wrong-length",
            )

    def expect_length(self, size: int) -> None:
        """The answer says ``Content-Length`` once, and that is the size of the file."""
        self.expect_status(200)
        lines = [value for name, value in self.reply.headers if name == b"content-length"]
        if not lines:
            raise Violation(
                f"the answer has no Content-Length; its head is {literal(self.reply.head, 200)}",
                kind="wrong-length",
            )
        if self.reply.length != size:
            raise Violation(
                f"the answer says Content-Length: {self.reply.length}; the file has {count(size, 'byte')}.",
                kind="wrong-length",
            )
        self.expect_whole()

    def expect_crlf(self) -> None:
        """Every line of the head ends with CR LF."""
        wrong = _BARE_LINE_END.search(self.reply.head)
        if wrong:
            line = self.reply.head[: wrong.end()].splitlines(keepends=True)[-1]
            raise Violation(
                f"a line of the head does not end with CR LF: {literal(line, 100)}; the head is {literal(self.reply.head, 200)}",
                kind="wrong-line-end",
            )

    def expect_close(self) -> None:
        """After its answer the program has closed the connection, by a FIN."""
        if self.client.peer.reset:
            assert self._settled is not None
            raise findings.reset_instead_of_close(self.client, self._settled)
        if not self.client.peer.over:
            assert self._settled is not None
            raise findings.not_closed(self.client, self._settled)

    def expect_refused(self) -> None:
        """The program does not do what was asked: it says so with a status from 400 on, or just closes."""
        if self._lost():
            return
        if not 400 <= self.reply.status <= 599:
            raise Violation(
                f"{self.client.name} got the status {self.reply.line}, as if its request were in order.",
                kind="not-refused",
                status=self.reply.status,
            )
        self.expect_whole()

    def expect_end(self, *, nothing_found: bool = True) -> None:
        """The program answers in whatever way, or just closes, and does not wait for ever.

        *nothing_found*: the request names no file, so no status from 200 to 299 can be right.  Without a version in
        the request, the answer may be one of HTTP/0.9, which has no head.
        """
        if not self.client.peer.over:
            assert self._settled is not None
            raise findings.not_closed(self.client, self._settled)
        if not self.raw.startswith(b"HTTP/"):
            return
        if self.reply.version not in ("HTTP/1.0", "HTTP/1.1"):
            raise Violation(
                f"{self.client.name} got an answer in {self.reply.version}, a version that the program cannot speak.",
                kind="wrong-version",
            )
        if nothing_found and 200 <= self.reply.status <= 299:
            raise Violation(
                f"{self.client.name} got the status {self.reply.line} for a request that names no file.",
                kind="wrong-status",
                status=self.reply.status,
            )

    def expect_without(self, secret: bytes, what: str) -> None:
        """*secret* does not occur in what came; *what* it is, for the student."""
        if secret in self.raw:
            raise Violation(f"{self.client.name} got {what}.", kind="leak")

    def expect_no_header(self, name: bytes) -> None:
        """The answer has no header line *name*."""
        if not self.raw.startswith(b"HTTP/"):
            return
        if any(found == name.lower() for found, _ in self.reply.headers):
            raise Violation(
                f"the client has put a line of its own into the head of the answer: {literal(self.reply.head, 200)}",
                kind="injected",
            )

    def expect_ended(self) -> None:
        """The connection does not stay open."""
        if not self.client.peer.over:
            assert self._settled is not None
            raise findings.not_closed(self.client, self._settled)

    def expect_ended_or_whole(self) -> None:
        """The program has answered, or closed the connection: it does not wait for ever."""
        if not self._lost():
            self.expect_whole()

    def _lost(self) -> bool:
        """The connection has ended without an answer, or by an RST, which may have destroyed one (RFC 9112 section 9.6)."""
        return self.client.peer.reset or (self.client.peer.over and not self.raw)

    def expect_promise(self, size: int) -> None:
        """The head says what Content-Length a GET would have (RFC 9110 section 8.6), or nothing."""
        if self.reply.length not in (None, size):
            raise Violation(
                f"the answer says Content-Length: {self.reply.length}; a GET would bring {count(size, 'byte')}.",
                kind="wrong-length",
            )

    def expect_body(self, content: bytes) -> None:
        """The body is *content*, whatever lines of a script's own are in the head."""
        if self.body != content:
            raise self._wrong_body(content)

    def expect_one_head(self) -> None:
        """There is one status line in what came, the first."""
        second = _STATUS_LINE.search(self.raw)
        if second:
            raise Violation(
                f"{self.client.name} got a second status line in the middle of its answer: {literal(self.raw[second.start() + 1 :], 100)}",
                kind="wrong-bytes",
                extra=True,
            )

    def expect_files(self, contents: Sequence[bytes]) -> None:
        """One answer after the other, each 200 and as long as it says, with these contents."""
        rest = self.raw
        for number, content in enumerate(contents, start=1):
            reply = Reply()
            body = reply.feed(rest)
            if not reply.complete_head:
                raise Violation(
                    f"{self.client.name} asked {len(contents)} times and got {count(number - 1, 'answer')}. {self._condition()}",
                    kind="closed-early" if self.client.peer.over else "no-reply",
                )
            length = len(content) if reply.length is None else reply.length
            if reply.status != 200 or (body if reply.chunked else body[:length]) != content:
                raise Violation(
                    f"answer {number} to {self.client.name} is not the one that is owed: {literal(rest, 120)}",
                    kind="wrong-bytes",
                )
            rest = reply.rest if reply.chunked else body[length:]
