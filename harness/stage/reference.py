"""What the servers have in common that we play for a client under test.

A reference server never waits: `Reference.pump` moves what can be moved now, as a chore of the program
that is being watched.  How it delivers its answers is set before they fall due.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING

from harness.assignment.profiles._client import ClientProfile, Hearing, Turn
from harness.stage.address import Address

if TYPE_CHECKING:
    from harness.observe.quiescence import Oracle
    from harness.stage.stage import Stage

#: What sentences call it.
NAME = "our server"


class Manner(Enum):
    """How an answer is delivered once it is due."""

    AT_ONCE = "at once"
    BYTE_BY_BYTE = "each byte only after the client has read the one before"
    HELD = "not before it is released"
    FIN = "the connection is closed in order (FIN) instead"
    RST = "the connection is reset (RST) instead"


class Reference(ABC):
    """A server of ours, for one run of the program at a time."""

    def __init__(self, stage: Stage, address: Address, profile: ClientProfile) -> None:
        self.stage = stage
        self.address = address
        self.profile = profile
        self.timeline = stage.timeline
        self.manner = Manner.AT_ONCE
        #: After so many answers more, it does *then* instead; None: never.
        self.answers_left: int | None = None
        self.then = Manner.AT_ONCE
        self.hearing: Hearing = profile.hearing()
        #: The answers that were sent, or are being sent.
        self.replies: list[bytes] = []
        self.oracle: Oracle | None = None

    def say(self, what: str) -> None:
        """Record what our server did."""
        self.timeline.record("peer", f"{NAME} {what}")

    def forget(self) -> None:
        """Be as new for a program that is about to be started."""
        self.hearing = self.profile.hearing()
        self.replies = []

    def meet(self, oracle: Oracle) -> None:
        """The program was started, and *oracle* looks at it: it may have come already."""
        self.oracle = oracle
        for sock in self.sockets():
            self.introduce(sock)

    def introduce(self, sock: socket.socket) -> None:
        """Tell the observer that *sock* is ours and talks to the program."""
        if self.oracle is not None:
            self.oracle.peers.add(sock)
            self.oracle.names[sock] = NAME

    def manner_of_next(self) -> Manner:
        """How the answer that is due now is delivered."""
        if self.answers_left == 0:
            self.manner, self.answers_left = self.then, None
        elif self.answers_left is not None:
            self.answers_left -= 1
        return self.manner

    def expect(self, turn: Turn) -> None:
        """The client owes this turn from now on."""
        self.hearing.expect(turn)

    def expect_only(self, turn: Turn) -> None:
        """The client owes this turn, and none that was owed before; nothing of those may have come yet."""
        self.hearing = self.profile.hearing()
        self.expect(turn)

    @abstractmethod
    def sockets(self) -> list[socket.socket]:
        """Our open sockets, to wait on."""

    @abstractmethod
    def pump(self) -> int:
        """Move what can be moved now; how much it was."""

    @property
    @abstractmethod
    def reached(self) -> bool:
        """Whether the client has come at all."""

    @property
    @abstractmethod
    def delivered(self) -> bool:
        """Whether the client has read every answer that was due."""

    @abstractmethod
    def close(self) -> None:
        """Close every socket; idempotent."""
