"""Whether the results of a run are what the header of the program says they must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.programs import Specimen
from harness.verdict.outcome import Level, Outcome
from harness.verdict.result import CheckResult, Results

#: Outcomes that say nothing against a program.
_CLEAN = {Outcome.PASS, Outcome.NOT_APPLICABLE}
#: Outcomes of a broken program that its header has to name: a bug can also make a precondition impossible
#: (a server that resets its clients leaves no TIME_WAIT).
_TELLING = {Outcome.FAIL, Outcome.INCONCLUSIVE}


def complaints(specimen: Specimen, results: Results) -> list[str]:
    """What differs from the header, one sentence each; empty if nothing does."""
    if not results.submission.build.ok:
        return [f"it does not build:\n{results.submission.build.output}"]
    said = [] if results.complete else ["the run is not complete"]
    if specimen.right and not any(result.outcome is Outcome.PASS for result in results.checks):
        said.append("no check at all has passed")
    return said + list((_right if specimen.right else _broken)(specimen, results))


def _right(specimen: Specimen, results: Results) -> Iterator[str]:
    def expected(result: CheckResult) -> bool:
        return (
            result.outcome is Outcome.FAIL and result.level is Level.ADVICE and result.id in specimen.advised
        )

    yield from _lines(r for r in results.checks if r.outcome not in _CLEAN and not expected(r))


def _broken(specimen: Specimen, results: Results) -> Iterator[str]:
    failed = {result.id for result in results.checks if result.outcome is Outcome.FAIL}
    if specimen.fails not in failed:
        own = [result for result in results.checks if result.id == specimen.fails]
        yield f"does not fail {specimen.fails}: {'; '.join(_lines(own)) or 'it was not run'}"
    yield from _lines(
        result
        for result in results.checks
        if result.outcome is Outcome.HARNESS_ERROR
        or (result.outcome in _TELLING and not specimen.covers(result.id))
    )
    lost = [r for r in results.checks if r.outcome is Outcome.BLOCKED and not _leads_to(failed, r, results)]
    if lost:
        chains = ", ".join(dict.fromkeys(f"{result.id} by {result.blocked_by}" for result in lost))
        yield f"blocked, and that leads to no check that failed: {chains}"


def _leads_to(failed: set[str], result: CheckResult, results: Results) -> bool:
    """Whether a blocked check leads back to one of the *failed*."""
    blockers = {r.id: r.blocked_by for r in results.checks if r.outcome is Outcome.BLOCKED}
    seen: set[str] = set()
    blocker = result.blocked_by
    while blocker is not None and blocker not in seen:
        if blocker in failed:
            return True
        seen.add(blocker)
        blocker = blockers.get(blocker)
    return False


def _lines(results: Iterable[CheckResult]) -> Iterator[str]:
    """A line for each id and outcome: what was observed in the first case, and which others there are."""
    alike: dict[tuple[str, Outcome], list[CheckResult]] = {}
    for result in results:
        alike.setdefault((result.id, result.outcome), []).append(result)
    for first, *others in alike.values():
        by = f" by {first.blocked_by}" if first.blocked_by else ""
        seen = f": {first.observed}" if first.observed else ""
        also = f" (also {', '.join(str(other.case) for other in others)})" if others else ""
        yield f"{first.label} {first.outcome}{by}{seen}{also}"
