"""Running the command as a user does, and looking at what it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

#: Seconds; a run that takes longer hangs.
FUSE = 120


@dataclass(frozen=True)
class Ran:
    """A finished run: exit status, what it printed, and its results if it wrote any."""

    status: int
    printed: str
    results: dict[str, Any] | None

    def outcomes(self, check_id: str) -> set[str]:
        """The outcomes of all cases of one check."""
        assert self.results is not None, self.printed
        return {entry["outcome"] for entry in self.results["checks"] if entry["id"] == check_id}

    def observed(self, check_id: str) -> str:
        """What was observed in the first case of one check that did not pass."""
        assert self.results is not None, self.printed
        return next(
            e["observed"] for e in self.results["checks"] if e["id"] == check_id and e["outcome"] != "pass"
        )


def sockspec(
    *arguments: str | Path, tmp_path: Path, command: tuple[str, ...] = ("-m", "harness", "check")
) -> Ran:
    """Run ``sockspec check`` with *arguments*; the results are read back from ``--json``."""
    target = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, *command, *map(str, arguments), "--json", str(target)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=FUSE,
    )
    results = json.loads(target.read_text()) if target.exists() else None
    return Ran(done.returncode, done.stdout + done.stderr, results)
