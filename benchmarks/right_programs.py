"""How long the whole catalogue takes for each right program, in one process and in two.

``python -m benchmarks.right_programs [--programs GLOB]``.  Each program is checked over its first transport,
with ``-n 0`` and with ``-n 2``, one after the other.
"""

from __future__ import annotations

import argparse
import time
from fnmatch import fnmatchcase

from benchmarks.measuring import circumstances, table
from harness.programs import Play, Specimen, programs, read
from harness.verdict.outcome import Outcome
from harness.verdict.result import Results
from tests.matrix.running import check


def timed(specimen: Specimen, play: Play, workers: int) -> tuple[float, Results]:
    """Wall seconds of the command, from its start to its end, and what it found."""
    began = time.perf_counter()
    results = check(specimen, play, "-n", str(workers)).results
    return time.perf_counter() - began, results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", default="*", help="glob on the names of right programs: 'echo_*.c'")
    glob: str = parser.parse_args().programs
    rows = []
    for specimen in (read(path, None) for path in programs() if path.parent.name == "reference"):
        if specimen.lacking or not fnmatchcase(specimen.path.name, glob):
            continue
        play = specimen.plays[0]
        alone, results = timed(specimen, play, 0)
        two, _ = timed(specimen, play, 2)
        judged = sum(result.outcome is not Outcome.NOT_APPLICABLE for result in results.checks)
        build = results.submission.build.seconds
        name = f"{specimen.path.name}, {play}"
        rows.append((name, judged, f"{build:.1f}", f"{alone:.1f}", f"{two:.1f}"))
        print(f"{name}: {alone:.1f} s, {two:.1f} s", flush=True)
    print(circumstances())
    print(table(("program", "checks", "build s", "-n 0 s", "-n 2 s"), rows))


if __name__ == "__main__":
    main()
