"""Right programs, again and again, while others burn the processor: does a slow machine turn right into wrong?

``python -m tests.proof.repeat --runs 20 --hogs 4 --programs 'echo_*'`` checks every matching right program
that many times against the whole catalogue, each time with another seed, while that many busy loops run.
It ends by itself: after the last run, or after ``--minutes``.  Exit status 0 if everything passed.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from benchmarks.load import busy_loops
from harness.programs import Play, Specimen, programs, read
from harness.verdict.outcome import Level, Outcome
from tests.matrix.running import RunError, check

#: The outcomes that a right program must not have, in the order of the table.
_BAD = (Outcome.FAIL, Outcome.BLOCKED, Outcome.INCONCLUSIVE, Outcome.HARNESS_ERROR)


@dataclass
class Tally:
    """What the runs of one program in one way have come to."""

    runs: int = 0
    lost: int = 0
    #: Checks that did not pass, less the advice that the header of the program says it does not follow.
    bad: int = 0
    seconds: list[float] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def judged(self) -> int:
        """Checks that were run and had something to say."""
        return self.outcomes.total() - self.outcomes[Outcome.NOT_APPLICABLE]

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.runs + other.runs,
            self.lost + other.lost,
            self.bad + other.bad,
            self.seconds + other.seconds,
            self.outcomes + other.outcomes,
        )


def run_once(specimen: Specimen, play: Play, options: list[str], tally: Tally) -> None:
    """One run; what is not a pass is told at once."""
    began = time.monotonic()
    tally.runs += 1
    try:
        results = check(specimen, play, *options).results
    except RunError as error:
        tally.lost += 1
        print(f"LOST {error}", flush=True)
        return
    tally.seconds.append(time.monotonic() - began)
    tally.outcomes.update(result.outcome for result in results.checks)
    for result in results.checks:
        if result.outcome in _BAD and not (result.level is Level.ADVICE and result.id in specimen.advised):
            tally.bad += 1
            place = f"{specimen.name}, {play}, {' '.join(options)}"
            print(f"{result.outcome.upper()} {place}: {result.label}: {result.observed}", flush=True)


def table(tallies: dict[str, Tally]) -> str:
    """One row for each program, and the sum."""
    rows = dict(tallies)
    rows["all"] = sum(tallies.values(), Tally())
    wide = max(map(len, rows))
    head = f"{'program':{wide}} {'runs':>5} {'lost':>5} {'judged':>7} " + " ".join(f"{o:>13}" for o in _BAD)
    lines = [f"{head} {'median s':>9}"]
    for name, tally in rows.items():
        counts = " ".join(f"{tally.outcomes[outcome]:13}" for outcome in _BAD)
        median = statistics.median(tally.seconds) if tally.seconds else float("nan")
        lines.append(f"{name:{wide}} {tally.runs:5} {tally.lost:5} {tally.judged:7} {counts} {median:9.1f}")
    return "\n".join(lines)


def measured(total: Tally, loops: int) -> str:
    """The line for docs/measurements.md."""
    command = shlex.join(["python", "-m", "tests.proof.repeat", *sys.argv[1:]])
    machine = f"Linux {platform.release()}, {os.cpu_count()} cores, {loops} busy loops"
    counts = ", ".join(f"{total.outcomes[outcome]} {outcome}" for outcome in _BAD)
    counts += f" ({total.bad} beyond the advice that headers name)"
    return (
        f"| {datetime.now(UTC):%Y-%m-%d} | `{command}` | {machine} "
        f"| {total.runs} runs, {total.judged} checks judged: {counts}, {total.lost} runs lost |"
    )


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10, help="runs of each program (default 10)")
    parser.add_argument("--hogs", type=int, default=None, help="busy loops (default: two for each core)")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side (default 1)")
    parser.add_argument(
        "--first-seed", type=int, default=1, help="seed of the first run of each program (default 1)"
    )
    parser.add_argument(
        "--programs",
        action="append",
        default=[],
        help="glob on the names of right programs: 'echo_*.c'; may be repeated",
    )
    parser.add_argument("--one-play", action="store_true", help="each program only over its first transport")
    parser.add_argument("--select", action="append", default=[], help="run only checks whose id matches")
    parser.add_argument("--minutes", type=float, default=20, help="begin no run after this time (default 20)")
    arguments = parser.parse_args()
    loops = arguments.hogs if arguments.hogs is not None else 2 * (os.cpu_count() or 1)
    chosen = [
        (specimen, play)
        for specimen in (read(path, None) for path in programs() if path.parent.name == "reference")
        if any(fnmatchcase(specimen.path.name, glob) for glob in arguments.programs or ["*"])
        and not specimen.lacking
        for play in specimen.plays[: 1 if arguments.one_play else None]
    ]
    if not chosen:
        parser.error(f"no right program matches {' or '.join(arguments.programs)}")
    tallies = {f"{specimen.path.name}, {play}": Tally() for specimen, play in chosen}
    until = time.monotonic() + 60 * arguments.minutes

    def run(seed: int, specimen: Specimen, play: Play) -> None:
        if time.monotonic() < until:
            options = [f"--seed={seed}", *(f"--select={glob}" for glob in arguments.select)]
            run_once(specimen, play, options, tallies[f"{specimen.path.name}, {play}"])

    with busy_loops(loops), ThreadPoolExecutor(arguments.jobs) as pool:
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.runs)
        futures = [pool.submit(run, seed, specimen, play) for seed in seeds for specimen, play in chosen]
        try:
            for future in futures:
                future.result()
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    total = sum(tallies.values(), Tally())
    print(table(tallies), measured(total, loops), sep="\n\n")
    return 0 if total.runs and not (total.bad or total.lost) else 1


if __name__ == "__main__":
    sys.exit(main())
