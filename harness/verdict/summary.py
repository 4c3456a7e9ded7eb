"""From the outcomes of all checks to one score and one answer: met, not met, or undecided.

The rule, in one place:

* Checks that carry points are *scored*: MUST and SHOULD, unless the rubric says otherwise.
  ADVICE carries none unless a teacher gives it some by name, and does not matter without.
* A check that was not applicable is not part of the run.
* An inconclusive check or a harness error is *undecided*: it is taken out of the
  points, so it can never cost one.  The same holds for a check that is blocked by
  such a check only; any other blocked check has lost its points, for what blocks it
  is the program's fault.
* The answer is certain, or it is not given: ``pass`` if the bar is reached even if
  every undecided check were failed, ``fail`` if it would be missed even if every one
  of them were passed, ``undecided`` otherwise.  A run that was cut short counts as
  having undecided checks of unknown weight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Protocol

from harness.verdict.outcome import Outcome
from harness.verdict.show import count

#: Points are sums of shares such as 10/3; below this two sums are the same.
_SAME = 1e-9

_UNDECIDED = frozenset({Outcome.INCONCLUSIVE, Outcome.HARNESS_ERROR})
_JUDGED = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.BLOCKED})


class Decision(StrEnum):
    """The answer of a run; the values are public (results schema)."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"

    @property
    def exit_status(self) -> int:
        """What the command exits with; 2 is left for usage and file errors."""
        return {Decision.PASS: 0, Decision.FAIL: 1, Decision.UNDECIDED: 3}[self]


class Scored(Protocol):
    """What the score needs to know of a check."""

    @property
    def id(self) -> str: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def points(self) -> float: ...
    @property
    def max_points(self) -> float: ...
    @property
    def blocked_by(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Bar:
    """What it takes to pass: *pass_at* per cent of the points, and every *required* check (ids or globs)."""

    pass_at: float = 100
    required: tuple[str, ...] = ()

    def reached(self, points: float, of: float) -> bool:
        """Whether *points* of *of* points are enough."""
        return 100 * points >= self.pass_at * of - _SAME


@dataclass(frozen=True, slots=True)
class Summary:
    """The last lines of a run; *why* gives sentences for a verdict other than ``pass``."""

    counts: Mapping[Outcome, int]
    score: float
    max_score: float
    verdict: Decision
    why: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The ``summary`` object of the results schema."""
        counts = {outcome.value.replace("-", "_"): self.counts.get(outcome, 0) for outcome in Outcome}
        return counts | {
            "score": tidy(self.score),
            "max_score": tidy(self.max_score),
            "verdict": self.verdict.value,
            "why": list(self.why),
        }


def tidy(points: float) -> float:
    """*points* without the dust of floating point; a whole number becomes an ``int``."""
    rounded = round(points, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def effective(checks: Sequence[Scored]) -> list[tuple[Scored, Outcome]]:
    """Every check with the outcome that counts: a check blocked by an undecided one is undecided itself."""
    by_id: dict[str, list[Scored]] = {}
    for check in checks:
        by_id.setdefault(check.id, []).append(check)

    def root(check: Scored, seen: frozenset[str]) -> Outcome:
        if check.outcome is not Outcome.BLOCKED or check.blocked_by is None or check.blocked_by in seen:
            return check.outcome
        deeper = seen | {check.blocked_by}
        roots = {root(other, deeper) for other in by_id.get(check.blocked_by, ())}
        if roots & {Outcome.FAIL, Outcome.BLOCKED} or not roots & _UNDECIDED:
            return Outcome.BLOCKED
        return Outcome.INCONCLUSIVE

    return [(check, root(check, frozenset({check.id}))) for check in checks]


def summarise(checks: Sequence[Scored], bar: Bar, *, complete: bool = True, built: bool = True) -> Summary:
    """Count, add up and decide.

    *complete* is false for a run that was cut short; *built* is false if the
    submission did not build, which is the program's fault when nothing else was judged.
    """
    counts = Counter(check.outcome for check in checks)
    counting = effective(checks)
    scored = [(c, o) for c, o in counting if c.max_points > 0]
    earned = sum(c.points for c, o in scored if o in (Outcome.PASS, Outcome.FAIL))
    decided = sum(c.max_points for c, o in scored if o in _JUDGED)
    doubtful = sum(c.max_points for c, o in scored if o in _UNDECIDED)
    missed, open_ = _required(counting, bar.required)

    at_best, in_all = earned + doubtful, decided + doubtful

    lost: list[str] = []
    if not built and not checks:
        lost.append("the submission does not build")
    lost += [f"{id_} is required and did not pass" for id_ in missed]
    if not bar.reached(at_best, in_all) and (complete or bar.pass_at >= 100):
        best = f"{round(at_best, 2):g} of {round(in_all, 2):g} points at most; " if doubtful else ""
        lost.append(f"{best}{tidy(bar.pass_at)} per cent are asked for")

    doubts: list[str] = []
    if not complete:
        doubts.append("the run was cut short")
    if not any(o in _JUDGED for _, o in counting):
        doubts.append("no check could be judged")
    if not bar.reached(earned, in_all):
        unsure = sum(o in _UNDECIDED for _, o in scored)
        doubts.append(f"{count(unsure, 'scored check')} could not be decided")
    doubts += [f"{id_} is required and was not decided" for id_ in open_]

    verdict = Decision.FAIL if lost else Decision.UNDECIDED if doubts else Decision.PASS
    why = tuple(lost or doubts)
    return Summary(counts, tidy(earned), tidy(decided), verdict, why)


def _required(
    counting: Iterable[tuple[Scored, Outcome]], patterns: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The required checks that were missed, and those that were not decided (or not run at all)."""
    missed: list[str] = []
    open_: list[str] = []
    pairs = list(counting)
    for pattern in patterns:
        matching = [(c.id, o) for c, o in pairs if fnmatchcase(c.id, pattern)]
        missed += [id_ for id_, o in matching if o in (Outcome.FAIL, Outcome.BLOCKED)]
        open_ += [id_ for id_, o in matching if o in _UNDECIDED]
        open_ += [pattern] if not matching else []
    return list(dict.fromkeys(missed)), list(dict.fromkeys(open_))
