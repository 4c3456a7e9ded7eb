"""The kinds of value a field can have: each knows its valid values and says what it expected.

A kind never stops at the first mistake: it reports each one, with the place inside
the value, and returns what it could read, or :data:`NOTHING`.
"""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.assignment.problem import either, nearest


@dataclass(frozen=True, slots=True)
class Unfit:
    """A mistake in a value; *inside* leads from the value to the place (keys and indices)."""

    found: str
    expected: str
    nearest: str | None = None
    inside: tuple[str | int, ...] = ()


Report = Callable[[Unfit], None]


class Nothing:
    """The type of :data:`NOTHING`."""


#: What a kind returns for a value of which nothing can be used.
NOTHING = Nothing()


class Kind(Protocol):
    """A set of values: *expects* describes it; *is_mapping* says whether single keys can be set."""

    @property
    def expects(self) -> str:
        """The allowed values, in words."""

    @property
    def is_mapping(self) -> bool:
        """Whether ``--set table.field.key=value`` can set one entry of it."""

    def read(self, value: object, report: Report) -> object:
        """*value* as the field keeps it; mistakes go to *report*."""


def shown(value: object) -> str:
    """*value* as TOML would write it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = '"' + value.replace('"', '\\"') + '"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class _Kind:
    is_mapping: bool = field(default=False, init=False)


@dataclass(frozen=True)
class OneOf(_Kind):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def expects(self) -> str:
        """The words."""
        return either(f'"{word}"' for word in self.words)

    def read(self, value: object, report: Report) -> object:
        """The word itself."""
        if isinstance(value, str) and value in self.words:
            return value
        close = nearest(value, self.words) if isinstance(value, str) else None
        report(Unfit(shown(value), self.expects, close))
        return NOTHING


@dataclass(frozen=True)
class Flag(_Kind):
    """true or false."""

    expects: str = field(default="true or false", init=False)

    def read(self, value: object, report: Report) -> object:
        """The flag; the words "true" and "yes" in quotes are not flags."""
        if isinstance(value, bool):
            return value
        close = nearest(value, ("true", "false")) if isinstance(value, str) else None
        report(Unfit(shown(value), self.expects, close))
        return NOTHING


@dataclass(frozen=True)
class Number(_Kind):
    """A number from *least* to *most*, in *unit*; a whole one unless *fractions*."""

    least: float
    most: float | None = None
    unit: str = ""
    fractions: bool = False

    @property
    def expects(self) -> str:
        """The range and the unit."""
        noun = "a number" if self.fractions else "a whole number"
        limits = (
            f"of at least {self.least:g}" if self.most is None else f"from {self.least:g} to {self.most:g}"
        )
        return f"{noun} {limits}{' (' + self.unit + ')' if self.unit else ''}"

    def read(self, value: object, report: Report) -> object:
        """The number as it was written."""
        numeric = isinstance(value, (int, float) if self.fractions else int) and not isinstance(value, bool)
        if numeric and isinstance(value, (int, float)):
            most = sys.float_info.max if self.most is None else self.most  # so that inf and nan are refused
            if self.least <= value <= most:
                return value
        report(Unfit(shown(value), self.expects))
        return NOTHING


@dataclass(frozen=True)
class Text(_Kind):
    """Any text without NUL."""

    expects: str = field(default="a text in quotes", init=False)

    def read(self, value: object, report: Report) -> object:
        """The text itself."""
        if isinstance(value, str) and "\0" not in value:
            return value
        report(Unfit(shown(value), self.expects))
        return NOTHING


@dataclass(frozen=True)
class Pattern(_Kind):
    """A regular expression of Python's ``re``."""

    expects: str = field(default="a regular expression (Python's re) in quotes", init=False)

    def read(self, value: object, report: Report) -> object:
        """The expression as text, known to compile, also as bytes."""
        if not isinstance(value, str):
            report(Unfit(shown(value), self.expects))
            return NOTHING
        try:
            re.compile(value.encode())
        except re.error as error:
            report(Unfit(f"{shown(value)} ({error})", self.expects))
            return NOTHING
        return value


@dataclass(frozen=True)
class Patterns(_Kind):
    """A list of regular expressions of Python's ``re``."""

    expects: str = field(default="a list of regular expressions (Python's re) in quotes", init=False)

    def read(self, value: object, report: Report) -> object:
        """A tuple of the expressions, known to compile."""
        if not isinstance(value, list):
            report(Unfit(shown(value), self.expects))
            return NOTHING
        read = []
        for index, item in enumerate(value):
            read.append(Pattern().read(item, lambda unfit, at=index: report(replace(unfit, inside=(at,)))))  # type: ignore[misc]
        return NOTHING if NOTHING in read else tuple(read)


@dataclass(frozen=True)
class FileMode(_Kind):
    """Permission bits of a file (chmod(2))."""

    expects: str = field(default='permission bits, octal: "0600" or 0o600', init=False)

    def read(self, value: object, report: Report) -> object:
        """The bits as a number."""
        if isinstance(value, str) and re.fullmatch(r"(0o)?[0-7]{3,4}", value):
            return int(value.removeprefix("0o"), 8)
        # A TOML integer 600 is decimal and certainly not what was meant: 0o600 is 384.
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and 0 <= value <= 0o777
            and value not in (600, 644)
        ):
            return value
        report(Unfit(shown(value), self.expects))
        return NOTHING


def _texts(value: list[object], expected: str, report: Report) -> tuple[str, ...]:
    texts = []
    for index, item in enumerate(value):
        if isinstance(item, str) and "\0" not in item:
            texts.append(item)
        else:
            report(Unfit(shown(item), expected, None, (index,)))
    return tuple(texts)


@dataclass(frozen=True)
class Texts(_Kind):
    """A list of texts."""

    expects: str = field(default="a list of texts in quotes", init=False)

    def read(self, value: object, report: Report) -> object:
        """A tuple of the texts."""
        if isinstance(value, list):
            return _texts(value, "a text in quotes", report)
        report(Unfit(shown(value), self.expects))
        return NOTHING


@dataclass(frozen=True)
class Argv(_Kind):
    """A program with its arguments, run without a shell."""

    expects: str = field(
        default="a list of texts, the program first; or one text, split at blanks as a shell splits it",
        init=False,
    )

    def read(self, value: object, report: Report) -> object:
        """A tuple of words, at least one."""
        words: tuple[str, ...] = ()
        if isinstance(value, list):
            words = _texts(value, "a text in quotes", report)
            if value and len(words) < len(value):
                return NOTHING
        elif isinstance(value, str):
            try:
                words = tuple(shlex.split(value))
            except ValueError as error:
                report(Unfit(f"{shown(value)} ({str(error).lower()})", self.expects))
                return NOTHING
        if not words or not words[0]:
            report(Unfit(shown(value), self.expects))
            return NOTHING
        return words


@dataclass(frozen=True)
class Command(_Kind):
    """A text for ``sh -c``, or a list: a program with its arguments, without a shell."""

    expects: str = field(default="a text for sh, or a list of texts, the program first", init=False)

    def read(self, value: object, report: Report) -> object:
        """The text, or a tuple of words."""
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list) and value:
            words = _texts(value, "a text in quotes", report)
            return words if len(words) == len(value) else NOTHING
        report(Unfit(shown(value), self.expects))
        return NOTHING


@dataclass(frozen=True)
class ExitStatus(_Kind):
    """How a program may end by itself (exit(3)): a status, or whichever it likes."""

    expects: str = field(default='an exit status from 0 to 255, or "any"', init=False)

    def read(self, value: object, report: Report) -> object:
        """The status."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value == "any" or (whole and 0 <= value <= 255):  # type: ignore[operator]
            return value
        report(
            Unfit(shown(value), self.expects, nearest(value, ("any",)) if isinstance(value, str) else None)
        )
        return NOTHING


@dataclass(frozen=True)
class _Mapping:
    is_mapping: bool = field(default=True, init=False)
    expects: str = field(default="a table", init=False)

    def entry(self, key: str, value: object, report: Report) -> object:
        """The value of one entry, or NOTHING."""
        raise NotImplementedError

    def read(self, value: object, report: Report) -> object:
        """A dict of the entries that are right."""
        if not isinstance(value, dict):
            report(Unfit(shown(value), self.expects))
            return NOTHING
        entries = {key: self.entry(key, item, report) for key, item in value.items()}
        return {key: item for key, item in entries.items() if item is not NOTHING}


@dataclass(frozen=True)
class Environment(_Mapping):
    """Names and texts (environ(7))."""

    expects: str = field(default='a table of texts: { NAME = "text" }', init=False)

    def entry(self, key: str, value: object, report: Report) -> object:
        """The text."""
        if not key or "=" in key or "\0" in key:
            report(Unfit(f"the name {shown(key)}", "a name without = in it", None, (key,)))
            return NOTHING
        if isinstance(value, str) and "\0" not in value:
            return value
        report(Unfit(f"{key} = {shown(value)}", "a text in quotes", None, (key,)))
        return NOTHING


@dataclass(frozen=True)
class Points(_Mapping):
    """Points by check id or glob."""

    expects: str = field(default='a table of points: { "half-close/*" = 10 }', init=False)

    def entry(self, key: str, value: object, report: Report) -> object:
        """The points."""
        points = Number(0, fractions=True).read(value, lambda unfit: None)
        if points is NOTHING:
            report(Unfit(f"{shown(key)} = {shown(value)}", "points, a number of at least 0", None, (key,)))
        return points


#: Signals a program can catch, and so can be asked to end on (signal(7)).
_CATCHABLE = tuple(sorted(sig.name for sig in signal.Signals if sig.name not in ("SIGKILL", "SIGSTOP")))


@dataclass(frozen=True)
class StopStatuses(_Mapping):
    """The wait status agreed for each stop signal."""

    expects: str = field(
        default='a table: { SIGTERM = 0, SIGINT = 0 }; each an exit status from 0 to 255, "signal" or "any"',
        init=False,
    )

    def entry(self, key: str, value: object, report: Report) -> object:
        """The status."""
        if key not in _CATCHABLE:
            close = nearest(key, ("SIGTERM", "SIGINT")) or nearest(f"SIG{key}", _CATCHABLE)
            expected = "the name of a signal that can be caught, like SIGTERM or SIGINT"
            report(Unfit(f"the signal {key}", expected, close, (key,)))
            return NOTHING
        if value in ("signal", "any") or (
            isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
        ):
            return value
        close = nearest(value, ("signal", "any")) if isinstance(value, str) else None
        expected = 'an exit status from 0 to 255, "signal" (it dies of it) or "any"'
        report(Unfit(f"{key} = {shown(value)}", expected, close, (key,)))
        return NOTHING
