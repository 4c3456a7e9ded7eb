"""The levels: found by trying, forced by the environment; the same tests hold at each of them."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.subject.isolation import FORCE, Isolation, IsolationError, Level, _detect
from harness.subject.probe import probe
from harness.subject.trial import attempt

HERE = Path(__file__).parent
NOBODY = 65534
#: What must hold everywhere; the whole directory would take minutes.
SUBSET = "143 or abort or daemon or harness_is_killed or clean_start or socket_timeout or alarm or refused or confined"


def test_levels_are_ordered() -> None:
    assert Level.L0.reaches(Level.L5) and Level.L2.reaches(Level.L2) and not Level.L3.reaches(Level.L2)


def test_every_level_says_what_is_lost() -> None:
    sentences = {Isolation(level, changes_user=False).lost for level in Level}
    assert len(sentences) == len(Level) and all(sentence.endswith(".") for sentence in sentences)


def test_an_unknown_level_is_an_error() -> None:
    with pytest.raises(IsolationError, match="L9"):
        _detect("L9")


def test_a_trial_leaves_nothing_behind() -> None:
    before = os.getcwd()
    assert attempt(lambda: os.chdir("/")) is None
    assert os.getcwd() == before
    assert attempt(lambda: os.stat("/does/not/exist")) == "No such file or directory"
    assert attempt(lambda: os.kill(os.getpid(), 9)) == "the trial did not end normally"


def test_probe_answers_for_the_doctor() -> None:
    findings = probe()
    assert findings.isolation.level in Level
    assert {"bubblewrap", "Landlock", "cc", "strace", "seccomp user notification"} <= {
        f.name for f in findings.features
    }
    assert all(feature.detail for feature in findings.features if not feature.works)


@functools.cache
def nobodys_python() -> str | None:
    """An interpreter with pytest that an ordinary user can start; ours may be in root's home."""
    for candidate in (sys.executable, os.environ.get("SOCKSPEC_TEST_PYTHON", ""), "/usr/bin/python3"):
        command = [*as_nobody(), candidate, "-c", "import pytest, sys; sys.exit(sys.version_info < (3, 11))"]
        if candidate and subprocess.run(command, capture_output=True, cwd="/").returncode == 0:
            return candidate
    return None


def as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    # setpriv itself keeps its capabilities until its exec and could still look into root's home; env cannot.
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env"]


def run_subset(prefix: list[str], python: str, level: str, home: Path) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "SOCKSPEC", "XDG"))
    }
    environment |= {
        FORCE: level,
        "HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    command = [
        *prefix,
        python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        SUBSET,
        f"--basetemp={home / 'tmp'}",
    ]
    files = [str(HERE / f"test_{name}.py") for name in ("wait_status", "program", "supervisor", "sandbox")]
    done = subprocess.run(
        [*command, *files], env=environment, capture_output=True, text=True, cwd=HERE.parents[1]
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


@pytest.mark.parametrize("level", ["L2", "L3", "L4", "L5"])
def test_as_root(level: str, tmp_path: Path) -> None:
    if os.geteuid() != 0 or probe().isolation.level is not Level.L0:
        pytest.skip("needs root")
    assert " passed" in run_subset([], sys.executable, level, tmp_path)


@pytest.mark.parametrize("level", ["", "L2", "L3", "L4", "L5"])
def test_as_an_ordinary_user(level: str, tmp_path: Path) -> None:
    python = nobodys_python()
    if python is None:
        pytest.skip("no interpreter with pytest that an ordinary user can start (SOCKSPEC_TEST_PYTHON)")
    if os.geteuid() == 0:
        for above in (tmp_path, *tmp_path.parents):
            if above.stat().st_uid == 0:
                above.chmod(above.stat().st_mode | 0o011)
        os.chown(tmp_path, NOBODY, NOBODY)
    assert " passed" in run_subset(as_nobody(), python, level, tmp_path)
