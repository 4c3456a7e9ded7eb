"""One score and one answer: nothing that could not be decided ever costs a point."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.verdict.outcome import Level, Outcome
from harness.verdict.result import CheckResult
from harness.verdict.summary import Bar, Decision, summarise

from .example import result

PASS, FAIL, BLOCKED = Outcome.PASS, Outcome.FAIL, Outcome.BLOCKED
UNSURE, NOT_ASKED, OURS = Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE, Outcome.HARNESS_ERROR


def run(*outcomes: Outcome) -> list[CheckResult]:
    return [result(f"family/check-{n}", outcome) for n, outcome in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("outcomes", "pass_at", "score", "max_score", "verdict"),
    [
        ((PASS, PASS), 100, 4, 4, "pass"),
        ((PASS, FAIL), 100, 2, 4, "fail"),
        ((PASS, BLOCKED), 100, 2, 4, "fail"),
        ((PASS, NOT_ASKED), 100, 2, 2, "pass"),
        ((PASS, UNSURE), 100, 2, 2, "undecided"),
        ((PASS, OURS), 100, 2, 2, "undecided"),
        ((PASS, UNSURE, FAIL), 100, 2, 4, "fail"),
        ((PASS, FAIL), 50, 2, 4, "pass"),
        ((PASS, FAIL), 51, 2, 4, "fail"),
        ((PASS, UNSURE), 50, 2, 2, "pass"),  # reached, whatever the other one would have been
        ((FAIL, FAIL, UNSURE), 50, 0, 4, "fail"),  # missed, whatever the other one would have been
        ((FAIL, UNSURE), 50, 0, 2, "undecided"),
        ((NOT_ASKED,), 100, 0, 0, "undecided"),
        ((), 100, 0, 0, "undecided"),
    ],
)
def test_verdict(
    outcomes: tuple[Outcome, ...], pass_at: float, score: float, max_score: float, verdict: str
) -> None:
    summary = summarise(run(*outcomes), Bar(pass_at))
    assert (summary.score, summary.max_score, summary.verdict.value) == (score, max_score, verdict)
    assert bool(summary.why) == (summary.verdict is not Decision.PASS)


def test_exit_statuses() -> None:
    assert [decision.exit_status for decision in Decision] == [0, 1, 3]


def test_advice_does_not_matter_unless_it_was_given_points() -> None:
    advice = [result("a/b", o, level=Level.ADVICE, max_points=0) for o in (FAIL, UNSURE, OURS, BLOCKED)]
    summary = summarise([*run(PASS), *advice], Bar())
    assert (summary.verdict, summary.score, summary.max_score) == (Decision.PASS, 2, 2)
    assert summarise([result("a/b", FAIL, level=Level.ADVICE)], Bar()).verdict is Decision.FAIL


def test_a_check_without_points_does_not_matter() -> None:
    assert summarise([*run(PASS), result("a/b", FAIL, max_points=0)], Bar()).verdict is Decision.PASS


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(PASS, "pass"), (FAIL, "fail"), (BLOCKED, "fail"), (UNSURE, "undecided"), (NOT_ASKED, "pass")],
)
def test_required_check(outcome: Outcome, verdict: str) -> None:
    checks = [*run(PASS), result("signals/stop", outcome, max_points=0)]
    assert summarise(checks, Bar(0, ("signals/*",))).verdict.value == verdict


def test_required_check_that_was_not_run_is_not_a_pass() -> None:
    summary = summarise(run(PASS), Bar(required=("signals/stop",)))
    assert summary.verdict is Decision.UNDECIDED
    assert "signals/stop" in summary.why[0]


def test_blocked_by_what_could_not_be_tried_costs_nothing() -> None:
    checks = [
        result("a/first", OURS),
        result("a/second", BLOCKED, blocked_by="a/first"),
        result("a/third", BLOCKED, blocked_by="a/second"),
        *run(PASS),
    ]
    summary = summarise(checks, Bar())
    assert (summary.score, summary.max_score, summary.verdict) == (2, 2, Decision.UNDECIDED)


def test_blocked_by_a_failure_in_one_of_its_cases_costs() -> None:
    first = [result("a/first", OURS, case="1"), result("a/first", FAIL, case="2")]
    summary = summarise([*first, result("a/second", BLOCKED, blocked_by="a/first")], Bar())
    assert summary.max_score == 4


def test_blocked_in_a_circle_ends() -> None:
    circle = [result("a/x", BLOCKED, blocked_by="a/y"), result("a/y", BLOCKED, blocked_by="a/x")]
    assert summarise(circle, Bar()).verdict is Decision.FAIL


def test_a_run_cut_short_is_no_pass_and_fails_only_if_that_is_certain() -> None:
    assert summarise(run(PASS), Bar(), complete=False).verdict is Decision.UNDECIDED
    assert summarise(run(FAIL), Bar(), complete=False).verdict is Decision.FAIL
    assert summarise(run(FAIL), Bar(80), complete=False).verdict is Decision.UNDECIDED


def test_a_build_that_failed_is_the_fault_of_the_program() -> None:
    assert summarise([], Bar(), built=False).verdict is Decision.FAIL


def test_shares_of_points_add_up() -> None:
    thirds = [result(f"a/{n}", PASS, max_points=10 / 3) for n in range(3)]
    summary = summarise(thirds, Bar())
    assert (summary.score, summary.verdict) == (10, Decision.PASS)


@given(st.lists(st.sampled_from(Outcome)), st.integers(0, 100), st.data())
def test_deciding_the_undecided_never_contradicts(
    outcomes: list[Outcome], pass_at: int, data: st.DataObject
) -> None:
    """Whatever the undecided checks would have been, a certain answer stays what it was."""
    before = summarise(run(*outcomes), Bar(pass_at)).verdict
    settled = [data.draw(st.sampled_from([PASS, FAIL])) if o in (UNSURE, OURS) else o for o in outcomes]
    after = summarise(run(*settled), Bar(pass_at)).verdict
    assert before in (after, Decision.UNDECIDED)
