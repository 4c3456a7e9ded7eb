"""Points: every glob is shared, the most specific entry wins, ADVICE costs nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.assignment.rubric import Rubric
from harness.verdict.outcome import Level
from harness.verdict.summary import Bar

LEVELS = {
    "bind/port": Level.MUST,
    "bind/prompt": Level.ADVICE,
    "half-close/large": Level.MUST,
    "half-close/reply": Level.MUST,
    "half-close/unread": Level.SHOULD,
    "signals/stop": Level.MUST,
}


def test_defaults_by_level() -> None:
    assert Rubric().points_for(LEVELS) == {
        "bind/port": 2,
        "bind/prompt": 0,
        "half-close/large": 2,
        "half-close/reply": 2,
        "half-close/unread": 1,
        "signals/stop": 2,
    }


def test_a_glob_is_shared_and_the_rest_keeps_its_default() -> None:
    worth = Rubric(points={"half-close/*": 10, "signals/stop": 5}).points_for(LEVELS.items())
    assert worth["half-close/large"] == worth["half-close/unread"] == pytest.approx(10 / 3)
    assert worth["signals/stop"] == 5
    assert worth["bind/port"] == 2


def test_the_most_specific_entry_wins() -> None:
    rubric = Rubric(points={"half-close/reply": 4, "half-close/*": 10, "*": 0, "half-close/l*": 3})
    worth = rubric.points_for(LEVELS)
    assert worth["half-close/reply"] == 4
    assert worth["half-close/large"] == 3
    assert worth["half-close/unread"] == 10
    assert worth["bind/port"] == worth["signals/stop"] == 0


def test_of_equals_the_later_wins() -> None:
    assert Rubric(points={"bind/por?": 1, "bind/?ort": 7}).points_for(LEVELS)["bind/port"] == 7


def test_advice_is_scored_only_by_its_full_name() -> None:
    assert Rubric(points={"bind/*": 6}).points_for(LEVELS)["bind/prompt"] == 0
    assert Rubric(points={"bind/*": 6}).points_for(LEVELS)["bind/port"] == 6
    assert Rubric(points={"bind/prompt": 6}).points_for(LEVELS)["bind/prompt"] == 6


def test_what_is_skipped_shares_nothing() -> None:
    worth = Rubric(points={"half-close/*": 10}, skip=("half-close/l*",)).points_for(LEVELS)
    assert worth["half-close/large"] == 0
    assert worth["half-close/reply"] == 5


globs = st.sampled_from(["*", "bind/*", "half-close/*", "*/s*", "half-close/reply", "h*", "*p*", "none/*"])


@given(st.dictionaries(globs, st.integers(0, 50)))
def test_points_are_neither_lost_nor_made(points: dict[str, int]) -> None:
    rubric = Rubric(points={**points, "*": 0})
    worth = rubric.points_for(LEVELS)
    assert set(worth) == set(LEVELS)
    assert all(value >= 0 for value in worth.values())
    assert sum(worth.values()) <= sum(points.values()) + 1e-9


def test_the_bar_of_a_rubric() -> None:
    """Whether it is reached is decided in one place: tests/report/test_summary.py."""
    assert Rubric(pass_at=50, required=("bind/*",)).bar == Bar(50, ("bind/*",))
    assert Rubric().bar == Bar(100)


def test_words_about_single_checks() -> None:
    rubric = Rubric(hidden=("security/*",), skip=("a/b",), required=("c/*",))
    assert rubric.is_hidden("security/leak") and not rubric.is_hidden("c/d")
    assert rubric.is_skipped("a/b") and not rubric.is_skipped("a/bc")
    assert rubric.is_required("c/d") and not rubric.is_required("a/b")
