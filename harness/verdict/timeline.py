"""What happened in a check, in order: the raw material of every explanation."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Who = Literal["peer", "program", "kernel", "wire"]

#: A check that does more than this is summed up; the first and last events are kept.
MOST_EVENTS = 400


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: *t* in seconds since the check began."""

    t: float
    who: Who
    what: str


@dataclass
class Timeline:
    """The events of one check, in the order in which they were seen."""

    began: float = field(default_factory=time.monotonic)
    events: list[Event] = field(default_factory=list)
    dropped: int = 0

    def record(self, who: Who, what: str) -> None:
        """Note that *who* did *what*, now."""
        if len(self.events) >= MOST_EVENTS:
            del self.events[MOST_EVENTS // 2]
            self.dropped += 1
        self.events.append(Event(round(time.monotonic() - self.began, 6), who, what))

    def deeds(self) -> list[str]:
        """What our side did, in words, repetitions folded: the ``did`` of a result."""
        return shortened(folded([event.what for event in self.events if event.who == "peer"]))


#: Sentences kept of a long story: so many from its beginning, so many from its end.
HEAD, TAIL = 14, 10

#: The longest story that is folded when it is repeated: connects, sends, finishes sending, closes.
LONGEST_BLOCK = 4

_CLIENT = re.compile(r"^client \d+ ")
_NUMBER = re.compile(r"(?<=client )\d+")
_CONTENT = re.compile(r'"(?:[^"\\]|\\.)*"')


def folded(deeds: Sequence[str]) -> list[str]:
    """The same with what is repeated said once, be it one deed or a few in turn, for the next client each time."""
    said: list[str] = []
    place = 0
    while place < len(deeds):
        length, times = _repetition(deeds, place)
        block = deeds[place : place + length]
        place += length * times
        if times == 1:
            said += block
            continue
        numbers = [_NUMBER.search(block[0]), _NUMBER.search(deeds[place - 1])]
        if numbers[0] and numbers[1] and numbers[0][0] != numbers[1][0]:
            who = f"clients {numbers[0][0]} to {numbers[1][0]}"
            rest = [_CLIENT.sub("", deed, count=1) for deed in block]
            said.append(f"{who} {rest[0]}" if length == 1 else f"{who}, one by one, each {', '.join(rest)}")
        elif length == 1:
            said.append(f"{block[0]} ({times} times)")
        else:
            said.append(f"{', '.join(block)} (all that {times} times)")
    return said


def _repetition(deeds: Sequence[str], place: int) -> tuple[int, int]:
    """How many deeds from *place* on make a block that is repeated, and how often; (1, 1) if none does."""
    for length in range(1, LONGEST_BLOCK + 1):
        block = deeds[place : place + length]
        if length > 1 and len({_NUMBER.sub("N", deed).partition(" N")[0] for deed in block}) > 1:
            continue
        times = 1
        while _repeats(block, deeds[place + times * length : place + (times + 1) * length], times):
            times += 1
        if times > 1 and (length == 1 or times > 2):
            return length, times
    return 1, 1


def _repeats(block: Sequence[str], later: Sequence[str], times: int) -> bool:
    """Whether *later* is *block*, done by the same clients, or all by the client *times* numbers further."""
    if list(map(_pattern, block)) != list(map(_pattern, later)):
        return False
    ours, theirs = (_numbers(block), _numbers(later))
    return theirs == ours or (len(set(ours)) == 1 and theirs == [number + times for number in ours])


def _numbers(deeds: Sequence[str]) -> list[int]:
    return [int(found[0]) if (found := _NUMBER.search(deed)) else 0 for deed in deeds]


def _pattern(deed: str) -> str:
    """What two deeds have in common that differ in the client and in what exactly it sent only."""
    return _CONTENT.sub('""', _NUMBER.sub("N", deed))


def shortened(deeds: Sequence[str]) -> list[str]:
    """The beginning and the end of a long story, and how much is left out between them."""
    if len(deeds) <= HEAD + TAIL + 1:
        return list(deeds)
    return [*deeds[:HEAD], f"({len(deeds) - HEAD - TAIL} more steps)", *deeds[-TAIL:]]
