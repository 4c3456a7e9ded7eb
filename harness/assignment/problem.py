"""A mistake in an assignment, said so that its author can mend it without asking anybody."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A place: a file with a line, counted from 1, or an option as it was written."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where, what is there, what could be there, the nearest valid word, what to do."""

    where: Where
    found: str
    expected: str
    nearest: str | None = None
    next_step: str = ""

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.found}", f"  expected: {self.expected}"]
        if self.nearest is not None:
            lines.append(f"  nearest:  {self.nearest}")
        if self.next_step:
            lines.append(f"  next:     {self.next_step}")
        return "\n".join(lines)


class AssignmentError(ValueError):
    """The assignment cannot be used; *problems* holds every mistake that was found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of *words* that *word* was probably meant to be, or None.

    A beginning that only one of them has will do.  Case does not count, nor does the difference between ``_`` and ``-``.
    """
    plain = {_plain(candidate): candidate for candidate in sorted(words)}
    begun = [candidate for candidate in plain if candidate.startswith(_plain(word))]
    if len(begun) == 1 and len(word.strip()) > 2:
        return plain[begun[0]]
    best = max(plain, key=lambda candidate: _likeness(_plain(word), candidate), default=None)
    return plain[best] if best is not None and _likeness(_plain(word), best) > 0.55 else None


def _likeness(word: str, candidate: str) -> float:
    """difflib's ratio, and a little more for swapped letters, the commonest slip of all."""
    ratio = difflib.SequenceMatcher(None, word, candidate).ratio()
    return ratio + 0.1 * (sorted(word) == sorted(candidate))


def _plain(word: str) -> str:
    return word.strip().lower().replace("_", "-")


def either(words: Iterable[str]) -> str:
    """*words* as an enumeration for a sentence: ``a, b or c``."""
    listed = list(words)
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} or {listed[-1]}"
