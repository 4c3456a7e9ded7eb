"""What a check is worth, and when the whole is good enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.assignment.kinds import Number, Points, Texts
from harness.assignment.setting import setting
from harness.verdict.outcome import Level
from harness.verdict.summary import Bar

#: Points of a check that no glob of the rubric names.
DEFAULT_POINTS: Mapping[Level, float] = {Level.MUST: 2.0, Level.SHOULD: 1.0, Level.ADVICE: 0.0}


def matches(check_id: str, globs: Iterable[str]) -> bool:
    """Whether one of *globs* names *check_id*; ``*`` also matches a slash."""
    return any(fnmatchcase(check_id, glob) for glob in globs)


@dataclass(frozen=True)
class Rubric:
    """The table ``[rubric]``."""

    points: Mapping[str, float] = field(
        default_factory=dict,
        metadata=setting(
            Points(),
            "Points by check id or glob; the points of a glob are shared equally by the checks it names.",
        ),
    )
    hidden: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            Texts(), "Checks (ids, globs) that are run and counted, but not explained to the student."
        ),
    )
    skip: tuple[str, ...] = field(
        default=(), metadata=setting(Texts(), "Checks (ids, globs) that are not run.")
    )
    pass_at: float = field(
        default=100,
        metadata=setting(
            Number(0, 100, unit="per cent", fractions=True),
            "Share of the points at which the submission passes.",
        ),
    )
    required: tuple[str, ...] = field(
        default=(), metadata=setting(Texts(), "Checks (ids, globs) that must pass, whatever the points say.")
    )

    def is_hidden(self, check_id: str) -> bool:
        """Whether the student gets no explanation of this check."""
        return matches(check_id, self.hidden)

    def is_skipped(self, check_id: str) -> bool:
        """Whether this check is not run."""
        return matches(check_id, self.skip)

    @property
    def bar(self) -> Bar:
        """What it takes to pass; the rule itself is `harness.verdict.summary`."""
        return Bar(self.pass_at, tuple(self.required))

    def is_required(self, check_id: str) -> bool:
        """Whether the submission cannot pass without this check."""
        return matches(check_id, self.required)

    def points_for(
        self, ids_with_levels: Mapping[str, Level] | Iterable[tuple[str, Level]]
    ) -> dict[str, float]:
        """The most points each check can earn.

        The most specific entry of ``points`` wins: an id over a glob, a glob with more
        literal characters over one with fewer, the later of two equals.  A glob is
        shared by the checks it wins; ADVICE is worth points only if named by its id.
        What no entry names is worth :data:`DEFAULT_POINTS`; what is skipped, nothing.
        """
        levels = dict(ids_with_levels)
        winners: dict[str, str] = {}
        for check_id, level in levels.items():
            glob = self._winner(check_id)
            counts = level is not Level.ADVICE or glob == check_id
            if glob is not None and counts and not self.is_skipped(check_id):
                winners[check_id] = glob
        sharers = list(winners.values())
        worth: dict[str, float] = {}
        for check_id, level in levels.items():
            if check_id in winners:
                glob = winners[check_id]
                worth[check_id] = self.points[glob] / sharers.count(glob)
            else:
                worth[check_id] = 0.0 if self.is_skipped(check_id) else DEFAULT_POINTS[level]
        return worth

    def _winner(self, check_id: str) -> str | None:
        named = [glob for glob in self.points if fnmatchcase(check_id, glob)]
        # max() keeps the first of equals; reversed, that is the one written last.
        return max(reversed(named), key=lambda glob: _specificity(glob, check_id), default=None)


def _specificity(glob: str, check_id: str) -> tuple[bool, int]:
    return glob == check_id, sum(character not in "*?[]" for character in glob)
