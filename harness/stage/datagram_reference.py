"""The server of ours that a client under test sends datagrams to."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from harness.assignment.profiles._client import ClientProfile, Turn
from harness.peers.datagram import Datagram, DatagramPeer
from harness.stage.address import Address
from harness.stage.reference import NAME, Manner, Reference
from harness.verdict.outcome import Inconclusive
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.stage.stage import Stage


class DatagramReference(Reference):
    """Answers each datagram with one; may lose some, answer twice, or let a stranger answer first."""

    def __init__(self, stage: Stage, address: Address, profile: ClientProfile) -> None:
        super().__init__(stage, address, profile)
        self.peer = self._bound(address)
        self._stranger = self._bound(address.on_port(0))
        #: Requests that it ignores from now on, as if they or their answers were lost.
        self.losing = 0
        #: How many it has ignored.
        self.lost = 0
        #: How often it sends each answer.
        self.copies = 1
        #: What a stranger, on another port, sends before each answer; None: there is none.
        self.forgery: bytes | None = None
        #: What is sent in place of one answer, after so many that are right; None: the answer.
        self.instead: bytes | None = None
        self.instead_after = 0
        #: Whether each answer waits until the client has asked once more.
        self.late = False
        #: What was sent in place of answers.
        self.odd: list[bytes] = []
        #: How many datagrams came.
        self.came = 0
        self._turns: list[Turn] = []
        self._done = 0
        self._judged = 0
        self._client: object = None
        self.held: list[bytes] = []

    def _bound(self, address: Address) -> DatagramPeer:
        sock = socket.socket(address.family, socket.SOCK_DGRAM)
        try:
            sock.bind(address.sockaddr)
        except OSError as error:
            sock.close()
            raise Inconclusive(f"our own server cannot have the address {address} here: {error}") from None
        return DatagramPeer(NAME, sock, self.timeline)

    def forget(self) -> None:
        """Be as new for a program that is about to be started."""
        self._turns, self._done, self.came = [], 0, 0
        self.peer.pump()
        self._judged = len(self.peer.inbox)
        super().forget()

    def expect(self, turn: Turn) -> None:
        """The client owes this turn from now on."""
        self._turns.append(turn)
        self.hearing.expect(turn)

    def expect_only(self, turn: Turn) -> None:
        """The client owes this turn, and none that was owed before."""
        self._turns = []
        super().expect_only(turn)

    @property
    def reached(self) -> bool:
        """Whether a datagram has come."""
        return self.came > 0

    @property
    def delivered(self) -> bool:
        """Whether every answer was sent: a datagram on the loopback is there at once."""
        return self._done <= len(self.replies)

    def sockets(self) -> list[socket.socket]:
        """The one that is asked, and the stranger's."""
        return [peer.socket for peer in (self.peer, self._stranger) if peer.socket.fileno() >= 0]

    def pump(self) -> int:
        """Take in and answer what has come."""
        if self.peer.socket.fileno() < 0:
            return 0
        moved = self.peer.pump()
        for datagram in self.peer.inbox[self._judged :]:
            self._judged += 1
            self._hear(datagram)
        return moved

    def _hear(self, datagram: Datagram) -> None:
        self.came += 1
        self._client = datagram.source
        self.timeline.record(
            "program", f"sent a datagram of {count(len(datagram.data), 'byte')} {literal(datagram.data)}"
        )
        turn = self._turns[self._done] if self._done < len(self._turns) else None
        if turn is not None and self.profile.accepts(turn, datagram.data):
            if self.losing:
                self.losing -= 1
                self.lost += 1
                self.say("lost that datagram")
                return
            self._done += 1
            self.hearing.heard(turn.asked)
            self._answer(turn)
        elif self._done and self.profile.accepts(self._turns[self._done - 1], datagram.data):
            # Once more what was answered already: a client that had given the answer up for lost (UNP 22.5).
            if not self.profile.contract.retry:
                self.hearing.wrong = self.hearing.wrong or "the same datagram came once more after its answer"
            elif self.held:
                again = self.held[-1]
                self.release()
                self.say("answered once more")
                self._send(self.peer, again)
            else:
                self.say("answered once more")
                self._send(self.peer, self.replies[-1])
        elif not self.hearing.wrong:
            self.hearing.swapped = turn is not None and turn.asked != turn.asked[::-1] == datagram.data
            owed = f"{literal(turn.asked)} is owed" if turn is not None else "nothing more is owed"
            self.hearing.wrong = f"datagram {self.came}: {owed}, but {literal(datagram.data)} came ({count(len(datagram.data), 'byte')})"

    def _answer(self, turn: Turn) -> None:
        if self.forgery is not None:
            self.timeline.record("peer", f"a stranger on another port sent {literal(self.forgery)} first")
            self._send(self._stranger, self.forgery)
        if self.late or self.manner is Manner.HELD:
            self.held.append(turn.reply)
            return
        if self.instead is not None and len(self.replies) >= self.instead_after:
            self.say(f"sent {count(len(self.instead), 'byte')} {literal(self.instead)} instead of its answer")
            self._send(self.peer, self.instead)
            self.odd.append(self.instead)
            self.instead = None
            return
        self.replies.append(turn.reply)
        for _ in range(self.copies):
            self.say(f"answered {count(len(turn.reply), 'byte')} {literal(turn.reply)}")
            self._send(self.peer, turn.reply)

    def release(self) -> None:
        """Send the answers that were held back."""
        held, self.held = self.held, []
        for reply in held:
            self.replies.append(reply)
            self.say(f"answered {count(len(reply), 'byte')} {literal(reply)}")
            self._send(self.peer, reply)

    def _send(self, peer: DatagramPeer, data: bytes) -> None:
        with contextlib.suppress(ConnectionRefusedError):  # the client is gone: what follows says so
            peer.send(data, self._client)  # type: ignore[arg-type]

    def close(self) -> None:
        """Close both sockets: what is sent there now is refused (ICMP port unreachable)."""
        self.peer.close()
        self._stranger.close()
