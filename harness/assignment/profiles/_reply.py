"""One HTTP reply, read as it comes; the reading is h11's.

Two things are left out on purpose, since checks of their own ask them: lines may end with a bare LF, and the
bytes after the head are handed on as they are, whatever ``Content-Length`` says of them.
"""

from __future__ import annotations

import h11

#: A head longer than this, in bytes, is none.
LONGEST_HEAD = 1 << 16


class Reply:
    """The reply to one request; give it what arrives, and it gives back what of it is body."""

    def __init__(self, method: str = "GET") -> None:
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        # h11 wants to know what was asked: only a HEAD has an answer without a body.
        method = method if method == "HEAD" else "GET"
        self._parser.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
        self._parser.send(h11.EndOfMessage())
        self._came = bytearray()
        #: The head as it came, the blank line included; empty while it is not complete.
        self.head = b""
        self.status = 0
        self.reason = ""
        self.version = ""
        #: Names in lower case.
        self.headers: list[tuple[bytes, bytes]] = []
        #: The body is sent in chunks (RFC 9112 section 7.1); they are put together.
        self.chunked = False
        #: The last chunk has come.
        self.ended = False
        #: Why this is no HTTP reply, in the words of h11; None while it can be one.
        self.error: str | None = None

    @property
    def complete_head(self) -> bool:
        """The head has come, with its blank line."""
        return bool(self.head)

    @property
    def length(self) -> int | None:
        """What ``Content-Length`` promises, None if there is no such line (or the body comes in chunks)."""
        return (
            None if self.chunked else next((int(v) for n, v in self.headers if n == b"content-length"), None)
        )

    @property
    def rest(self) -> bytes:
        """What came after the last chunk."""
        return self._parser.trailing_data[0] if self.ended else b""

    @property
    def line(self) -> str:
        """Status and reason, to be shown: ``404 Not Found``."""
        return f"{self.status} {self.reason}".strip()

    def feed(self, data: bytes) -> bytes:
        """Take in *data*; what of it belongs to the body, decoded if it comes in chunks."""
        if self.error is not None or self.ended:
            return b""
        if self.complete_head and not self.chunked:
            return data
        try:
            if data:  # nothing at all would be the end of the connection, to h11
                self._parser.receive_data(data)
            if not self.complete_head:
                self._came += data
                if not self._read_head():
                    return b""
                if not self.chunked:
                    return self._parser.trailing_data[0]
            return self._chunks()
        except h11.RemoteProtocolError as error:
            self.error = str(error)
            return b""

    def _read_head(self) -> bool:
        while True:
            event = self._parser.next_event()
            if isinstance(event, h11.Response):
                break
            if not isinstance(event, h11.InformationalResponse):
                return False
            # 100 (Continue) and its kin come before the reply.
            del self._came[: len(self._came) - len(self._parser.trailing_data[0])]
        self.head = bytes(self._came[: len(self._came) - len(self._parser.trailing_data[0])])
        self.status = event.status_code
        self.reason = event.reason.decode("latin-1")
        self.version = "HTTP/" + event.http_version.decode()
        self.headers = list(event.headers)
        self.chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        return True

    def _chunks(self) -> bytes:
        parts = []
        while not self.ended:
            event = self._parser.next_event()
            if isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.ended = True
            else:
                break
        return b"".join(parts)
