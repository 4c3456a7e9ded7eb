"""What a whole run costs on a right C server, side by side with a driver that only does the exchanges.

``python -m benchmarks.whole_run [--rounds N]``.  The server is compiled beforehand.  The rounds of all
commands take turns, so that a machine that is busy with something else is so for all of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import HOUSE, Cost, circumstances, compiled, cost_of, median, table
from harness import house
from harness.report import json_report
from harness.verdict.outcome import Outcome
from harness.verdict.result import Results

SERVER = house.PROGRAMS / "reference" / "echo_epoll_lt.c"
CONTRACT = ["--set", "contract.concurrency=concurrent", "--set", "contract.model=event-loop"]
DRIVER = HOUSE / "benchmarks" / "bare_driver.py"

#: How a check says that it has started the program (harness/stage/stage.py).
_STARTED = ("started the program", "started instance")
_SLOWEST = 12


def starts_in(results: Results) -> int:
    """How often the program was started in a run."""
    return sum(result.did.count(word) for result in results.checks for word in _STARTED)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each command is run (default 5)")
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="sockspec-bench-") as directory:
        program = str(compiled(SERVER, Path(directory)))
        target = Path(directory, "results.json")
        run = [sys.executable, "-m", "harness", "check", program, "--profile", "echo", *CONTRACT]
        cost_of([*run, "--json", str(target)])  # what is built once (our pid 1) is built now
        results = json_report.read(target)
        starts = starts_in(results)
        commands = {
            "import pytest": [sys.executable, "-c", "import pytest"],
            "start-up: all collected, none run": [*run, "--skip", "*"],
            "whole run, -n 0": [*run, "--json", str(target)],
            "whole run, -n 2": [*run, "-n", "2"],
            f"bare driver, {starts} starts": [sys.executable, str(DRIVER), program, str(starts)],
        }
        taken: dict[str, list[Cost]] = {name: [] for name in commands}
        runs = []
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(cost_of(command))
                if name == "whole run, -n 0":
                    runs.append(json_report.read(target))
    print(f"{circumstances()}; medians of {rounds} rounds; isolation {results.tool.isolation}\n")
    _commands(taken)
    _checks(runs, median(list(taken.values())[-1]).wall / starts)


def _commands(taken: dict[str, list[Cost]]) -> None:
    costs = {name: median(all_) for name, all_ in taken.items()}
    *_, alone, side_by_side, bare = costs.values()
    rows = [
        (name, f"{c.wall:.2f}", f"{c.cpu:.2f}", f"{c.wall / bare.wall:.2f}", f"{c.cpu / bare.cpu:.2f}")
        for name, c in costs.items()
    ]
    print(table(("", "wall s", "cpu s", "wall : bare", "cpu : bare"), rows))
    print(f"\n-n 2 is {alone.wall / side_by_side.wall:.2f} times as fast as -n 0\n")


def _checks(runs: list[Results], bare_start: float) -> None:
    seconds: dict[str, list[float]] = {}
    bad = set()
    for results in runs:
        for result in results.checks:
            if result.outcome is not Outcome.NOT_APPLICABLE:
                seconds.setdefault(result.label, []).append(result.seconds)
            if result.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE):
                bad.add(f"{result.label}: {result.outcome}")
    usual = {label: statistics.median(taken) for label, taken in seconds.items()}
    ordered = sorted(usual.items(), key=lambda item: -item[1])
    print(
        table(
            (f"slowest of {len(usual)} checks", "ms"),
            [(label, f"{1000 * s:.1f}") for label, s in ordered[:_SLOWEST]],
        )
    )
    middle = statistics.median(usual.values())
    print(f"\nall checks {sum(usual.values()):.2f} s; median check {1000 * middle:.1f} ms", end="; ")
    print(f"bare start, exchange and end {1000 * bare_start:.1f} ms: {1000 * (middle - bare_start):+.1f} ms")
    for line in sorted(bad):
        print(f"NOT CLEAN {line}")


if __name__ == "__main__":
    main()
