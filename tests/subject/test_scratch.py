"""Temporary directories: ours, short, and not left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.subject import scratch as module
from harness.subject.scratch import Scratch

ROOT = Path(__file__).parents[2]


def test_made_and_removed() -> None:
    scratch = Scratch(short=True)
    assert len(str(scratch.path)) < 20 and scratch.path.stat().st_mode & 0o777 == 0o700
    (scratch.path / "file").write_text("x")
    scratch.remove()
    scratch.remove()
    assert not scratch.path.exists()


def test_what_a_killed_run_left_is_removed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_YOUNG", -1.0)
    code = "from harness.subject.scratch import Scratch; s = Scratch(); print(s.path, flush=True); input()"
    harness = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert harness.stdout is not None
    path = Path(harness.stdout.readline().decode().strip())
    module._remove_leftovers.__wrapped__()
    assert path.exists(), "its maker is alive"
    harness.kill()
    harness.communicate()
    module._remove_leftovers.__wrapped__()
    assert not path.exists()
