"""Which assignment ``list`` and ``explain`` speak of: the options of ``check`` that describe one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.assignment.assignment import Assignment
from harness.assignment.problem import AssignmentError
from harness.run.options import MANIFEST, Options, UsageError

#: Exit statuses of the command (README.md).
FINE, USAGE, UNDECIDED = 0, 2, 3

#: Stands for the submission in a command line that a reader completes.
PATH = "PATH"


@dataclass(frozen=True)
class Choice:
    """What was chosen: an assignment, or none, which means all checks there are."""

    options: Options
    assignment: Assignment | None

    @property
    def name(self) -> str:
        """The assignment in a few words; empty if there is none."""
        if self.assignment is None:
            return ""
        what = f"{self.assignment.profile.name} over {self.assignment.transport}"
        return (
            what
            if self.assignment.name == self.assignment.profile.name
            else f"{self.assignment.name}: {what}"
        )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Declare --assignment, --profile, --transport and --set."""
    parser.add_argument(
        "--assignment",
        metavar="FILE",
        help=f"the assignment file (default: ./{MANIFEST} if there is one, unless --profile is given)",
    )
    parser.add_argument("--profile", metavar="NAME", help="the application protocol: echo, upper, ...")
    parser.add_argument("--transport", metavar="T", help="tcp, udp, ... (default: the profile's first)")
    parser.add_argument(
        "--set",
        dest="sets",
        metavar="TABLE.FIELD=VALUE",
        action="append",
        default=[],
        help="override a field of the assignment, e.g. contract.concurrency=concurrent",
    )


def chosen(arguments: argparse.Namespace) -> Choice:
    """What the options say; raises UsageError and AssignmentError."""
    options = Options(
        submission=PATH,
        assignment=arguments.assignment,
        profile=arguments.profile,
        transport=arguments.transport,
        sets=list(arguments.sets),
    )
    if options.assignment is None and options.profile is None and not Path(MANIFEST).is_file():
        if options.transport is not None or options.sets:
            raise UsageError(
                "--transport and --set say something about an assignment: give --profile NAME too"
            )
        return Choice(options, None)
    return Choice(options, options.read_assignment())


def complain(command: str, error: Exception) -> int:
    """Say on stderr what is wrong with what was asked for; the exit status."""
    if isinstance(error, AssignmentError):
        for problem in error.problems:
            print(problem, file=sys.stderr)
    else:
        print(f"sockspec {command}: {error}", file=sys.stderr)
    return USAGE
