"""A dialogue as a teacher writes it down: who says what, step by step (the table ``[dialogue]``).

The steps are told from our side: what is sent is sent to the program, what is expected comes from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, get_args

from harness.assignment.kinds import NOTHING, Flag, OneOf, Report, Unfit, shown
from harness.assignment.problem import either, nearest
from harness.assignment.setting import setting

Speaker = Literal["server", "client"]
End = Literal["finish", "close", "reset"]

#: The connection of a step that does not say on which it is.
FIRST = "client"


class Act(Enum):
    """What happens in a step."""

    SEND = "sent to the program"
    EXPECT = "comes from the program"
    SILENCE = "nothing comes from the program"
    EXPECT_END = "the program ends the connection"
    END = "our side ends the connection"
    TYPE = "typed into its stdin"
    END_INPUT = "its stdin ends"
    PRINTS = "is on its standard output in the end"


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the connection *on*; *data* is exact, *pattern* a regular expression that the bytes match."""

    act: Act
    on: str = FIRST
    data: bytes = b""
    pattern: str | None = None
    end: End = "finish"
    #: Its place in the list, from 1, for messages.
    number: int = 0

    @property
    def regex(self) -> bytes:
        """What must come, as a regular expression."""
        return re.escape(self.data) if self.pattern is None else self.pattern.encode()


@dataclass(frozen=True)
class _Verb:
    """A key of a step: what it means, and how its value is read."""

    act: Act
    expects: str
    read: Callable[[object], Mapping[str, object] | str]


def _text(value: object) -> Mapping[str, object] | str:
    return {"data": value.encode()} if isinstance(value, str) and value else "a text in quotes, not empty"


def _hex(value: object) -> Mapping[str, object] | str:
    expected = 'bytes in hexadecimal: "00 ff 0a"'
    if not isinstance(value, str) or not value.strip():
        return expected
    try:
        return {"data": bytes.fromhex(value)}
    except ValueError:
        return expected


def _regex(value: object) -> Mapping[str, object] | str:
    expected = "a regular expression (Python's re) in quotes"
    if not isinstance(value, str):
        return expected
    try:
        if re.compile(value.encode()).fullmatch(b""):
            return f"{expected} that does not match nothing at all"
    except re.error as error:
        return f"{expected}; {error}"
    return {"pattern": value}


def _end(value: object) -> Mapping[str, object] | str:
    return {"end": value} if value in get_args(End) else either(f'"{word}"' for word in get_args(End))


def _true(value: object) -> Mapping[str, object] | str:
    return {} if value is True else "true (or leave the step out)"


#: What a step can say; exactly one of these, and perhaps ``on``.
VERBS: Mapping[str, _Verb] = {
    "send": _Verb(Act.SEND, "a text", _text),
    "send_hex": _Verb(Act.SEND, "bytes", _hex),
    "expect": _Verb(Act.EXPECT, "a text", _text),
    "expect_hex": _Verb(Act.EXPECT, "bytes", _hex),
    "expect_regex": _Verb(Act.EXPECT, "a regular expression", _regex),
    "expect_nothing": _Verb(Act.SILENCE, "true", _true),
    "expect_end": _Verb(Act.EXPECT_END, "true", _true),
    "end": _Verb(Act.END, "how", _end),
    "type": _Verb(Act.TYPE, "a text", _text),
    "end_input": _Verb(Act.END_INPUT, "true", _true),
    "prints": _Verb(Act.PRINTS, "a text", _text),
    "prints_regex": _Verb(Act.PRINTS, "a regular expression", _regex),
}


@dataclass(frozen=True)
class Steps:
    """The kind of ``dialogue.steps``: a list of tables, each with one verb."""

    is_mapping: bool = field(default=False, init=False)
    expects: str = field(
        default='a list of steps: [{ send = "HELLO\\n" }, { expect_regex = "HI [0-9]+\\n" }]; a step has one of '
        + ", ".join(VERBS)
        + ', and perhaps on = "NAME" of a connection',
        init=False,
    )

    def read(self, value: object, report: Report) -> object:
        """A tuple of steps."""
        if not isinstance(value, list) or not value:
            report(Unfit(shown(value), self.expects))
            return NOTHING
        steps = [_step(item, index, report) for index, item in enumerate(value)]
        return NOTHING if None in steps else tuple(steps)


def _step(item: object, index: int, report: Report) -> Step | None:
    where = f"step {index + 1}"
    if not isinstance(item, dict):
        report(Unfit(f"{shown(item)} as {where}", 'a step in braces: { send = "text" }', None, (index,)))
        return None
    unknown = [key for key in item if key not in VERBS and key != "on"]
    for key in unknown:
        close = nearest(key, [*VERBS, "on"])
        report(Unfit(f"the word {key} in {where}", either([*VERBS, "on"]), close, (index, key)))
    verbs = [key for key in item if key in VERBS]
    if unknown or len(verbs) != 1:
        if not unknown:
            found = f"{' and '.join(verbs) or 'none'} in {where}"
            report(Unfit(found, f"one of {either(VERBS)} in each step", None, (index,)))
        return None
    on = item.get("on", FIRST)
    if not isinstance(on, str) or not on.strip():
        report(
            Unfit(f"on = {shown(on)} in {where}", "the name of a connection, in quotes", None, (index, "on"))
        )
        return None
    (verb,) = verbs
    read = VERBS[verb].read(item[verb])
    if isinstance(read, str):
        close = nearest(item[verb], get_args(End)) if verb == "end" and isinstance(item[verb], str) else None
        report(Unfit(f"{verb} = {shown(item[verb])} in {where}", read, close, (index, verb)))
        return None
    return Step(VERBS[verb].act, on, number=index + 1, **read)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Dialogue:
    """The table ``[dialogue]``: only with the profile ``dialogue``."""

    role: Speaker = field(
        default="server",
        metadata=setting(OneOf(get_args(Speaker)), "What the program is; we play the other side."),
    )
    steps: tuple[Step, ...] = field(
        default=(),
        metadata=setting(Steps(), "What is said, in order, told from our side of the conversation."),
    )
    alike: bool = field(
        default=True,
        metadata=setting(
            Flag(),
            "Whether every client that begins as the first connection does is answered so; if not, only dialogue/* "
            "asks about what is said.",
        ),
    )
    repeats: bool = field(
        default=False,
        metadata=setting(
            Flag(), "Whether a client may say the same once more on its connection, and is answered so again."
        ),
    )

    def connections(self) -> list[str]:
        """The names of the connections, in the order in which they come."""
        return list(dict.fromkeys(step.on for step in self.steps if step.act not in _ASIDE))

    def mistakes(self) -> Iterator[tuple[int, str, str]]:
        """Steps that cannot be: the index, what is there, what could be."""
        ended: dict[str, str] = {}
        for index, step in enumerate(self.steps):
            if self.role == "server" and step.act in _ASIDE:
                words = either(verb for verb, meaning in VERBS.items() if meaning.act not in _ASIDE)
                yield (
                    index,
                    f"step {step.number} is about the program's stdin or stdout",
                    f"{words} for a server",
                )
            elif step.act not in _ASIDE:
                before = ended.get(step.on)
                speaks = step.act in (Act.SEND, Act.END)
                if before == "whole" or (before == "ours" and speaks):
                    yield index, f"step {step.number} on a connection that is over", "it before the end"
                if step.act is Act.EXPECT_END or (step.act is Act.END and step.end != "finish"):
                    ended[step.on] = "whole"
                elif step.act is Act.END:
                    ended[step.on] = "ours"


#: Acts beside the connections.
_ASIDE = (Act.TYPE, Act.END_INPUT, Act.PRINTS)

#: What ``sockspec init`` begins with.
EXAMPLE = Dialogue(
    steps=(
        Step(Act.EXPECT, data=b"READY\n", number=1),
        Step(Act.SEND, data=b"HELLO ada\n", number=2),
        Step(Act.EXPECT, pattern="HI ada, you are number [0-9]+\n", number=3),
    )
)
EXAMPLE_TEXT = r"""steps = [
    { expect = "READY\n" },
    { send = "HELLO ada\n" },
    { expect_regex = "HI ada, you are number [0-9]+\n" },
]"""
