"""What happened in a check, in order: the raw material of every explanation."""

from __future__ import annotations

import time
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
        folded: list[list[object]] = []
        for event in self.events:
            if event.who != "peer":
                continue
            if folded and folded[-1][0] == event.what:
                folded[-1][1] = int(str(folded[-1][1])) + 1
            else:
                folded.append([event.what, 1])
        return [f"{what} ({times} times)" if times != 1 else str(what) for what, times in folded]
