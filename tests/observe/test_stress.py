"""No wrong verdict against a server that hides its progress; and weaker rules fail the same test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .stress.stress import KINDS, MODES, UNSEEN_WITHOUT_BORROWING, Options, build, run
from .stress.subjects import bare_without_borrowing, supervised

TRIALS = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (shutil.which("gcc") or shutil.which("cc")):
        pytest.skip("no C compiler")
    directory = tmp_path_factory.mktemp("stress")
    for above in (directory, *directory.parents[:2]):
        above.chmod(0o755)
    return build(directory)


@pytest.fixture(autouse=True)
def in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server writes and locks files in its working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("mode", MODES)
def test_the_oracle_is_never_wrong(server: Path, mode: str) -> None:
    report = run(Options(trials=TRIALS // len(MODES), mode=mode), server)
    assert not report.wrong, report
    assert not report.never, report


def test_the_settler_is_never_wrong(server: Path) -> None:
    report = run(Options(trials=50, mode="thread", rule="settler"), server)
    assert not report.wrong, report


def test_without_borrowing_it_is_never_wrong(server: Path) -> None:
    kinds = frozenset(KINDS) - UNSEEN_WITHOUT_BORROWING
    report = run(Options(trials=50, start=bare_without_borrowing, kinds=kinds, most_ms=10), server)
    assert not report.wrong, report


@pytest.mark.parametrize("mode", ["iterative", "thread"])
def test_with_the_supervisor_nothing_is_hidden(server: Path, mode: str) -> None:
    """All kinds, alarms too, in the sandbox in which submissions run."""
    report = run(Options(trials=50, mode=mode, start=supervised, kinds=frozenset(KINDS)), server)
    assert not report.wrong, report
    assert not report.never, report


@pytest.mark.parametrize("rule", ["state", "single-pass"])
def test_weaker_rules_are_wrong(server: Path, rule: str) -> None:
    """The test would notice: this is what makes it worth something."""
    assert run(Options(trials=TRIALS, rule=rule, stop_when_wrong=True), server).wrong
