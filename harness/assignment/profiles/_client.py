"""What a client's profile is: a conversation in turns, and what its standard output must be.

A client is judged from three sides: what it sends (:class:`Hearing`), what it prints
(:meth:`ClientProfile.misprint`), how it ends (the contract).  The server it talks to is ours.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from harness.assignment.profiles._base import Profile
from harness.assignment.profiles._difference import difference, shown
from harness.assignment.role import Role

#: So many bytes of one answer do not occur elsewhere by chance.
_RECOGNISABLE = 6
#: Sizes of integers, in bytes.
_INTEGERS = (2, 4, 8)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: what is typed, what the client owes the server for it, what it is answered."""

    typed: bytes
    asked: bytes
    reply: bytes
    #: What may follow *asked* on the wire without being owed: a line end that the text leaves open.
    endings: tuple[bytes, ...] = ()


class Hearing:
    """What a server hears of its client, compared byte by byte as it comes."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._done = 0
        self._place = 0
        self._tail: bytes | None = None
        self._before = 0
        self.came = 0
        #: The first mistake, a sentence, and its place in all that came.
        self.wrong = ""
        self.offset = 0
        #: Whether it is that an integer came with its last byte first.
        self.swapped = False

    def expect(self, turn: Turn) -> None:
        """From now on the client owes this turn, too."""
        self._turns.append(turn)

    @property
    def complete(self) -> bool:
        """Whether everything owed has come."""
        return self._done == len(self._turns)

    @property
    def missing(self) -> int:
        """Turns of which the request has not come in full."""
        return len(self._turns) - self._done

    @property
    def last_ending(self) -> bytes:
        """What came behind the last request that was left open whether it comes: a line end, or nothing."""
        return self._tail or b""

    def heard(self, chunk: bytes) -> list[Turn]:
        """*chunk* came: the turns whose request is complete by it."""
        finished: list[Turn] = []
        self.came += len(chunk)
        view = chunk
        while not self.wrong:
            view = self._skip_ending(view)
            if self._done == len(self._turns):
                break
            turn = self._turns[self._done]
            owed = turn.asked[self._place : self._place + len(view)]
            if not view.startswith(owed):
                self._mistake(turn, view)
                break
            self._place += len(owed)
            view = view[len(owed) :]
            if self._place < len(turn.asked):
                break
            finished.append(turn)
            self._done, self._before, self._place = self._done + 1, self._before + self._place, 0
            self._tail = b"" if turn.endings else None
        if view and not self.wrong and self._done == len(self._turns):
            self.offset = self.came - len(view)
            self.wrong = f"{shown(view)} came after everything that it had to send ({self.offset} bytes)"
        return finished

    def _skip_ending(self, view: bytes) -> bytes:
        endings = self._turns[self._done - 1].endings if self._done else ()
        while view and self._tail is not None:
            longer = self._tail + view[:1]
            if not any(ending.startswith(longer) for ending in endings):
                self._tail = None
                break
            self._tail, view = longer, view[1:]
            self._before += 1
        return view

    def _mistake(self, turn: Turn, view: bytes) -> None:
        agreed = 0
        while agreed < len(view) and view[agreed] == turn.asked[self._place + agreed]:
            agreed += 1
        place = self._place + agreed
        self.offset = self._before + place
        came = turn.asked[: self._place] + view
        self.swapped = (
            turn.asked != turn.asked[::-1] == came[: len(turn.asked)] and len(turn.asked) in _INTEGERS
        )
        self.wrong = (
            f"request {self._done + 1} of {len(self._turns)}: {difference(turn.asked, place, view[agreed:])}"
        )


class ClientProfile(Profile):
    """A client that talks over a connection."""

    role = Role.CLIENT
    arguments: ClassVar[tuple[str, ...]] = ("{peer_host}", "{peer_port}")
    """What it is started with if nobody says otherwise (over UNIX sockets: ``{path}``)."""
    reads_input: ClassVar[bool] = True
    """What it sends comes from its standard input; otherwise it is left alone there."""
    greeted: ClassVar[bool] = False
    """The server speaks first, says everything at once, and closes."""
    asks_once: ClassVar[bool] = False
    """There is one turn."""
    answered: ClassVar[bool] = True
    """The server sends it something."""
    half_closes: ClassVar[bool] = False
    """The end of its standard input is passed on as a FIN, and the server may wait for that."""
    by_lines: ClassVar[bool] = False
    """It sends line by line, and a line is answered by a line."""
    bulk: ClassVar[bool] = False
    """It carries any amount of any bytes to the server."""

    @abstractmethod
    def turn(self, token: int, size: int | None = None) -> Turn:
        """A turn like no other; *size* is that of the answer in bytes, about, or CannotAsk."""

    def telling(self, token: int) -> list[Turn]:
        """The turns in which the usual mistakes show; *token* as in :meth:`turn`."""
        return [self.turn(token), self.turn(token + 1), self.turn(token + 2)]

    def accepts(self, turn: Turn, datagram: bytes) -> bool:
        """Whether *datagram* is the request of *turn* (datagrams only)."""
        return datagram == turn.asked

    def made_up(self, replies: Sequence[bytes], odd: Sequence[bytes], output: bytes) -> str:
        """Why *output* has something in it that was neither in *replies* nor in *odd*, the datagrams that came in
        place of answers; empty if it has not.  Whether an odd one is printed is left open (datagrams only)."""
        raise NotImplementedError

    def bulky(self, token: int, size: int) -> Turn:
        """A turn in which the client sends *size* bytes; asked of profiles with ``bulk``."""
        raise NotImplementedError

    def odd_line(self, token: int, which: str, ending: bytes) -> Turn:
        """A turn with a line that is empty or long, has blanks at its ends, or lacks a line end; *ending* is how the client
        was seen to end its lines on the wire.  Raises CannotAsk; asked of profiles with ``by_lines``."""
        raise NotImplementedError

    def empty_answer(self, token: int) -> Turn:
        """A turn whose answer is a line with nothing in it; asked of profiles with ``by_lines``."""
        raise NotImplementedError

    def under_size(self, size: int) -> Self:
        """The same with another ``contract.size``."""
        return self.under(replace(self.contract, size=size))

    def talkative(self) -> Self:
        """The same for a client that may print something of its own, too."""
        return self.under(replace(self.contract, prints="among"))

    def hearing(self) -> Hearing:
        """What compares what the client sends; one for each run of it."""
        return Hearing()

    def misprint(self, replies: Sequence[bytes], output: bytes) -> str:
        """Why *output* is not what a client prints that was sent *replies*, a sentence; empty if it is."""
        received = b"".join(replies)
        match self.contract.prints:
            case "exact":
                return _unlike(received, output)
            case "text":
                return _unlike(received.rstrip(b"\r\n"), output.rstrip(b"\r\n"))
        return among(replies, output)


def _unlike(owed: bytes, printed: bytes) -> str:
    if owed == printed:
        return ""
    low, high = 0, min(len(owed), len(printed))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if owed[:middle] == printed[:middle] else (low, middle - 1)
    if low == len(printed):
        return f"it printed {len(printed)} of {len(owed)} bytes; the first one missing is {shown(owed[low : low + 1])}"
    return difference(owed, low, printed[low:])


def among(replies: Sequence[bytes], output: bytes) -> str:
    """Each of *replies* is somewhere in *output*, in order, once, whole; what else is there is the client's own."""
    rest: list[bytes] = []
    place = 0
    for number, reply in enumerate(replies, start=1):
        text = reply.strip(b"\r\n")
        found = output.find(text, place)
        if found < 0:
            return f"answer {number} of {len(replies)}, {shown(text)}, is not in what it printed"
        rest.append(output[place:found])
        place = found + len(text)
    rest.append(output[place:])
    for number, reply in enumerate(replies, start=1):
        text = reply.strip(b"\r\n")
        for start in range(0, len(text) - _RECOGNISABLE + 1):
            piece = text[start : start + _RECOGNISABLE]
            if any(piece in other for other in rest):
                return f"besides the answers, it printed {shown(piece)}, which is a part of answer {number} once more"
    return ""
