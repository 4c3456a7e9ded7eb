"""A client of the program under test: what our side does.

Every word records itself in the timeline; what is expected back is said by :class:`harness.stage.client.Client`.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from harness.assignment.profiles._base import CannotAsk, Standing
from harness.observe.settle import Settled, SettledKind
from harness.peers.stream import StreamPeer
from harness.stage import sight
from harness.stage.address import Address
from harness.stage.connect import connect
from harness.stage.passing import PassedDescriptors
from harness.stage.patience import PATIENCE
from harness.verdict.outcome import Inconclusive
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.stage.server import Server

#: Times that a program which cannot write is seen to read on all the same before that is enough.
WAKES = 8

#: The byte that is sent out of band.
URGENT = b"!"


def _in_pieces(pieces: Sequence[bytes]) -> str:
    """``66 bytes "...", one by one``; pieces of other lengths are shown as they are."""
    whole = b"".join(pieces)
    said = f"{count(len(whole), 'byte')} {literal(whole)}"
    if len(pieces) == 1:
        return said
    if all(len(piece) == 1 for piece in pieces):
        return f"{said}, one by one"
    shown = [literal(piece) for piece in pieces[:_MOST_PIECES]]
    more = f" and {len(pieces) - _MOST_PIECES} more" if len(pieces) > _MOST_PIECES else ""
    return f"{count(len(whole), 'byte')} in {count(len(pieces), 'piece')}: {', '.join(shown)}{more}"


#: More pieces than this are not shown one by one.
_MOST_PIECES = 8


class Speaking:
    """One connection to the server, speaking its profile."""

    def __init__(
        self, server: Server, name: str, address: Address, *, receive_buffer: int | None = None
    ) -> None:
        self.server = server
        self.name = name
        self._address = address
        self._receive_buffer = receive_buffer
        self._asked = False
        self._rest = b""
        self._last_byte = 0.0
        self._judging = True
        self._fed = bytearray()
        self._consumed = 0
        self._connect()

    def _connect(self) -> None:
        self._conversation = self.server.server_profile.conversation()
        self._judgement = self._conversation.received()
        self._finished = False
        self.received = bytearray()
        sock = connect(self.server, self.name, self._address, self._receive_buffer)
        self.peer = StreamPeer(self.name, sock, self.server.timeline, self._take)
        self.say(f"connected to {self._address}")

    def say(self, what: str) -> None:
        """Record what this client did."""
        self.server.timeline.record("peer", f"{self.name} {what}")

    def _take(self, chunk: bytes) -> None:
        self.received += chunk
        if self._judging:
            self._judgement = self._conversation.received(chunk)

    def ask(self, token: int | None = None, *, size: int | None = None) -> bytes:
        """Send one request; *token* makes its answer unlike any other, *size* is its length in bytes.

        Where a connection is good for one request only, a client that has had its answer connects again.
        """
        profile = self.server.server_profile
        answered = self._judgement.standing is not Standing.OWING or self.peer.over
        if self._asked and answered and profile.one_request:
            self.vanish()
            self._connect()
        self._asked = True
        return self.send(profile.request(self.server.next_token() if token is None else token, size))

    def carry(self, data: bytes) -> bytes:
        """Send a request that carries the bytes *data*."""
        return self.send(self.server.server_profile.carry(data))

    def send(self, data: bytes) -> bytes:
        """Send *data* as far as the kernel takes it now; the rest follows while we wait for the answer."""
        if self._finished and not self.server.server_profile.prompt:
            raise CannotAsk("the answer comes after the end of what a client sends: it can ask only once")
        if not data:  # to be connected is all that this protocol asks for
            return data
        self.say(f"sent {count(len(data), 'byte')} {literal(data)}")
        self._queue(data)
        return data

    def _queue(self, data: bytes) -> None:
        self._conversation.sent(data)
        self._judgement = self._conversation.received()
        self.peer.queue(data)
        self.peer.push()

    def send_part(self) -> None:
        """Send the first part of a request; :meth:`send_rest` sends what is missing."""
        profile = self.server.server_profile
        request = profile.request(self.server.next_token(), None)
        try:
            part, self._rest = profile.halves(request)
        except CannotAsk:  # whatever arrives is answered at once: any part is a request
            part, self._rest = request[: len(request) // 2], request[len(request) // 2 :]
        self.send(part)

    def send_rest(self) -> None:
        """Send what :meth:`send_part` kept back."""
        self.send(self._rest)

    def send_surplus(self) -> None:
        """Send more than the program will ever read: input beyond the request."""
        self.say("went on sending")
        self.peer.queue(self.server.server_profile.request(self.server.next_token(), None) or b"surplus\n")
        self.peer.push()

    def send_byte_by_byte(self, data: bytes) -> None:
        """Send *data* in one-byte segments, each only after the program has read the one before."""
        self.send_in_pieces([data[offset : offset + 1] for offset in range(len(data))])

    def finish_sending(self) -> None:
        """Shut down the sending side (half-close): the program sees end of file, we still read."""
        if self._finished:
            return
        self._finished = True
        self.say("finished sending (shutdown SHUT_WR: a FIN)")
        self._conversation.finish()
        self._judgement = self._conversation.received()
        self.peer.finish()

    def complete(self) -> None:
        """Finish sending, unless the protocol promises no answer to a client that has."""
        if self.server.server_profile.answers_after_fin:
            self.finish_sending()

    def send_in_pieces(self, pieces: Sequence[bytes]) -> None:
        """Send *pieces* one by one, each only after the program has read the one before."""
        self.say(f"sent {_in_pieces(pieces)}")
        for piece in pieces:
            self._queue(piece)
            if not self.peer.over:  # if it is: what is left is owed all the same
                self._until(lambda: not self.peer.unsent and self.server.has_read(self.peer.socket))

    def send_next_byte(self, *, within: float) -> None:
        """Send one byte more of a request; :meth:`send_rest` completes it.

        *within* seconds of the one before: if this machine was too slow for that, nothing can be said.
        """
        now = time.monotonic()
        if self._last_byte and now - self._last_byte > within:
            raise Inconclusive(f"this machine paused for {now - self._last_byte:.1f} s between two bytes")
        self._last_byte = now
        self.peer.pull()  # whoever does not read what it is sent is silent, too
        if not self._rest:
            self._rest = self.server.server_profile.request(self.server.next_token(), None)
        byte, self._rest = self._rest[:1], self._rest[1:]
        self.send(byte)

    def send_garbage(self, data: bytes) -> None:
        """Send bytes for which nothing in particular is owed."""
        self.say(f"sent {count(len(data), 'byte')} of garbage {literal(data, 16)}")
        self._judging = False
        self.peer.queue(data)
        self.peer.push()

    def send_unjudged(self, data: bytes) -> None:
        """Send *data*; what comes back is judged when all of it is there."""
        self.say(f"sent {count(len(data), 'byte')} {literal(data, 80)}")
        self._judging = False
        self.peer.queue(data)
        self.peer.push()

    def send_urgent(self) -> None:
        """Send one byte out of band (tcp(7), MSG_OOB): it is no part of the data."""
        self.say("sent one urgent byte (MSG_OOB)")
        with contextlib.suppress(
            ConnectionError
        ):  # the program has closed already; the expectation that follows says so
            self.peer.socket.send(URGENT, socket.MSG_OOB)

    def send_urgent_in_line(self) -> None:
        """Send one byte out of band that a program with SO_OOBINLINE reads, and answers, in its place."""
        self.say("sent one urgent byte (MSG_OOB) that is a part of the data")
        self.expect_for(URGENT)
        with contextlib.suppress(ConnectionError):
            self.peer.socket.send(URGENT, socket.MSG_OOB)

    def expect_for(self, data: bytes) -> None:
        """*data* is about to be sent in a way of its own; from now on its answer is owed."""
        self._conversation.sent(data)
        self._judgement = self._conversation.received()

    def pass_descriptors(self) -> PassedDescriptors:
        """Send a request with descriptors beside it, as anybody may on a UNIX socket."""
        return self.server.stage.adopt(PassedDescriptors(self))

    def abort(self) -> None:
        """Reset the connection."""
        self.say("reset the connection (RST)")
        self.server.oracle.peers.discard(self.peer.socket)
        self.peer.abort()

    def vanish(self) -> None:
        """Close both directions at once, without reading what is still to come."""
        self.say("closed the connection")
        self.server.oracle.peers.discard(self.peer.socket)
        self.peer.close()

    def read_all(self) -> None:
        """Read at full speed until the connection is over, or nothing more comes; judge nothing."""
        self.open_window()
        self.read_to_the_end()

    def read_to_the_end(self) -> Settled:
        """The same as fast as now, with all that is known of how it ended."""
        self._judging = False
        return self._until(lambda: self.peer.over)

    def wait_until_read(self) -> None:
        """Wait until the program has read all that was sent, or will not read more of it."""
        if not self.peer.over:
            self._until(
                lambda: self.peer.over or (not self.peer.unsent and self.server.has_read(self.peer.socket))
            )

    def leave_unread(self) -> None:
        """Finish sending and close, as one who has had everything."""
        self.say("left")
        self.peer.finish()
        self.close()

    def leave(self) -> None:
        """End the conversation in order: finish sending, read to the end, close."""
        self.finish_sending()
        self._until(lambda: self.peer.over)
        self.vanish()

    def fill(self) -> None:
        """Push what is queued, reading nothing, until the program is blocked."""
        self.say("sent without reading until nothing moved any more")
        self.server.settle(step=self.peer.push, progress=lambda: self.peer.moved)

    def abort_when_full(self) -> None:
        """Read nothing until the program, or whoever writes for it, is blocked; then reset the connection."""
        self.fill()
        self.abort()
        self.server.settle()

    def feed(self, size: int, enough: Callable[[], bool]) -> None:
        """Send one more request of *size* bytes, reading nothing, and let the program do with it what it can.

        When there is *enough*, nothing more has to be waited for.
        """
        request = self.server.server_profile.request(self.server.next_token(), size)
        self._fed += request
        self._queue(request)
        self.server.settle(step=self.peer.push, progress=lambda: self.peer.moved, enough=enough)
        self._consumed = sight.consumed(self.server.stage.diag, self.peer.socket, self.peer.sent)

    def linger(self) -> None:
        """Neither send nor read for a while, or until the program, which was blocked, has read on again and again.

        A program that gives up on whoever does not read at once has then done so.
        """
        diag, ours = self.server.stage.diag, self.peer.socket
        for _ in range(
            WAKES
        ):  # buffers of the kernel that are tuned meanwhile may let it go on once or twice
            before = sight.consumed(diag, ours, self.peer.sent)
            moved = self.server.until(
                lambda before=before: sight.consumed(diag, ours, self.peer.sent) != before,  # type: ignore[misc]
                patience=self.server.endured_silence,
            )
            if moved.kind is not SettledKind.READY:
                break

    def fill_and_read_in_turns(self) -> None:
        """Send as much as the program takes, read only when it takes no more, and so on."""
        self.say("sent as much as possible, reading only when nothing more could be sent")
        self.fill()
        self.linger()
        while self.peer.unsent and not self.peer.over:
            before = self.peer.moved
            self.server.settle(step=self.peer.push, progress=lambda: self.peer.moved)
            self.peer.pull()
            if self.peer.moved == before:
                break  # nothing moves in either direction: the expectation that follows says so

    def open_window(self) -> None:
        """Go on reading, at full speed."""
        self.say("went on reading")
        self.peer.open_window()

    @property
    def closed(self) -> bool:
        """Whether we have closed our socket."""
        return self.peer.socket.fileno() < 0

    def close(self) -> None:
        """Close our socket without a word; idempotent, for the end of the check."""
        self.server.oracle.peers.discard(self.peer.socket)
        self.peer.close()

    def _until(self, done: Callable[[], bool], *, patience: float = PATIENCE) -> Settled:
        """Pump both ways until *done*, or until nothing more will come."""

        def ready() -> bool:
            self.peer.pump()
            return done() or self._judgement.standing is Standing.WRONG

        return self.server.until(
            ready,
            fds=() if self.peer.over else [self.peer.socket],
            writable=[self.peer.socket] if self.peer.unsent else (),
            progress=lambda: self.peer.moved,
            patience=patience,
        )
