"""The matrix itself: does it notice what it is there to notice?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.assignment.transport import Transport
from harness.programs import Specimen
from harness.verdict.outcome import Level, Outcome
from harness.verdict.result import Build, CheckResult, Results, Submission

from .judging import complaints

RIGHT = Specimen(
    path=Path("programs/reference/echo.c"),
    right=True,
    sentence="an echo server",
    fails=None,
    consequences=(),
    advised=(),
    profile="echo",
    transports=(Transport.TCP,),
    also_profiles=(),
    sets=(),
    build=None,
    run=None,
    needs=(),
)
BROKEN = replace(
    RIGHT,
    path=Path("programs/broken/reset/idle.c"),
    right=False,
    fails="reset/idle",
    consequences=("resources/?*", "reset/mid-reply"),
)


def result(check_id: str, outcome: Outcome = Outcome.FAIL, **more: Any) -> CheckResult:
    return CheckResult(id=check_id, level=Level.MUST, title="", outcome=outcome, observed="Seen.", **more)


PASSED = result("listen/passive-socket", Outcome.PASS)
NOT_ASKED = result("udp/burst", Outcome.NOT_APPLICABLE)
FAILED = result("reset/idle")


def said(specimen: Specimen, *checks: CheckResult) -> list[str]:
    return complaints(specimen, Results(checks))


def test_what_the_header_says_is_no_complaint() -> None:
    assert said(RIGHT, PASSED, NOT_ASKED) == []
    assert said(BROKEN, PASSED, NOT_ASKED, FAILED) == []


@pytest.mark.parametrize(
    "outcome", [Outcome.FAIL, Outcome.BLOCKED, Outcome.INCONCLUSIVE, Outcome.HARNESS_ERROR]
)
def test_right_program_passes_everything(outcome: Outcome) -> None:
    (line,) = said(RIGHT, PASSED, result("reset/idle", outcome))
    assert line == f"reset/idle {outcome}: Seen."


def test_nothing_run_proves_nothing() -> None:
    assert said(RIGHT, NOT_ASKED) == ["no check at all has passed"]


def test_run_cut_short_proves_nothing() -> None:
    assert complaints(RIGHT, Results((PASSED,), complete=False)) == ["the run is not complete"]


def test_program_that_does_not_build_proves_nothing() -> None:
    (line,) = complaints(BROKEN, Results((), submission=Submission(build=Build(False, 1.0, "error: no"))))
    assert "error: no" in line


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.BLOCKED, Outcome.NOT_APPLICABLE])
def test_broken_program_fails_its_own_check(outcome: Outcome) -> None:
    lines = said(BROKEN, PASSED, result("reset/idle", outcome))
    assert lines[0].startswith(f"does not fail reset/idle: reset/idle {outcome}")


def test_its_own_check_was_not_run() -> None:
    assert said(BROKEN, PASSED) == ["does not fail reset/idle: it was not run"]


def test_one_case_of_its_own_check_is_enough() -> None:
    assert said(BROKEN, PASSED, result("reset/idle", Outcome.PASS, case="a"), replace(FAILED, case="b")) == []


def test_consequences_may_fail_and_others_may_not() -> None:
    assert said(BROKEN, PASSED, FAILED, result("resources/descriptors"), result("reset/mid-reply")) == []
    assert said(BROKEN, PASSED, FAILED, result("reset/mid-request", case="a")) == [
        "reset/mid-request[a] fail: Seen."
    ]


@pytest.mark.parametrize("outcome", [Outcome.HARNESS_ERROR])
def test_not_even_a_consequence_may_be_our_fault(outcome: Outcome) -> None:
    assert said(BROKEN, PASSED, FAILED, result("reset/mid-reply", outcome)) == [
        f"reset/mid-reply {outcome}: Seen."
    ]


def test_blocked_leads_back_to_a_failure() -> None:
    first = result("udp/sizes", Outcome.BLOCKED, blocked_by="reset/idle")
    second = result("udp/empty", Outcome.BLOCKED, blocked_by="udp/sizes")
    assert said(BROKEN, PASSED, FAILED, first, second) == []
    (line,) = said(BROKEN, PASSED, FAILED, replace(first, blocked_by="udp/burst"))
    assert line == "blocked, and that leads to no check that failed: udp/sizes by udp/burst"


def test_blocked_in_a_circle_leads_nowhere() -> None:
    first = result("udp/sizes", Outcome.BLOCKED, blocked_by="udp/empty")
    second = result("udp/empty", Outcome.BLOCKED, blocked_by="udp/sizes")
    (line,) = said(BROKEN, PASSED, FAILED, first, second)
    assert line.endswith(": udp/sizes by udp/empty, udp/empty by udp/sizes")


def test_cases_of_one_check_are_one_complaint() -> None:
    first = result("udp/sizes", case="1")
    assert said(BROKEN, PASSED, FAILED, first, replace(first, case="2"), replace(first, case="3")) == [
        "udp/sizes[1] fail: Seen. (also 2, 3)"
    ]
