"""Check two bundled servers, one that is right and one with a famous bug, and show what a student sees."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

from harness import house
from harness.handbook.choice import FINE, UNDECIDED
from harness.handbook.page import Page
from harness.programs import Specimen, read

NAME = "demo"
HELP = "check two bundled programs, one right and one with a famous bug"

RIGHT = house.PROGRAMS / "reference" / "echo_epoll_lt.c"
#: Without SO_REUSEADDR: every beginner's server, until somebody starts it twice in a row.
WRONG = house.PROGRAMS / "broken" / "port-reuse" / "restart-in-time-wait--none.c"

#: Exit statuses of ``check``: met, not met.
_MET, _NOT_MET = 0, 1


@dataclass(frozen=True)
class _Run:
    """What became of one check run."""

    status: int
    failed: frozenset[str]
    """Ids of the checks that failed or are blocked."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-n", dest="workers", default=None, metavar="N", help="check in N processes at once")


def execute(arguments: argparse.Namespace) -> int:
    """Run both; 0 if the first passes and the second fails by its bug, 3 otherwise."""
    page = Page()
    options = [] if arguments.workers is None else ["-n", arguments.workers]
    specimens = read(RIGHT, None), read(WRONG, None)
    bug = specimens[1].fails
    with tempfile.TemporaryDirectory(prefix="sockspec-demo-") as directory:
        place = Path(directory)
        right, wrong = (
            _show(page, number, program, place, options) for number, program in enumerate(specimens, start=1)
        )
    page.line()
    if right.status == _MET and wrong.status == _NOT_MET and bug in wrong.failed:
        page.paragraph(
            f"As it should be: the first server meets everything that is asked, and the second fails {bug}. "
            f"`sockspec explain {bug}` says more about that rule; `sockspec check YOUR-PROGRAM --profile echo` "
            "checks a server of yours."
        )
        return FINE
    page.paragraph(
        f"This is not what the demonstration expects (exit status 0 and then 1, with {bug} failed; it was "
        f"{right.status} and then {wrong.status}): sockspec or this machine is at fault. `sockspec doctor` may know why.",
        "bold red",
    )
    return UNDECIDED


def _show(page: Page, number: int, program: Specimen, directory: Path, options: list[str]) -> _Run:
    """Announce one program, check it as ``sockspec check`` does, and read what came of it."""
    words = program.check_arguments(program.plays[0])
    page.line()
    page.heading(f"{number}. {program.name}", program.sentence)
    page.line(f"$ sockspec check {shlex.join(words)}", "green")
    page.line()
    record = directory / f"{number}.json"
    status = _in_child(["check", *words, *options, "--json", str(record)])
    return _Run(status, _failed(record))


def _in_child(words: list[str]) -> int:
    """Run the command *words* in a forked child; the exit status.

    One process cannot run pytest twice in a row: its plugins and the private network of the first
    run would still be there.
    """
    from harness import cli  # here, since cli imports every command, this one too

    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = UNDECIDED
        try:
            status = cli.main(words)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else UNDECIDED
        except BaseException:  # the child must not run into the parent's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _failed(record: Path) -> frozenset[str]:
    try:
        document = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the run ended before it wrote anything; its status says so
        return frozenset()
    return frozenset(check["id"] for check in document["checks"] if check["outcome"] in ("fail", "blocked"))
