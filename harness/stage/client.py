"""A client of the program under test: what it expects back.

Every expectation that is not met says so in terms of what the client did and what the kernel knows of the program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from harness.assignment.profiles._base import Standing
from harness.sizes import TINY_WINDOW
from harness.stage import findings
from harness.stage.patience import PATIENCE
from harness.stage.speaking import URGENT, Speaking
from harness.verdict.outcome import Inconclusive, Violation
from harness.verdict.show import count, lengths, literal

#: Bytes that a chatterbox sends at most.
CHATTER = 32 << 20

#: Reads of a slow reader that each wait until the program can do nothing more.
DRIPS = 4


class Client(Speaking):
    """A client that judges what it gets."""

    def be_served(self) -> None:
        """Come so far that the program has this client in hand: it has had an answer, or waits for the rest of a request."""
        if self.server.server_profile.one_request:
            self.send_part()
            self.server.settle()
        else:
            self.exchange()

    @contextlib.contextmanager
    def chatting(self) -> Iterator[None]:
        """Go on asking and reading for as long as the block lasts (bounded: see CHATTER)."""
        self.say("sent requests without pause")
        request = self.server.server_profile.request(self.server.next_token(), 1 << 16)

        def chat() -> int:
            if self.peer.unsent < len(request) and self.peer.sent < CHATTER:
                self._queue(request)
            return self.peer.pump()

        with self.server.meanwhile(chat):
            self.server.until(
                lambda: self.peer.received > 0, fds=[self.peer.socket], progress=lambda: self.peer.moved
            )
            yield

    def expect_still_chatting(self) -> None:
        """The other client did not have to wait until this one had nothing more to say."""
        if self.peer.sent >= CHATTER:
            raise Violation(
                f"another client was served only after {self.name} had stopped sending ({CHATTER >> 20} MiB).",
                kind="starved",
            )

    def abort_after_reply(self) -> None:
        """Wait for the answer, then reset the connection."""
        self.expect_reply()
        self.abort()

    def expect_reply(self) -> None:
        """Everything owed by now arrives, and nothing that cannot be right.

        Of a program that answers only after the end of what a client sends, this is the end.
        """
        profile = self.server.server_profile
        if not profile.prompt:
            self.finish_sending()
        # The text of one who speaks first has no end but that of the connection: all of it is judged.
        settled = self._until(
            lambda: (
                self.peer.over
                or (self._judgement.standing is not Standing.OWING and not profile.speaks_first)
            )
        )
        self._check_bytes()
        if self._judgement.standing is Standing.SETTLED:
            return
        raise findings.missing_reply(self, self._judgement, settled)

    def finish_when_answered(self) -> int:
        """Take in what has come, and finish sending as soon as the answer is complete; bytes moved."""
        if self._finished and self.server.server_profile.prompt:
            return 0
        moved = self.peer.pump()
        if not self.server.server_profile.prompt or self._judgement.standing is Standing.SETTLED:
            self.finish_sending()
        return max(moved, 0)

    def expect_reply_around_urgent(self) -> None:
        """The answer to the data around an urgent byte comes; the byte itself may have been read in line or not."""
        self._until(lambda: self._judgement.standing is not Standing.OWING or self.peer.over)
        if self._judgement.standing is Standing.WRONG and URGENT in self.received:
            return  # SO_OOBINLINE: the program reads the urgent byte as data, which tcp(7) leaves to it
        if not self.peer.over and self._judgement.standing is Standing.OWING:
            return  # splice(2), which io.Copy of Go uses, does not get past an urgent mark; the connection stays as it is
        self.expect_reply()

    def expect_drained(self) -> None:
        """What was under way when the signal came is completed.

        Of a profile that answers piece by piece: all that the program had read by then (it need not read on).
        Of any other: the whole answer.
        """
        if not self.server.server_profile.piecemeal:
            self.open_window()  # at once: a bounded time for draining is right, and must not run out because of us
            self.expect_reply()
            self.expect_close()
            return
        owed = self._consumed
        if (
            self.server.contract.framing == "line"
        ):  # the rest of a line that it has not read is no request yet
            owed = self._fed.rfind(b"\n", 0, owed) + 1
        self.open_window()
        settled = self._until(lambda: self.peer.over)
        self._check_bytes()
        if len(self.received) < owed and self.peer.reset:
            # It closed with input unread, so the kernel sent an RST, which destroys what is still under way (RFC 1122
            # section 4.2.2.13): how much of its answer came through says nothing about what it wrote.
            raise Inconclusive(
                "the program closed with input unread; the reset that follows hides how much it had answered"
            )
        if len(self.received) < owed:
            raise findings.cut_short(self, owed, settled)

    def expect_reply_slowly(self) -> None:
        """The same, read in small pieces, each of the first only when the program is blocked."""
        self.say(f"read slowly, {self.peer.gulp} bytes at a time")
        self.linger()
        for _ in range(DRIPS):
            self.server.settle(step=self.peer.push, progress=lambda: self.peer.moved, patience=0.05)
            self.peer.pull(self.peer.gulp)
        self.peer.open_window()
        self.expect_reply()

    def expect_text_before_reset(self) -> None:
        """All of the text comes; what follows it may be an RST, since the program need not read what we sent.

        Sent in pieces, the later ones may wait for an acknowledgement (Nagle's algorithm, RFC 1122 section 4.2.3.4)
        and then be lost by that RST, or not: it is a matter of moments, and proves nothing.
        """
        try:
            self.expect_reply_slowly()
        except Violation:
            if self.peer.reset and len(self.received) < TINY_WINDOW // 2:
                raise Inconclusive(
                    "the reset that follows a close() with input unread has overtaken text for which the client had room"
                ) from None
            raise

    def exchange(self, token: int | None = None, *, size: int | None = None) -> None:
        """One request, and its whole answer."""
        self.ask(token, size=size)
        self.expect_reply()

    def engage(self) -> None:
        """Have the program serve this client, which stays: an exchange, or else a request that it has read."""
        if self.server.server_profile.prompt:
            self.exchange()
        else:
            self.send_and_see_read(None)

    def expect_still_served(self) -> None:
        """Another request on the same connection is answered, if the protocol has room for one."""
        if not self.server.server_profile.one_request:
            self.engage()

    def exchange_in_turn(self, sizes: Sequence[int]) -> None:
        """Requests of these sizes in bytes, each after the one before was answered (or read, if answers come at the end)."""
        for size in sizes:
            if self.server.server_profile.prompt:
                self.exchange(size=size)
            else:
                self.send_and_see_read(size)
        self.expect_reply()

    def send_and_see_read(self, size: int | None) -> None:
        """Send a request of *size* bytes and wait until the program has done with it all that it will do."""
        self.ask(size=size)
        self.server.settle(step=self.peer.pump, progress=lambda: self.peer.moved)

    def expect_close(self) -> None:
        """The program closes its side with a FIN, having sent everything it owed and nothing else."""
        settled = self._until(lambda: self.peer.over)
        self._check_bytes()
        if self.peer.reset:
            raise findings.reset_instead_of_close(self, settled)
        if not self.peer.over:
            raise findings.not_closed(self, settled)
        if self._judgement.standing is Standing.OWING:
            raise findings.missing_reply(self, self._judgement, settled)

    def expect_fin(self, *, patience: float = PATIENCE) -> None:
        """The program closes its side, in whatever manner: nothing stays half open.

        *patience* is the idle time, in seconds, that is granted to it.
        """
        settled = self._until(lambda: self.peer.over, patience=patience)
        if not self.peer.over:
            raise findings.not_closed(self, settled)

    def expect_nothing_wrong(self) -> None:
        """What has come by now can be right, as far as the request has been sent."""
        self.peer.pull()
        self._check_bytes()

    def expect_nothing_more(self) -> None:
        """The program has answered, and sends nothing beyond what it owes."""
        self._until(lambda: self.peer.over)
        self._check_bytes()

    def expect_end(self) -> None:
        """The connection ends, by FIN or RST; what came before it must be right, but may be cut short."""
        settled = self._until(lambda: self.peer.over)
        self._check_bytes()
        if not self.peer.over:
            raise findings.not_closed(self, settled)

    def expect_silence(self) -> None:
        """Nothing arrives, though the program has done all it will do."""
        before = self.peer.received
        self.server.until(
            lambda: self.peer.pull() > 0 or self.peer.over,
            fds=[self.peer.socket],
            patience=self.server.endured_silence,
        )
        if self.peer.received > before:
            raise Violation(
                f"{self.name} got {count(self.peer.received - before, 'byte')} {literal(bytes(self.received[before:]))} "
                "though nothing was owed yet.",
                kind="early-reply",
            )

    def expect_message_lengths(self) -> None:
        """What came back, came back in messages of the lengths that were sent (SOCK_SEQPACKET)."""
        if self.peer.sent_messages != self.peer.received_messages:
            raise Violation(
                f"{self.name} sent {lengths(self.peer.sent_messages, 'message')} and got {lengths(self.peer.received_messages, 'message')} back.",
                kind="boundaries",
            )

    def expect_unserved(self) -> None:
        """The program does not answer this client: nothing comes, or the connection just ends."""
        self.server.until(
            lambda: self.peer.pull() > 0 or self.peer.over, fds=[self.peer.socket], patience=0.5
        )
        if self.peer.received:
            raise Violation(f"{self.name} was served: it got {literal(bytes(self.received))}.", kind="served")

    def _check_bytes(self) -> None:
        if self._judgement.standing is Standing.WRONG:
            raise findings.wrong_bytes(self, self._judgement)
