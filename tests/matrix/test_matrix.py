"""The kill matrix: right programs pass everything, broken ones fail what they are named after.

Every program of ``fixtures/programs`` is checked against the whole catalogue, over each of its
transports.  What a broken program fails besides must be named in its header as a consequence.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from harness.programs import HeaderError, Play, Specimen, programs, read

from .judging import complaints
from .running import FUSE, check

#: The plays that have been seen to be right, one a line; all others are played with SOCKSPEC_WHOLE_MATRIX=1.
PROVEN = Path(__file__).with_name("proven.txt")


def _plays() -> list[ParameterSet]:
    whole = bool(os.environ.get("SOCKSPEC_WHOLE_MATRIX"))
    proven = set(PROVEN.read_text(encoding="utf-8").split("\n"))
    plays = []
    for path in programs():
        try:
            specimen = read(path, None)
        except HeaderError:
            continue  # test_headers.py says what is wrong with it
        for play in specimen.plays:
            word = play.transport if play.profile == specimen.profile else f"{play.profile}-{play.transport}"
            name = f"{specimen.name}[{word}]"
            if whole or name in proven:
                plays.append(pytest.param(specimen, play, id=name))
    return plays


#: The slowest checks: each makes some hundred clients or instances. A broken program that does not name them is not
#: asked them again and again; ``SOCKSPEC_WHOLE_MATRIX=1`` asks everything of everybody.
COSTLY = ("resources/memory", "signals/race-window", "concurrency/over-1024-descriptors")


def _left_out(specimen: Specimen) -> list[str]:
    if specimen.right or os.environ.get("SOCKSPEC_WHOLE_MATRIX"):
        return []
    return [f"--skip={check}" for check in COSTLY if check != specimen.fails and not specimen.covers(check)]


@pytest.mark.timeout(FUSE + 10)
@pytest.mark.parametrize(("specimen", "play"), _plays())
def test_program(specimen: Specimen, play: Play) -> None:
    if specimen.lacking:
        pytest.skip(f"{', '.join(specimen.lacking)} is not installed")
    run = check(specimen, play, *_left_out(specimen))
    wrong = complaints(specimen, run.results)
    if wrong:
        again = shlex.join(["sockspec", "check", *specimen.check_arguments(play)])
        lines = [f"{specimen.name}, {play}: {specimen.sentence}", *(f"- {line}" for line in wrong), again]
        pytest.fail("\n".join(lines), pytrace=False)
    assert run.status == run.results.exit_status, "the command said something else than its results"
