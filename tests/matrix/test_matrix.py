"""The kill matrix: right programs pass everything, broken ones fail what they are named after.

Every program of ``fixtures/programs`` is checked against the whole catalogue, over each of its
transports.  What a broken program fails besides must be named in its header as a consequence.

By default only the proven plays are made, and a second broken program for one check is asked its own family only.
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

#: Whether everything is asked of everybody.
WHOLE = bool(os.environ.get("SOCKSPEC_WHOLE_MATRIX"))


def _plays() -> list[ParameterSet]:
    """The plays, and for each whether the program is the first of those that fail its check, or a further one."""
    proven = set(PROVEN.read_text(encoding="utf-8").split("\n"))
    seen: dict[str, str] = {}
    plays = []
    for path in programs():
        try:
            specimen = read(path, None)
        except HeaderError:
            continue  # test_headers.py says what is wrong with it
        for play in specimen.plays:
            word = play.transport if play.profile == specimen.profile else f"{play.profile}-{play.transport}"
            name = f"{specimen.name}[{word}]"
            if WHOLE or name in proven:
                further = (
                    not specimen.right
                    and seen.setdefault(specimen.fails or "", specimen.name) != specimen.name
                )
                plays.append(pytest.param(specimen, play, further, id=name))
    return plays


#: The slowest checks: each makes some hundred clients or instances. A broken program that does not name them is not
#: asked them again and again; ``SOCKSPEC_WHOLE_MATRIX=1`` asks everything of everybody.
COSTLY = ("resources/memory", "signals/race-window", "concurrency/over-1024-descriptors")


def _asked(specimen: Specimen, *, further: bool) -> list[str]:
    """What a play leaves out by default: that a bug is seen by its check is asked of each broken program, that it is seen by no
    other one of the first for each check."""
    if specimen.right or WHOLE:
        return []
    if further:
        return [f"--select={(specimen.fails or '').partition('/')[0]}/*"]
    return [f"--skip={check}" for check in COSTLY if check != specimen.fails and not specimen.covers(check)]


@pytest.mark.timeout(FUSE + 10)
@pytest.mark.parametrize(("specimen", "play", "further"), _plays())
def test_program(specimen: Specimen, play: Play, further: bool) -> None:
    if specimen.lacking:
        pytest.skip(f"{', '.join(specimen.lacking)} is not installed")
    run = check(specimen, play, *_asked(specimen, further=further))
    wrong = complaints(specimen, run.results)
    if wrong:
        again = shlex.join(["sockspec", "check", *specimen.check_arguments(play)])
        lines = [f"{specimen.name}, {play}: {specimen.sentence}", *(f"- {line}" for line in wrong), again]
        pytest.fail("\n".join(lines), pytrace=False)
    assert run.status == run.results.exit_status, "the command said something else than its results"
