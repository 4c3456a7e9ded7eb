"""How the benchmarks measure and print: a command's wall and processor time, medians, tables."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness import house

HOUSE = house.HOUSE


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall time, and of processor time of a command with everything it waited for."""

    wall: float
    cpu: float


def cost_of(command: Sequence[str]) -> Cost:
    """Run *command* and say what it cost; its output is dropped, its exit status is not looked at."""
    # As where it is installed: our modules are compiled once, not at each start.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    null = subprocess.DEVNULL
    subprocess.run(command, cwd=HOUSE, env=env, stdin=null, stdout=null, stderr=null)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each of the two."""
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs))


def compiled(source: Path, directory: Path) -> Path:
    """*source* (C) as an executable in *directory*."""
    target = directory / source.stem
    subprocess.run(["cc", "-O2", "-pthread", "-o", str(target), str(source)], check=True)
    return target


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of text: the first column to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    wide = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = [
        "  ".join(
            [row[0].ljust(wide[0]), *(cell.rjust(w) for cell, w in zip(row[1:], wide[1:], strict=True))]
        )
        for row in cells
    ]
    return "\n".join(lines)


def circumstances() -> str:
    """Date, kernel, processors and load: without them a figure says little."""
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, Linux {platform.release()}, {os.cpu_count()} cores, load {load:.1f}"
    )
