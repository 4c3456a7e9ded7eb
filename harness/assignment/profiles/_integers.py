"""What the integer clients share: decimal integers on standard input, four bytes little-endian on the wire."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from typing import ClassVar

from harness.assignment.profiles._base import CannotAsk
from harness.assignment.profiles._client import ClientProfile, Turn
from harness.assignment.profiles._difference import shown

#: No two bytes alike, so that a wrong byte order shows; the ends of the range; signs; single high bits.
TELLING = (0x01020304, -1, -2147483648, 2147483647, 0x80, 0x8000, -0x01020304, 10, 0)
#: What is said of a number whose bytes are those of the right one, the last one first.
SWAPPED = "that is the same four bytes in the other order"
UNSIGNED = "that is the same number without its sign"
_ANSWERS = (0x0A0B0C0D, -2, 0x00FF0000, -2147483647, 305419896, -1, 65537, 0, -77)


class IntegersProfile(ClientProfile):
    """Each integer is answered by another one that does not follow from it."""

    options = frozenset({"prints"})
    defaults: ClassVar[Mapping[str, object]] = {"prints": "text"}

    def turn(self, token: int, size: int | None = None) -> Turn:
        """One number to a line."""
        if size is not None:
            raise CannotAsk("every answer is one integer of four bytes")
        return self.number(_scrambled(token), _scrambled(token + 5000))

    def number(self, asked: int, answered: int, *, between: bytes = b"\n") -> Turn:
        """A turn that asks for *asked*; *between* is the white space after it."""
        return Turn(b"%d" % asked + between, struct.pack("<i", asked), struct.pack("<i", answered))

    def telling(self, token: int) -> list[Turn]:
        """The numbers on which mistakes show, with white space of all kinds between them."""
        blanks = (b" ", b"\n", b"\t", b"  \n", b"\n\n")
        pairs = zip(TELLING, _ANSWERS, strict=True)
        return [self.number(a, b, between=blanks[place % len(blanks)]) for place, (a, b) in enumerate(pairs)]

    def misprint(self, replies: Sequence[bytes], output: bytes) -> str:
        """The answers in decimal, with white space between them."""
        owed = [struct.unpack("<i", reply)[0] for reply in replies]
        words = re.findall(rb"-?\d+", output) if self.contract.prints == "among" else output.split()
        printed = [_integer(word) for word in words]
        if self.contract.prints == "among":
            return _missing(owed, printed)
        for place, (want, got) in enumerate(zip(owed, printed, strict=False), start=1):
            if got is None:
                return f"where answer {place}, {want}, belongs, it printed {shown(words[place - 1])}"
            if want != got:
                return f"answer {place} is {want}, but it printed {got}{_hint(want, got)}"
        if len(printed) < len(owed):
            return f"it printed {len(printed)} of {len(owed)} answers; the first one missing is {owed[len(printed)]}"
        if len(printed) > len(owed):
            return f"it printed {shown(words[len(owed)])} after all {len(owed)} answers"
        return ""

    def made_up(self, replies: Sequence[bytes], odd: Sequence[bytes], output: bytes) -> str:
        """Of what is printed, every integer was sent; the first four bytes of a longer datagram may be taken for one."""
        sent = [reply[:4] for reply in (*replies, *odd) if len(reply) >= 4]
        owed = [struct.unpack("<i", four)[0] for four in sent]
        printed = [int(word) for word in output.split() if _integer(word) is not None]
        wrong = [number for place, number in enumerate(printed) if [number] != owed[place : place + 1]]
        return f"it printed {wrong[0]}, which nobody has sent" if wrong else ""


def _scrambled(token: int) -> int:
    """An integer of both signs, with four different bytes as a rule, that *token* decides."""
    value = (token * 2654435761) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def _integer(word: bytes) -> int | None:
    return int(word) if re.fullmatch(rb"[+-]?\d{1,12}", word) else None


def _missing(owed: Sequence[int], printed: Sequence[int | None]) -> str:
    place = 0
    for number, want in enumerate(owed, start=1):
        if want not in printed[place:]:
            return f"answer {number} of {len(owed)}, {want}, is not in what it printed"
        place = printed.index(want, place) + 1
    return ""


def _hint(want: int, got: int) -> str:
    if got == struct.unpack(">i", struct.pack("<i", want))[0]:
        return f": {SWAPPED}"
    if got == want & 0xFFFFFFFF:
        return f": {UNSIGNED}"
    return ""
