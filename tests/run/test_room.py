"""What a chat room makes of the lines that its members get; the members are dummies, and no program is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from harness.assignment.profiles.chat import PROFILE
from harness.stage.room import Line, Room


@dataclass(eq=False)
class Dummy:
    """What a room needs of a member that listens."""

    name: str
    accepted: bool = True
    listens: bool = True
    lazy: bool = False
    typed: bytes = b""
    lines: list[Line] = field(default_factory=list)
    echoes: list[bytes] = field(default_factory=list)
    heard_up_to: dict[Any, int] = field(default_factory=dict)


def room_of(number: int) -> tuple[Room, list[Any]]:
    room = Room(SimpleNamespace(profile=PROFILE))  # type: ignore[arg-type]
    members: list[Any] = [Dummy(f"client {n}") for n in range(1, number + 1)]
    room.members += members
    return room, members


FIRST, SECOND = b"the first line of all", b"and the second one of them"


def test_lines_in_order_are_right() -> None:
    room, (speaker, other) = room_of(2)
    for text in (FIRST, SECOND):
        room.hear_from(speaker, text)
    assert not room.delivered(speaker)
    for text in (FIRST, SECOND):
        room.got(other, b"somebody: " + text)
    assert room.delivered(speaker) and room.wrong is None


def test_lines_of_one_speaker_keep_their_order() -> None:
    room, (speaker, other) = room_of(2)
    for text in (FIRST, SECOND):
        room.hear_from(speaker, text)
    room.got(other, SECOND)
    assert room.wrong is not None and "which was said earlier" in room.wrong


def test_a_line_that_was_not_owed_may_be_left_out() -> None:
    room, (speaker, other) = room_of(2)
    other.accepted = False
    room.hear_from(speaker, FIRST)
    other.accepted = True
    room.hear_from(speaker, SECOND)
    room.got(other, SECOND)
    assert room.wrong is None and room.delivered(speaker)


def test_a_line_comes_once() -> None:
    room, (speaker, other) = room_of(2)
    room.hear_from(speaker, FIRST)
    room.got(other, FIRST)
    room.got(other, FIRST)
    assert room.wrong is not None and "more than once" in room.wrong


def test_members_that_have_not_met_cost_nothing() -> None:
    """Each of a thousand may speak, and each of the others hears them: nothing is kept for a pair before that."""
    room, members = room_of(100)
    for number, speaker in enumerate(members):
        room.hear_from(speaker, FIRST + b" %d" % number)
    assert not any(member.heard_up_to for member in members)
