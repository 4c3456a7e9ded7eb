"""The house rules that a tool can see: style, types."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command",
    ["ruff check --no-cache", "ruff format --check --no-cache", "mypy"],
)
def test_tool_is_content(command: str, tmp_path: Path) -> None:
    tool, *arguments = command.split()
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed (scripts/setup --dev)")
    if tool == "mypy":
        arguments += ["--cache-dir", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", tool, *arguments], cwd=HOUSE, capture_output=True, text=True)
    assert done.returncode == 0, f"\n{done.stdout}{done.stderr}"
