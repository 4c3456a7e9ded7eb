"""What a profile is: a dialogue, its oracle and its defaults.  Nothing about sockets.

A profile turns what a suite wants to ask into bytes, and judges the bytes that came
back.  The harness feeds it; a profile never waits, never looks at a clock, and keeps
no state of its own (a :class:`Conversation` does).
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import ClassVar, Literal, Self

from harness.assignment.contract import Contract
from harness.assignment.role import Role
from harness.assignment.transport import Transport


class CannotAsk(Exception):
    """This protocol has no such request; *reason* says why, for a "not applicable"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Standing(Enum):
    """How what was received so far stands to what was sent so far."""

    OWING = "more must come"
    SETTLED = "everything owed has come"
    WRONG = "cannot be right any more"


class Judgement:
    """An oracle's word on a conversation so far.

    *expected*: the exact bytes owed so far, in total, or None if the oracle does not know
    them exactly; given as a function, they are put together only when somebody looks.
    *offset*: place of the first wrong byte in all that was received, if *standing* is WRONG.
    *why*: a sentence for the student.
    """

    def __init__(
        self,
        standing: Standing,
        expected: bytes | Callable[[], bytes] | None = None,
        offset: int | None = None,
        why: str = "",
    ) -> None:
        self.standing = standing
        self.offset = offset
        self.why = why
        self._expected = expected

    @property
    def expected(self) -> bytes | None:
        """The exact bytes owed so far in total, or None."""
        if callable(self._expected):
            self._expected = self._expected()
        return self._expected

    def __repr__(self) -> str:
        return f"Judgement({self.standing.name}, offset={self.offset}, why={self.why!r})"


class Conversation(ABC):
    """One connection with a server, judged as it grows.

    Whoever drives it calls :meth:`sent` before the first byte of *data* can reach the
    server, so that an answer is never judged before its question.
    """

    @abstractmethod
    def sent(self, data: bytes) -> None:
        """*data* goes to the server."""

    @abstractmethod
    def finish(self) -> None:
        """The client's EOF goes to the server."""

    @abstractmethod
    def received(self, data: bytes = b"") -> Judgement:
        """*data* came back; without data: the judgement as it stands now."""

    def ended(self) -> None:  # noqa: B027 (most have no use for it)
        """Nothing more can come back."""


class Audience(Enum):
    """Who gets what the program owes for a request."""

    CLIENT = "writes its answer to the client that asked"
    READER = "prints its answer and writes nothing to the client"
    OTHERS = "passes on what a client says to the others and owes that client nothing"


class Profile(ABC):
    """An application protocol; a subclass states the class variables and its dialogue."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """What the program does, in one line without a full stop."""
    role: ClassVar[Role]
    transports: ClassVar[tuple[Transport, ...]]
    """The transports it can have; the first is the default."""
    defaults: ClassVar[Mapping[str, object]] = {}
    """Contract fields whose default differs, written as in the assignment file."""
    options: ClassVar[frozenset[str]] = frozenset()
    """Contract fields marked ``by_profile`` that this profile looks at."""
    framings: ClassVar[tuple[str, ...]] = ("none",)
    """The values of ``contract.framing`` it can be judged by."""
    outputs: ClassVar[tuple[str, ...]] = ()
    """The values of ``contract.output`` it can be judged by; empty if it does not say."""
    placeholders: ClassVar[tuple[str, ...]] = ()
    """Placeholders it has beyond those of its role and transport, such as ``root``."""

    contract: Contract = Contract()

    def under(self, contract: Contract) -> Self:
        """This profile, bound to *contract*."""
        bound = copy.copy(self)
        bound.contract = contract
        return bound


class ServerProfile(Profile):
    """A server that talks over connections (stream or sequenced packets)."""

    role = Role.SERVER
    prompt: ClassVar[bool] = True
    """Replies come at once, without waiting for the client's EOF."""

    speaks_first: ClassVar[bool] = False
    """What is owed is owed to whoever connects: nothing is asked for, and what a client sends is not read."""

    answers_after_fin: ClassVar[bool] = True
    """The protocol promises its answer to a client that has finished sending (a FIN) before it has come."""

    piecemeal: ClassVar[bool] = False
    """Each piece that was read is answered by itself: a request has no end before which nothing is owed."""

    long_requests: ClassVar[bool] = True
    """A request may be as long as one likes; if not, *size* is the length of what is asked for."""

    @property
    def one_request(self) -> bool:
        """The connection ends with the answer to its first request: whoever asks again, connects again."""
        return self.contract.closes == "server"

    @property
    def audience(self) -> Audience:
        """Who gets the answer; by ``contract.output``, unless a profile knows better."""
        return Audience.CLIENT if self.contract.output == "socket" else Audience.READER

    @property
    def closes_after(self) -> Literal["client", "server"]:
        """Who closes first: ``"client"`` (the server closes after the client's EOF) or ``"server"``."""
        return self.contract.closes

    @abstractmethod
    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """A complete request whose reply is recognisable as belonging to *token*.

        *size* is the length of the request in bytes (or see *long_requests*); CannotAsk if there is none of that length.
        """

    @abstractmethod
    def carry(self, data: bytes) -> bytes:
        """A complete request that carries *data*, or has it brought, all byte values allowed; or CannotAsk."""

    @abstractmethod
    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """*request* cut in two so that nothing is owed for the first part alone, or CannotAsk."""

    @abstractmethod
    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        """Whether *received* can be right, and whether all that is owed for *sent* is there."""

    def must_close(self, sent: bytes, *, eof_sent: bool) -> bool:
        """Whether the server must close its side once it has answered *sent*."""
        return eof_sent

    def conversation(self) -> Conversation:
        """A fresh conversation; a profile whose replies can be large overrides it to be incremental."""
        return _Whole(self)

    def printing(self) -> Conversation:
        """The same about one stream of the program's output (contract.output), for one client's connection."""
        raise NotImplementedError(f"{self.name} does not say what the program prints")


class DatagramProfile(Profile):
    """A server that answers datagrams."""

    role = Role.SERVER

    @abstractmethod
    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """A datagram whose reply is recognisable as belonging to *token*; *size* as in ServerProfile."""

    @abstractmethod
    def carry(self, data: bytes) -> bytes:
        """A datagram that carries *data*, or CannotAsk."""

    @abstractmethod
    def replies(self, request: bytes) -> list[bytes]:
        """The datagrams owed for *request*, in order."""

    smallest: ClassVar[int] = 1
    """The shortest request, in bytes, of which the answer still tells which one it belongs to."""

    foresees: ClassVar[bool] = True
    """Whether `replies` says what the answers are, not only how many."""

    def unmatched(self, owed: Sequence[bytes], came: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Of the datagrams *owed* those that did not come, and of those that *came* those that are not owed."""
        missing, surplus = Counter(owed) - Counter(came), Counter(came) - Counter(owed)
        return list(missing.elements()), list(surplus.elements())

    def printing(self) -> Conversation:
        """What the program prints on one stream of its output (contract.output), for all its clients together.

        ``sent`` is called with each datagram, in the order in which they were sent.
        """
        raise NotImplementedError(f"{self.name} does not say what the program prints")


class Silence(Conversation):
    """A connection over which nothing in particular is owed, and anything may come."""

    def sent(self, data: bytes) -> None:
        """Nothing is owed for it."""

    def finish(self) -> None:
        """Nothing is owed for that either."""

    def received(self, data: bytes = b"") -> Judgement:
        """Whatever it is."""
        return Judgement(Standing.SETTLED)


class _Whole(Conversation):
    """Judges everything anew each time: for dialogues that stay small."""

    def __init__(self, profile: ServerProfile) -> None:
        self._profile = profile
        self._sent = bytearray()
        self._received = bytearray()
        self._eof_sent = False

    def sent(self, data: bytes) -> None:
        self._sent += data

    def finish(self) -> None:
        self._eof_sent = True

    def received(self, data: bytes = b"") -> Judgement:
        self._received += data
        return self._profile.judge(bytes(self._sent), bytes(self._received), eof_sent=self._eof_sent)
