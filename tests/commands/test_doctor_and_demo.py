"""``sockspec doctor`` and ``sockspec demo``: what they say of this machine, and when they say no."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.commands import demo, doctor
from harness.programs import read
from harness.subject.isolation import FORCE, FOUND, Isolation, Level
from harness.subject.probe import Feature, Findings

from .conftest import Sockspec

HOUSE = Path(__file__).parents[2]


def in_process(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: the probes fork, and must not do so beside the threads of a test run.

    It finds out for itself what this machine allows.
    """
    inherited = {name: value for name, value in os.environ.items() if name != FOUND}
    return subprocess.run(
        [sys.executable, "-m", "harness", *words],
        cwd=HOUSE,
        env={**inherited, **env, "COLUMNS": "100"},
        capture_output=True,
        text=True,
    )


def test_doctor_says_what_there_is() -> None:
    done = in_process("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "isolation",
        "sock_diag",
        "pid 1 compiled",
        "strace",
        "pytest-xdist",
        "Programs can be checked",
    ):
        assert words in done.stdout


def test_doctor_at_a_lower_level_names_what_is_lost() -> None:
    done = in_process("doctor", **{FORCE: "L5"})
    assert done.returncode == 0
    assert "L5: nothing confines the program" in done.stdout.replace("\n", " ")
    assert f"({FORCE} asks for it)" in " ".join(done.stdout.split())


def test_doctor_with_a_level_that_does_not_exist_cannot_go_on() -> None:
    done = in_process("doctor", **{FORCE: "L9"})
    assert done.returncode == 3
    assert "Nothing can be checked" in done.stdout


def findings(*missing: str) -> Findings:
    names = ("bubblewrap", "pid 1 compiled", "strace")
    features = [Feature(name, name not in missing, "not installed", f"use of {name}") for name in names]
    return Findings(
        Isolation(Level.L5, False, refused={Level.L1: "Operation not permitted"}), tuple(features)
    )


def test_doctor_without_anything_essential_says_so(
    sockspec: Sockspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "probe", lambda: findings("pid 1 compiled", "bubblewrap"))
    monkeypatch.setattr(doctor, "eyesight", lambda: ())
    said = sockspec("doctor")
    assert said.status == 3
    assert "Nothing can be checked" in said.out
    plain = " ".join(said.out.split())
    assert "apt install gcc libc6-dev" in plain and "apt install bubblewrap" in plain
    assert "not L1: Operation not permitted" in said.out


def test_doctor_with_something_missing_names_the_loss(
    sockspec: Sockspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "probe", lambda: findings("strace"))
    monkeypatch.setattr(doctor, "eyesight", lambda: ())
    said = sockspec("doctor")
    assert said.status == 0
    assert "not installed; lost: use of strace" in said.out and "apt install strace" in said.out


def test_the_programs_of_the_demonstration_are_what_it_says() -> None:
    right, wrong = read(demo.RIGHT, None), read(demo.WRONG, None)
    assert right.right and not wrong.right
    assert wrong.fails == "port-reuse/restart-in-time-wait"
    assert right.profile == wrong.profile == "echo"


def play(monkeypatch: pytest.MonkeyPatch, right: int, wrong: int, failed: str) -> None:
    """Let the demonstration see runs that end like this."""

    def in_child(words: list[str]) -> int:
        is_right = str(demo.RIGHT) in words
        checks = [] if is_right else [{"id": failed, "outcome": "fail"}]
        Path(words[words.index("--json") + 1]).write_text(json.dumps({"checks": checks}))
        return right if is_right else wrong

    monkeypatch.setattr(demo, "_in_child", in_child)


def test_the_demonstration_is_content_with_what_should_be(
    sockspec: Sockspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, 0, 1, "port-reuse/restart-in-time-wait")
    said = sockspec("demo")
    assert said.status == 0 and "As it should be" in said.out
    assert "no SO_REUSEADDR" in said.out


@pytest.mark.parametrize(
    ("right", "wrong", "failed"),
    [
        (1, 1, "port-reuse/restart-in-time-wait"),
        (0, 0, "port-reuse/restart-in-time-wait"),
        (0, 1, "bind/busy-port"),
        (3, 1, "port-reuse/restart-in-time-wait"),
    ],
)
def test_the_demonstration_is_not_content_with_anything_else(
    sockspec: Sockspec, monkeypatch: pytest.MonkeyPatch, right: int, wrong: int, failed: str
) -> None:
    play(monkeypatch, right, wrong, failed)
    said = sockspec("demo")
    assert said.status == 3 and "not what the demonstration expects" in " ".join(said.out.split())


def test_the_demonstration() -> None:
    """The real one; what it shows is what a student sees."""
    done = in_process("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    first, _, second = done.stdout.partition("\n2. ")
    assert "PASS" in first and "FAIL port-reuse/restart-in-time-wait" in second
    for part in ("What was done", "The rule", "What your program did", "Likely cause", "Try it:"):
        assert part in second
