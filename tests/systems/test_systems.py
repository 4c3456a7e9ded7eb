"""Every assignment file of examples/ passes a right program and fails a wrong one, for the right reason."""

from __future__ import annotations

import os
import shlex

import pytest

from harness import house
from harness.catalogue import catalogue
from harness.verdict.outcome import Level, Outcome
from tests.matrix.running import FUSE, Run, run_check

from .generate import EXAMPLES, PAGE, System, page, systems

#: Rows that take a second or two, played without being asked for; all others with SOCKSPEC_WHOLE_MATRIX=1.
QUICK = ("findsvc", "socketpair", "dialogue-from-blackav-client")

ALL = systems()
PLAYED = [row for row in ALL if row.name in QUICK or os.environ.get("SOCKSPEC_WHOLE_MATRIX")]


def test_every_example_has_its_row() -> None:
    assert sorted(row.file.name for row in ALL) == sorted(path.name for path in EXAMPLES.glob("*.toml"))


def test_page_is_up_to_date() -> None:
    written = (house.HOUSE / PAGE).read_text(encoding="utf-8")
    assert written == page(), f"{PAGE}: run python -m tests.systems.generate"


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_the_wrong_program_is_asked_for_what_it_does_wrong(row: System) -> None:
    assert row.right.right and row.wrong.fails is not None
    assert not catalogue()[row.wrong.fails].check.why_not(row.assignment)


@pytest.mark.timeout(FUSE + 10)
@pytest.mark.parametrize("row", PLAYED, ids=lambda row: row.name)
def test_right_program_passes(row: System) -> None:
    run = _check(row, right=True)
    bad = [
        f"{result.label} {result.outcome}: {result.observed}"
        for result in run.results.checks
        if result.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE) and result.level is not Level.ADVICE
    ]
    assert not bad and run.status == 0, "\n".join([_again(row, right=True), *bad])


@pytest.mark.timeout(FUSE + 10)
@pytest.mark.parametrize("row", PLAYED, ids=lambda row: row.name)
def test_wrong_program_fails_for_the_right_reason(row: System) -> None:
    run = _check(row, right=False)
    failed = {result.id for result in run.results.checks if result.outcome is Outcome.FAIL}
    others = sorted(check for check in failed if not row.wrong.covers(check))
    assert row.wrong.fails in failed, (
        f"{_again(row, right=False)}\nfailed: {', '.join(sorted(failed)) or 'nothing'}"
    )
    assert not others, f"{_again(row, right=False)}\nfailed besides: {', '.join(others)}"
    assert run.status == 1


def _check(row: System, *, right: bool) -> Run:
    specimen = row.right if right else row.wrong
    if specimen.lacking:
        pytest.skip(f"{', '.join(specimen.lacking)} is not installed")
    return run_check(f"{row.name}, {specimen.name}", row.arguments(specimen))


def _again(row: System, *, right: bool) -> str:
    return shlex.join(["sockspec", "check", *row.arguments(row.right if right else row.wrong)])
