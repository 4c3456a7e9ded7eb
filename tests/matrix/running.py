"""One run of the whole catalogue over one program, in a process of its own."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import house
from harness.programs import Play, Specimen
from harness.report import json_report
from harness.verdict.result import Results

#: The last fuse, in seconds of wall time: a run that takes longer says nothing about the program.
FUSE = 600


class RunError(Exception):
    """The run left no results: our own fault, or that of this machine."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended: the results, and the exit status of the command."""

    results: Results
    status: int


def check(specimen: Specimen, play: Play, *options: str) -> Run:
    """Check *specimen* by the command, as a user would; *options* are more words for it.

    Raises RunError if there are no results.
    """
    return run_check(f"{specimen.name}, {play}", [*specimen.check_arguments(play), *options])


def run_check(name: str, words: Sequence[str]) -> Run:
    """``sockspec check`` with *words*; *name* is what messages call it.  Raises RunError if there are no results."""
    with tempfile.TemporaryDirectory(prefix="sockspec-matrix-") as directory:
        target = Path(directory, "results.json")
        status, said = _finish([sys.executable, "-m", "harness", "check", *words, "--json", str(target)])
        try:
            return Run(json_report.read(target), status)
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{name}: exit status {status}, {error!r}\n{said}") from error


@functools.cache
def environment() -> Mapping[str, str]:
    """The environment of a run inside a test."""
    # What pytest tells its workers by the environment is not meant for others.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    # Hundreds of runs would compile our modules hundreds of times where bytecode is not written.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    bytecode = tempfile.mkdtemp(prefix="sockspec-bytecode-")
    atexit.register(shutil.rmtree, bytecode, ignore_errors=True)
    return env | {"PYTHONPYCACHEPREFIX": bytecode}


def _finish(command: list[str]) -> tuple[int, str]:
    """Exit status and last output of *command*; whatever it started is gone afterwards."""
    process = subprocess.Popen(
        command,
        cwd=house.HOUSE,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with process:
        try:
            output, _ = process.communicate(timeout=FUSE)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise RunError(f"no end after {FUSE} s: {' '.join(command)}") from None
    return process.returncode, output.decode(errors="replace")[-4000:]
