"""All results of a run: who blocks whom, the points, and the document the reports read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.checks import Check
from harness.run.session import Session
from harness.run.spinning import blame
from harness.verdict.outcome import Level, Outcome
from harness.verdict.result import Asked, Build, CheckResult, Results, Submission, Tool
from harness.verdict.show import text


class Gatherer:
    """Takes results as they come (from several workers, in any order) and makes the document of them."""

    def __init__(self, session: Session, needs: Mapping[str, tuple[str, ...]], order: Iterable[str]) -> None:
        self._session = session
        self._needs = needs
        self._order = {check_id: place for place, check_id in enumerate(order)}
        self._results: dict[tuple[str, str | None], CheckResult] = {}
        self._places: dict[tuple[str, str | None], int] = {}
        self._began = time.monotonic()

    def add(self, result: CheckResult, place: int = 0) -> None:
        """Take in one result, *place* in the order of the suites (workers finish in any order).

        A later one for the same check and case (an error at its end) replaces it.
        """
        self._results[result.id, result.case] = result
        self._places[result.id, result.case] = place

    @property
    def empty(self) -> bool:
        """Whether no check has left a result."""
        return not self._results

    def results(self, *, complete: bool) -> Results:
        """The document."""
        session = self._session
        ordered = sorted(
            self._results.values(),
            key=lambda r: (self._order.get(r.id, len(self._order)), self._places[r.id, r.case]),
        )
        checks = self._with_points(self._blamed(ordered))
        assignment, built = session.assignment, session.built
        return Results(
            checks=tuple(checks),
            tool=Tool(
                isolation=session.isolation.level.value,
                lost=(session.isolation.lost,),
                seed=session.options.seed,
            ),
            assignment=Asked(
                assignment.name,
                assignment.profile.name,
                assignment.transport.value,
                assignment.contract.as_dict(),
                assignment.rubric.bar,
            ),
            submission=Submission(
                session.options.submission,
                tuple(built.run),
                Build(
                    built.ok,
                    built.seconds,
                    text(
                        "\n".join(
                            filter(None, (built.explanation if not built.ok else "", built.output))
                        ).encode()
                    ),
                    built.explanation if built.ok else "",
                ),
            ),
            seconds=time.monotonic() - self._began,
            complete=complete,
        )

    def _blamed(self, results: list[CheckResult]) -> list[CheckResult]:
        """Each cause costs one verdict.

        A failure that builds on another check which failed too is blocked by that one.  The other way round,
        a blocked check whose blocker did not fail in this run (not selected, or a program that starts at
        times) is the failure itself: the first of them takes it.
        """
        results = list(results)
        # An advice that is not followed blocks nothing: it costs no points, so it must not take any away elsewhere.
        broken = {r.id for r in results if r.outcome is Outcome.FAIL and r.level is not Level.ADVICE}
        for place, result in enumerate(results):
            if result.outcome is Outcome.FAIL:
                blocker = next((need for need in self._needs.get(result.id, ()) if need in broken), None)
                if blocker is not None:
                    results[place] = replace(result, outcome=Outcome.BLOCKED, blocked_by=blocker)
        failed = {r.id for r in results if r.outcome is Outcome.FAIL}
        results = blame(results, self._session.assignment, failed)
        blocked = {r.id for r in results if r.outcome is Outcome.BLOCKED}
        for place, result in enumerate(results):
            if result.outcome is Outcome.BLOCKED and result.blocked_by not in failed | blocked:
                results[place] = replace(result, outcome=Outcome.FAIL, blocked_by=None)
                failed.add(result.id)
                for other, later in enumerate(results):
                    if later.outcome is Outcome.BLOCKED and later.blocked_by == result.blocked_by:
                        results[other] = replace(later, blocked_by=result.id)
        return results

    def _with_points(self, results: list[CheckResult]) -> list[CheckResult]:
        """Points by the rubric; the cases of one check share its points."""
        levels: dict[str, Level] = {}
        cases: dict[str, int] = {}
        for result in results:
            if result.outcome is not Outcome.NOT_APPLICABLE:
                levels[result.id] = result.level
                cases[result.id] = cases.get(result.id, 0) + 1
        worth = self._session.assignment.rubric.points_for(levels)
        return [
            self._scored(result, worth.get(result.id, 0.0) / cases.get(result.id, 1)) for result in results
        ]

    @staticmethod
    def _scored(result: CheckResult, most: float) -> CheckResult:
        if result.outcome is Outcome.NOT_APPLICABLE:
            return result
        return replace(result, max_points=most, points=most if result.outcome is Outcome.PASS else 0.0)


def needs_of(checks: Iterable[Check]) -> dict[str, tuple[str, ...]]:
    """Which checks each check builds on."""
    return {check.id: check.needs for check in checks}
