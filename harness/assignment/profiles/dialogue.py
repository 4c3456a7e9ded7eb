"""dialogue: a protocol of a teacher's own, declared step by step in the assignment file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.assignment.dialogue import EXAMPLE, Act, Dialogue, Step
from harness.assignment.profiles._base import CannotAsk, Judgement, Profile, ServerProfile, Standing
from harness.assignment.profiles._client import ClientProfile, Turn
from harness.assignment.profiles._difference import difference, shown
from harness.assignment.transport import STREAMS, Transport

_NAME = "dialogue"
_SUMMARY = "says what the assignment's table [dialogue] expects, when it is told what is sent there"
_TRANSPORTS = (*STREAMS, Transport.UNIX_SEQPACKET)


class Scripted:
    """What the profiles of this file share: the dialogue."""

    script: Dialogue = EXAMPLE
    declared: bool = False
    """Whether an assignment has declared the dialogue; otherwise it is an example."""


@dataclass(frozen=True)
class Round:
    """One turn of the first connection: what is greeted with, what is asked in one or several sends, what is answered."""

    greeting: tuple[Step, ...]
    sends: tuple[bytes, ...]
    answer: tuple[Step, ...]
    #: Our end of the connection comes before the answer.
    after_end: bool
    #: The program ends the connection after the answer.
    ends: bool

    @property
    def request(self) -> bytes:
        """All that is sent."""
        return b"".join(self.sends)


class DialogueServer(Scripted, ServerProfile):
    """A server; the request of the checks that are not about this dialogue is its first turn."""

    name = _NAME
    summary = _SUMMARY
    transports = _TRANSPORTS
    options = frozenset({"closes"})
    long_requests: ClassVar[bool] = False

    @property
    def one_request(self) -> bool:
        """Whoever asks again connects again, unless the dialogue says that it repeats."""
        return not self.script.repeats or self.contract.closes == "server"

    def opening(self) -> Round:
        """The first turn of the first connection, or CannotAsk where that depends on others."""
        if not self.script.alike:
            raise CannotAsk("clients are not all answered alike (dialogue.alike)")
        return opening(self.script)

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        """What is sent up to the first answer; nothing in it can be changed."""
        request = self.opening().request
        if size is not None and size != len(request):
            raise CannotAsk("the dialogue says what is sent: there is no request of another length")
        return request

    def carry(self, data: bytes) -> bytes:
        """The dialogue says what is sent."""
        raise CannotAsk("the dialogue says what is sent: there is no request with other bytes")

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        """Cut in the middle of a request that is sent in one piece."""
        if len(self.opening().sends) != 1 or len(request) < 2:
            raise CannotAsk("a part of what is sent may be answered by itself")
        return request[: len(request) // 2], request[len(request) // 2 :]

    def must_close(self, sent: bytes, *, eof_sent: bool) -> bool:
        """After the client's end, or where the dialogue says so."""
        first = self.opening()
        return eof_sent or (first.ends and len(sent) >= len(first.request))

    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        """Against the first turn, as often as it was asked for; what is said to anything else is left open."""
        first = self.opening()
        times = len(sent) // len(first.request) if first.request else 1
        exact = sent == first.request * times and (times == 1 or self.script.repeats)
        asked_for = times >= 1 and sent.startswith(first.request) and (eof_sent or not first.after_end)
        owed = first.greeting + first.answer * ((times if exact else 1) if asked_for else 0)
        judged = match(owed, received)
        if judged.standing is Standing.WRONG and not (exact and asked_for):
            # A part of a request, or more than the dialogue knows: an error message is an answer, too.
            extra = judged.offset is not None and judged.offset >= len(judged.expected or b"")
            if extra or eof_sent:
                return Judgement(Standing.SETTLED, None, None, "what comes then is left open")
        return judged


def opening(script: Dialogue) -> Round:
    """The first turn of the first connection of *script*."""
    first, others = script.connections()[:1], set(script.connections()[1:])
    greeting: list[Step] = []
    sends: list[bytes] = []
    answer: list[Step] = []
    after_end = ends = False
    for step in script.steps:
        if step.on in others:
            if answer or (greeting and not sends):
                break
            raise CannotAsk("what is answered depends on other connections")
        if step.on not in first or step.act is Act.SILENCE:
            continue
        if step.act is Act.SEND:
            if answer:
                break
            sends.append(step.data)
        elif step.act is Act.EXPECT:
            (answer if sends or after_end else greeting).append(step)
        elif step.act is Act.EXPECT_END:
            ends = not after_end
            break
        elif step.end != "finish":
            break
        else:
            if answer:
                break
            after_end = True
    return Round(tuple(greeting), tuple(sends), tuple(answer), after_end, ends)


def match(owed: Sequence[Step], received: bytes) -> Judgement:
    """How *received* stands to the steps *owed*, one after the other."""
    if all(step.pattern is None for step in owed):
        return _exactly(b"".join(step.data for step in owed), received)
    place = 0
    for number, step in enumerate(owed, start=1):
        rest = received[place:]
        if step.pattern is None:
            agreed = _agreed(step.data, rest)
            if agreed < len(step.data):
                if agreed < len(rest):
                    why = difference(step.data, agreed, rest[agreed:])
                    return Judgement(Standing.WRONG, None, place + agreed, why)
                return Judgement(Standing.OWING, None, None, f"{shown(step.data[agreed:])} is still missing")
            place += len(step.data)
            continue
        found = re.match(b"(?:" + step.regex + b")", rest)
        if found is None:
            return Judgement(Standing.OWING, None, None, f"nothing that matches {step.pattern!r} has come")
        place += found.end()
        if number == len(owed) and place < len(received):
            if received[:place].endswith(b"\n"):
                return Judgement(Standing.WRONG, None, place, f"{shown(received[place:])} came after it")
            return Judgement(Standing.OWING, None, None, f"{shown(rest)} does not match {step.pattern!r}")
    if place < len(received):
        return Judgement(Standing.WRONG, None, place, f"{shown(received[place:])} came after it")
    return Judgement(Standing.SETTLED, None)


def _exactly(expected: bytes, received: bytes) -> Judgement:
    agreed = _agreed(expected, received)
    if agreed < len(received):
        return Judgement(Standing.WRONG, expected, agreed, difference(expected, agreed, received[agreed:]))
    standing = Standing.SETTLED if agreed == len(expected) else Standing.OWING
    return Judgement(standing, expected)


def _agreed(expected: bytes, received: bytes) -> int:
    for place, (one, other) in enumerate(zip(expected, received, strict=False)):
        if one != other:
            return place
    return min(len(expected), len(received))


class DialogueClient(Scripted, ClientProfile):
    """A client; what it says, and when, is asked by dialogue/* alone."""

    name = _NAME
    summary = _SUMMARY
    transports = tuple(transport for transport in _TRANSPORTS if transport is not Transport.TCP_DUAL)
    reads_input: ClassVar[bool] = True

    def turn(self, token: int, size: int | None = None) -> Turn:
        """There is none that one could make up."""
        raise CannotAsk("the dialogue says what is said: dialogue/* asks for it")

    def telling(self, token: int) -> list[Turn]:
        """As `turn`."""
        raise CannotAsk("the dialogue says what is said: dialogue/* asks for it")


def scripted(script: Dialogue) -> Profile:
    """The profile of programs that play their part in *script*."""
    if script.role == "client":
        profile: DialogueServer | DialogueClient = DialogueClient()
    else:
        profile = DialogueServer()
    profile.script, profile.declared = script, True
    if isinstance(profile, DialogueServer) and script.steps:
        try:
            first = opening(script)
        except CannotAsk:
            return profile
        # Of this dialogue, not of every one: so they belong to the instance.
        vars(profile)["prompt"] = not first.after_end
        vars(profile)["speaks_first"] = not first.sends
        vars(profile)["defaults"] = {"closes": "server" if first.ends else "client"}
    return profile


PROFILE = DialogueServer()
