"""A chat room: who has said what, who is owed it, and what they got.

A line is owed to every member whom the program is known to have accepted when it was said, and who is still
there and reads.  To others it may come as well, since nobody can tell in which order the program learns of a
new member and of a line.  Lines of one member arrive in the order in which they were said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from harness.assignment.profiles.chat import Chat
from harness.verdict.outcome import Violation
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.stage.member import Member
    from harness.stage.server import Server

#: So many bytes in a row of what was said do not occur in a line of the server's own by chance.
TELLING = 8
#: Of what was said, so much is remembered for that, in bytes.
REMEMBERED = 1 << 16


@dataclass(eq=False, slots=True)
class Line:
    """One line that was said."""

    speaker: Member
    text: bytes
    #: Its place among the lines of its speaker.
    place: int
    #: Those to whom it is owed and has not come yet.
    owed: set[Member]
    #: Those to whom it has come, as it came.
    heard: dict[Member, bytes] = field(default_factory=dict)


class Room:
    """The members of one instance."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.profile = cast(Chat, server.profile)
        self.members: list[Member] = []
        self.said: list[Line] = []
        #: What cannot be right, as a sentence; None while there is nothing.
        self.wrong: str | None = None
        #: What was said may come back altered (an urgent byte in the middle of it).
        self.altered = False
        self._by_end: dict[bytes, list[Line]] = {}
        self._ends: set[int] = set()
        self._windows: set[bytes] = set()
        self._remembered = 0

    def pump(self) -> int:
        """Move what can be moved for every member; how much that was."""
        return sum(member.breathe() for member in self.members)

    @property
    def moved(self) -> int:
        """Bytes moved so far, by all members."""
        return sum(member.peer.moved for member in self.members)

    # -- what is said ------------------------------------------------------------------------

    def hear_from(self, speaker: Member, text: bytes) -> None:
        """*speaker* says *text* (a whole line, without its end); nobody is owed an empty one, which may be left out."""
        if not text.strip():
            return
        owed = {m for m in self.members if m is not speaker and m.accepted and m.listens}
        line = Line(speaker, text, len(speaker.lines), owed)
        self.said.append(line)
        speaker.lines.append(line)
        end = text[-TELLING:]
        self._by_end.setdefault(end, []).append(line)
        self._ends.add(len(end))
        self.remember(text)

    def remember(self, text: bytes) -> None:
        """*text* goes to the program: it must not turn up in lines of which it is no part."""
        if self._remembered < REMEMBERED:
            self._remembered += len(text)
            self._windows.update(text[at : at + TELLING] for at in range(len(text) - TELLING + 1))

    def delivered(self, speaker: Member) -> bool:
        """Whether everybody has got what *speaker* said, as far as it is owed."""
        return not any(not member.lazy for line in speaker.lines for member in line.owed)

    @staticmethod
    def _overdue(line: Line) -> set[Member]:
        """Those who read, to whom *line* is owed."""
        return {member for member in line.owed if not member.lazy}

    def owed_to(self, member: Member) -> list[Line]:
        """The lines that *member* has not got yet, in the order in which they were said."""
        return [line for line in self.said if member in line.owed]

    def is_owed_nothing(self, member: Member) -> None:
        """*member* is gone, or reads no more: nothing is owed to it from now on."""
        for line in self.said:
            line.owed.discard(member)

    def may_be_lost(self, speaker: Member) -> None:
        """*speaker* has cut its connection: what has not come to the others may be lost with it."""
        for line in speaker.lines:
            line.owed.clear()

    # -- what is got -------------------------------------------------------------------------

    def got(self, member: Member, raw: bytes) -> None:
        """*member* got the line *raw*, without its line end."""
        for length in sorted(self._ends, reverse=True):
            for line in self._by_end.get(raw[-length:], ()) if len(raw) >= length else ():
                if raw.endswith(line.text) and self._take(member, raw, line):
                    return
        # Whoever left in the middle of a line may be quoted as far as that went: at the end of file it is a line.
        left = (other.typed for other in self.members if other.typed and not other.listens)
        if self.altered or any(raw.endswith(typed) for typed in left):
            return
        fragment = self._fragment(raw)
        if fragment is not None:
            self._is_wrong(
                f"{member.name} got the line {literal(raw)}: it contains {literal(fragment)} of what was said, "
                "but does not end with the text of a line exactly as it was said"
            )

    def _take(self, member: Member, raw: bytes, line: Line) -> bool:
        if line.speaker is member:
            member.echoes.append(raw)
            return True
        if member in line.heard:
            others = [other for other in self._by_end[line.text[-TELLING:]] if other.text == line.text]
            if all(member in other.heard for other in others):
                self._is_wrong(f"{member.name} got the line {literal(raw)} more than once")
                return True
            return False
        if not self.altered and not self.profile.passes_on(raw, line.text):
            self._is_wrong(
                f"{member.name} got the line {literal(raw)}: before the text {literal(line.text)} stands "
                f"{literal(raw[: len(raw) - len(line.text)])}, {self._asked_prefix()}"
            )
            return True
        prefix = raw[: len(raw) - len(line.text)]
        if (merged := self._fragment(prefix)) is not None and not self.altered:
            self._is_wrong(
                f"{member.name} got the line {literal(raw)}: before the text {literal(line.text)} stands "
                f"{literal(merged)}, which is part of something else that was said"
            )
        line.heard[member] = raw
        line.owed.discard(member)
        if not line.owed:
            line.owed.clear()  # a set keeps its table when it gets smaller: tens of KiB for a thousand members
        self._in_order(member, line)
        return True

    def _in_order(self, member: Member, line: Line) -> None:
        # A place for each two of them that have met, and no queue: there may be a thousand members.
        place = member.heard_up_to.get(line.speaker, 0)
        member.heard_up_to[line.speaker] = max(place, line.place + 1)
        for first in line.speaker.lines[place : line.place]:
            if member in first.owed:
                self._is_wrong(
                    f"{member.name} got {literal(line.text)} of {line.speaker.name} before {literal(first.text)}, "
                    "which was said earlier"
                )

    def _asked_prefix(self) -> str:
        pattern = self.profile.contract.prefix
        return f"which does not match {pattern!r}" if pattern else "which holds control characters"

    def _fragment(self, raw: bytes) -> bytes | None:
        """The first bytes of *raw* that are part of what was said; None if it holds nothing of that."""
        windows = (raw[at : at + TELLING] for at in range(len(raw) - TELLING + 1))
        return next((window for window in windows if window in self._windows), None)

    def _is_wrong(self, why: str) -> None:
        if self.wrong is None:
            self.wrong = why

    def admit(self) -> None:
        """The program has done all it can: who is still connected has been accepted, the others were turned away."""
        self.pump()
        for member in self.members:
            if not member.accepted and not member.closed:
                member.accepted = not member.peer.over
                member.listens = member.listens and member.accepted

    @property
    def somebody_listens(self) -> bool:
        """Whether there is a member whom what the others say is owed to."""
        return any(member.listens and not (member.lazy or member.peer.over) for member in self.members)

    @property
    def awaits(self) -> bool:
        """Whether it is open for some member if the program has accepted it."""
        return any(not (member.accepted or member.closed) for member in self.members)

    def expect_unique_ids(self) -> None:
        """Each member is known by one id, and no two by the same."""
        ids: dict[str, Member] = {}
        for line in self.said:
            for raw in line.heard.values():
                speaker = self.profile.speaker(raw, line.text)
                if speaker is None:
                    continue
                if ids.setdefault(speaker, line.speaker) is not line.speaker:
                    raise Violation(
                        f"{ids[speaker].name} and {line.speaker.name} are both called {speaker!r}.",
                        kind="same-id",
                    )
        for member in {line.speaker for line in self.said}:
            own = sorted(name for name, who in ids.items() if who is member)
            if len(own) > 1:
                raise Violation(f"{member.name} is called {' and '.join(own)}.", kind="two-ids")

    # -- in words ----------------------------------------------------------------------------

    def missing(self, speaker: Member) -> str:
        """Who did not get what, in a sentence without a full stop."""
        line = next(line for line in speaker.lines if self._overdue(line))
        member = min(self._overdue(line), key=self.members.index)
        lost = sum(member in other.owed for other in speaker.lines)
        of = f", the first of {count(lost, 'line')} that are missing" if lost > 1 else ""
        got = f"it got {literal(bytes(member.received[-120:]), 120)}" if member.received else "it got nothing"
        if member.peer.over:
            got += "; the program has closed its connection"
        return f"{member.name} did not get the line {literal(line.text)} that {speaker.name} said{of}, and will not; {got}"
