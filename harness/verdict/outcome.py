"""The six outcomes of a check, and the exceptions by which a check ends with one of them.

Three kinds must never be mixed (docs/architecture.md): the program's fault
(``fail``), our own fault (``harness-error``), and "could not be tried here"
(``inconclusive``).  Whatever is raised inside a check and is none of the
exceptions below is our own fault: a bug of the harness never costs a point.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """How one check of one submission ended; the values are public (results schema)."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not-applicable"
    HARNESS_ERROR = "harness-error"


class Level(StrEnum):
    """How much a requirement binds: MUST and SHOULD are scored, ADVICE is only reported."""

    MUST = "must"
    SHOULD = "should"
    ADVICE = "advice"


class Verdict(Exception):
    """Base of the exceptions that end a check with an outcome other than ``pass``."""

    outcome: Outcome


class Violation(Verdict):
    """The program broke the rule of the check.

    *observed* is a sentence or two for the student: what the program did, seen
    from outside.  *kind* names the sort of violation by a word of the field
    (``"no-reply"``, ``"reset"``, ``"died"``, ``"wrong-bytes"``, ...); together with
    *facts* it selects the likely cause (:mod:`harness.verdict.cause`).
    """

    outcome = Outcome.FAIL

    def __init__(self, observed: str, *, kind: str = "", **facts: object) -> None:
        super().__init__(observed)
        self.observed = observed
        self.kind = kind
        self.facts: Mapping[str, object] = facts


class Inconclusive(Verdict):
    """The precondition of the check could not be produced on this machine; *reason* says why."""

    outcome = Outcome.INCONCLUSIVE

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.observed = reason


class Blocked(Verdict):
    """The check could not start because the check *by* already fails."""

    outcome = Outcome.BLOCKED

    def __init__(self, observed: str, *, by: str, kind: str = "", **facts: object) -> None:
        super().__init__(observed)
        self.observed = observed
        self.by = by
        self.kind = kind
        self.facts: Mapping[str, object] = facts


class NotApplicable(Verdict):
    """The contract or the profile does not ask for this; *reason* says which part of it."""

    outcome = Outcome.NOT_APPLICABLE

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.observed = reason
