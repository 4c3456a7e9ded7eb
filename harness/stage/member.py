"""A member of a chat: a client whose lines go to the others."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from harness.observe.settle import Settled
from harness.stage.address import Address
from harness.stage.client import CHATTER, Client
from harness.stage.patience import PATIENCE
from harness.stage.room import Line, Room
from harness.verdict.outcome import Violation
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.stage.server import Server

#: Letters of two, three and four bytes in UTF-8 (RFC 3629); the last one is where a line is cut.
FOREIGN = "\u041f\u0440\u0438\u0432\u0435\u0442 \u4f60\u597d \U0001f642"
#: Bytes that a talkative member says at once.
PORTION = 1 << 16
#: Bytes that a member takes before it reads on without a pause.  So much makes room that the program notices (tcp(7)
#: reports a socket writable when a third of its buffer is free), and with it and the largest buffer of a sender
#: (tcp_wmem: 4 MiB) a program that was told six still has more to send than is taken at once.
SIP = 3 << 19


class Member(Client):
    """One connection.  All members read all the time, but for those that are lazy."""

    def __init__(
        self,
        server: Server,
        room: Room,
        name: str,
        address: Address,
        *,
        receive_buffer: int | None = None,
        lazy: bool = False,
    ) -> None:
        self.room = room
        #: Whether the program is known to have accepted it.
        self.accepted = False
        #: Whether what the others say is owed to it.
        self.listens = True
        #: Whether it does not read for the present; what is owed to it may come later.
        self.lazy = lazy
        #: What it said, whole lines only, and what it has typed of the next one.
        self.lines: list[Line] = []
        self.typed = b""
        #: Its own lines that came back to it.
        self.echoes: list[bytes] = []
        #: How many lines of each other member have come, or cannot come any more, since a later one has.
        self.heard_up_to: dict[Member, int] = {}
        #: All lines that it got, and the beginning of the next one.
        self.got: list[bytes] = []
        self.pending = b""
        super().__init__(server, name, address, receive_buffer=receive_buffer)
        room.members.append(self)

    def breathe(self) -> int:
        """Move what can be moved now, as every member does all the time."""
        if self.closed:
            return 0
        return self.peer.push() if self.lazy else self.peer.pump()

    def _take(self, chunk: bytes) -> None:
        self.received += chunk
        del self.received[:-4096]
        *whole, self.pending = (self.pending + chunk).split(b"\n")
        for line in whole:
            bare = line.removesuffix(b"\r")
            self.got.append(bare)
            self.room.got(self, bare)

    # -- what it does ------------------------------------------------------------------------

    def send(self, data: bytes) -> bytes:
        """Say something; it is owed to everybody whom the program has accepted by now."""
        self.server.admit()
        return super().send(data)

    def _queue(self, data: bytes) -> None:
        if self._judging:
            *whole, self.typed = (self.typed + data).split(b"\n")
            for line in whole:
                self.room.hear_from(self, line.removesuffix(b"\r"))
            self.room.remember(self.typed)
        super()._queue(data)

    def say_blanks_in_front(self, *, heard_by: Member) -> None:
        """Say a line that begins with blanks; it comes to *heard_by* with them."""
        self._say_exactly([b"   \t ", self._some_text()], heard_by)

    def say_blanks_behind(self, *, heard_by: Member) -> None:
        """Say a line that ends with blanks; it comes to *heard_by* with them."""
        self._say_exactly([self._some_text(), b" \t   "], heard_by)

    def say_foreign(self, *, heard_by: Member, cut: bool) -> None:
        """Say a line in UTF-8; *cut*: it arrives in two pieces, the first of which ends in the middle of a letter."""
        greeting, text = FOREIGN.encode(), self._some_text()
        pieces = [greeting[:-1], greeting[-1:] + text] if cut else [greeting + text]
        self._say_exactly(pieces, heard_by, settle=cut)

    def _some_text(self) -> bytes:
        profile = self.room.profile
        return profile.request(self.server.next_token()).removesuffix(profile.line_end)

    def _say_exactly(self, pieces: Sequence[bytes], other: Member, *, settle: bool = False) -> None:
        """Say a line of which no byte may be changed; *settle*: each piece arrives by itself."""
        self.server.admit()
        before, whole = len(other.got), b"".join(pieces)
        self.room.altered = True  # judged here, and not line by line
        self.say(f"said {literal(whole)}{' in two pieces' if settle else ''}")
        for piece in (*pieces, self.room.profile.line_end):
            self.peer.queue(piece)
            if settle:
                self.peer.push()
                self.server.settle(progress=lambda: self.room.moved)
        self.peer.push()
        self.exchange()
        came = other.got[before:]
        if not any(line.endswith(whole) for line in came):
            raise Violation(
                f"{self.name} said {literal(whole)} and one line more, and {other.name} got {', '.join(map(literal, came))}.",
                kind="wrong-line",
            )

    def say_empty(self, *, heard_by: Member) -> None:
        """Say an empty line between two others; a line comes to *heard_by* for it."""
        self.ask()
        before = len(self.lines)
        self.send(self.room.profile.line_end)
        self.exchange()
        first, last = (self.lines[place].heard[heard_by] for place in (before - 1, -1))
        between = heard_by.got[heard_by.got.index(first) + 1 : heard_by.got.index(last)]
        if not between:
            raise Violation(
                f"{self.name} said {literal(first)}, an empty line, and {literal(last)}; {heard_by.name} got the first and "
                "the last of them, and nothing in between.",
                kind="empty-line-lost",
            )

    def talk(self, total: int) -> None:
        """Say *total* bytes in lines of full length, each portion after the one before has come to all who read."""
        self.say(
            f"said {total >> 20} MiB in portions, each after the one before had come to everybody who reads"
        )
        contract = self.server.contract
        self.server.admit()
        while self.peer.sent < total and not self.peer.over:
            for _ in range(max(1, PORTION // contract.longest_line)):
                self._queue(self.room.profile.request(self.server.next_token(), contract.longest_line))
            self.expect_reply()

    def finish_sending(self) -> None:
        """Shut down the sending side; whether what the others say still comes here is up to the program."""
        super().finish_sending()
        self.listens = False
        self.room.is_owed_nothing(self)

    def abort(self) -> None:
        """Reset the connection."""
        self._gone()
        super().abort()

    def vanish(self) -> None:
        """Close both directions at once."""
        self._gone()
        super().vanish()

    def close(self) -> None:
        """Close our socket without a word."""
        self._gone()
        super().close()

    def _gone(self) -> None:
        self.listens = False
        self.room.is_owed_nothing(self)
        self.room.may_be_lost(self)

    def abort_unnoticed(self, speaker: Member) -> None:
        """Reset the connection at the very moment at which *speaker* says something."""
        with self.server.paused():
            speaker.ask()
            self.abort()
        speaker.expect_reply()

    def send_part_and_vanish(self) -> None:
        """Begin a line and close the connection."""
        self.send_part()
        self.vanish()

    def leave(self) -> None:
        """End the conversation in order; what was said before is passed on all the same."""
        self.finish_sending()
        self._until(lambda: self.peer.over)
        self._wait_for_others()
        self.vanish()

    def send_urgent(self) -> None:
        """Send one byte out of band."""
        self.room.altered = True
        super().send_urgent()

    def send_garbage(self, data: bytes) -> None:
        """Send bytes that need not be lines."""
        self.room.altered = True
        super().send_garbage(data)

    @contextlib.contextmanager
    def chatting(self) -> Iterator[None]:
        """Go on saying something, without pause, for as long as the block lasts (bounded: see CHATTER)."""
        self.server.admit()
        self.say("sent lines without pause")

        def chat() -> int:
            if self.peer.unsent < 1 << 16 and self.peer.sent < CHATTER:
                self._queue(self.room.profile.request(self.server.next_token(), 1 << 14))
            return self.peer.pump()

        with self.server.meanwhile(chat):
            self.server.until(
                lambda: any(line.heard for line in self.lines[:1]), progress=lambda: self.room.moved
            )
            yield

    # -- what it expects ---------------------------------------------------------------------

    def _wait_for_others(self) -> Settled:
        return self._until(lambda: self.room.delivered(self))

    def expect_reply(self) -> None:
        """All that it said comes to everybody to whom it is owed, once and unchanged."""
        settled = self._wait_for_others()
        self._check_bytes()
        if not self.room.delivered(self):
            raise Violation(
                f"{self.room.missing(self)}. {self.server.condition(settled)}",
                kind="not-passed-on",
                **self.server.facts(),
            )

    def catch_up(self) -> None:
        """Read at last: every line that was said meanwhile comes, whole and in order, unless the program has cut it off."""
        self._sip()
        self.lazy = False
        self.open_window()
        settled = self._until(lambda: self.peer.over or not self.room.owed_to(self))
        self._check_bytes()
        missing = self.room.owed_to(self)
        if missing and not self.peer.over:
            raise Violation(
                f"{self.name} reads again and is still connected, but {count(len(missing), 'line')} of those that were said "
                f"meanwhile will not come; the first is {literal(missing[0].text, 60)}. {self.server.condition(settled)}",
                kind="not-passed-on",
                **self.server.facts(),
            )

    def _sip(self) -> None:
        """Read a little, and wait with the rest until the program has done what it can with the room.

        Who reads without pause takes as fast as the program sends: one send() then gets rid of everything, however much.
        """
        left = SIP

        def taken() -> bool:
            nonlocal left
            left -= self.peer.pull(left)
            return left <= 0 or self.peer.over

        self.server.until(taken, fds=[self.peer.socket], progress=lambda: self.room.moved)
        self.server.settle(progress=lambda: self.room.moved)

    def expect_reply_around_urgent(self) -> None:
        """An urgent byte may have become part of the line; nothing more is said of it."""
        self.server.settle()

    def expect_silence(self) -> None:
        """Nothing of the line that it has begun comes to anybody, though the program has done all it will do."""
        self.server.settle(progress=lambda: self.room.moved)
        for member in self.room.members:
            for line in (*member.got, member.pending):
                if self.typed and self.typed in line:
                    raise Violation(
                        f"{member.name} got {literal(line)} though {self.name} has sent half a line only: {literal(self.typed)}.",
                        kind="early-reply",
                    )

    def expect_nothing_wrong(self) -> None:
        """What the others got by now can be right."""
        self.room.pump()
        self._check_bytes()

    def expect_no_echo(self) -> None:
        """None of its own lines comes back to it."""
        self.server.settle(progress=lambda: self.room.moved)
        if self.echoes:
            raise Violation(
                f"{self.name} got its own line back: {literal(self.echoes[0])}.", kind="self-echo"
            )

    def expect_echo(self) -> None:
        """Each of its own lines comes back to it, once."""
        settled = self._until(lambda: len(self.echoes) >= len(self.lines))
        self.server.settle(progress=lambda: self.room.moved)
        if len(self.echoes) != len(self.lines):
            raise Violation(
                f"{self.name} said {len(self.lines)} and got {len(self.echoes)} of its own lines back. {self.server.condition(settled)}",
                kind="no-self-echo",
                **self.server.facts(),
            )

    @contextlib.contextmanager
    def expecting_announcement(self, event: str) -> Iterator[None]:
        """What happens in the block is announced to it, by the line that ``contract.join`` or ``contract.leave`` asks for."""
        before = len(self.got)
        yield
        if getattr(self.server.contract, event):
            self._expect_announced(event, before)

    def _expect_announced(self, event: str, before: int) -> None:
        profile = self.room.profile

        def found() -> list[bytes]:
            return [line for line in self.got[before:] if profile.announces(line, event)]

        settled = self._until(lambda: bool(found()))
        self.server.settle(progress=lambda: self.room.moved)
        if len(found()) != 1:
            pattern = getattr(profile.contract, event)
            got = [literal(line) for line in self.got[before:]]
            last = f"The last it got since are {', '.join(got[-3:])}" if got else "It has got no line since"
            raise Violation(
                f'{self.name} got {count(len(found()), "line")} that match{"es" if len(found()) == 1 else ""} the pattern "{pattern}"; one is owed. '
                f"{last}. {self.server.condition(settled)}",
                kind="not-announced",
                **self.server.facts(),
            )

    def _until(self, done: Callable[[], bool], *, patience: float = PATIENCE) -> Settled:
        """Let everybody move, until *done* or until nothing more will come."""
        room = self.room
        sockets = [m.peer.socket for m in room.members if not (m.closed or m.peer.over or m.lazy)]

        # The room is pumped whenever the server waits (`Server.room`).
        return self.server.until(
            lambda: done() or room.wrong is not None,
            fds=sockets,
            writable=[m.peer.socket for m in room.members if not m.closed and m.peer.unsent],
            progress=lambda: room.moved,
            patience=patience,
        )

    def _check_bytes(self) -> None:
        if self.room.wrong is not None:
            raise Violation(f"{self.room.wrong}.", kind="wrong-line")
