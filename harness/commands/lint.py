"""Find all mistakes in assignment files, or say what they ask for."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from harness.assignment import manifest
from harness.assignment.assignment import Assignment
from harness.assignment.problem import AssignmentError, either
from harness.assignment.profiles._client import ClientProfile
from harness.assignment.profiles._local import LocalProfile
from harness.catalogue import catalogue
from harness.commands.list_checks import levels_asked
from harness.handbook.choice import FINE, USAGE
from harness.handbook.page import Page
from harness.run.options import MANIFEST
from harness.verdict.outcome import Level
from harness.verdict.show import count

NAME = "lint"
HELP = "find all mistakes in an assignment file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[MANIFEST],
        help=f"assignment files (default: ./{MANIFEST})",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Tell every mistake of every file; the exit status is 2 if there is one."""
    page = Page()
    status = FINE
    for file in arguments.files:
        try:
            assignment = manifest.load(Path(file), known_ids=catalogue())
        except AssignmentError as error:
            for problem in error.problems:
                for line in str(problem).splitlines():
                    page.line(line)
            page.line(f"{file}: {count(len(error.problems), 'mistake')}", "bold red")
            status = USAGE
        else:
            page.line(f"{file}: ok", "bold green")
            page.paragraph(summary(assignment), indent=2)
    return status


def summary(assignment: Assignment) -> str:
    """One paragraph: what will be asked of a submission."""
    program, rubric = assignment.program, assignment.rubric
    asked = levels_asked(assignment)
    counts = Counter(asked.values())
    points = sum(rubric.points_for(asked).values())
    levels = ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
    sentences = [
        f'"{assignment.name}" asks for a {assignment.profile.role.noun} of the profile {assignment.profile.name} over '
        f"{assignment.transport}: {assignment.profile.summary}.",
        f"It is built {_build(program.build)} and started {_run(assignment)}.",
        *_contract(assignment),
        f"{len(asked)} of {len(catalogue())} checks apply ({levels}), worth {points:g} points; "
        f"a submission passes with {rubric.pass_at:g} per cent of them.",
    ]
    if rubric.required:
        sentences.append(f"Whatever the points, these must pass: {', '.join(rubric.required)}.")
    if rubric.hidden:
        sentences.append(f"These are not explained to students: {', '.join(rubric.hidden)}.")
    return " ".join(sentences)


def _build(build: str | tuple[str, ...] | None) -> str:
    if build is None:
        return "by its file type"
    return f"by: {build if isinstance(build, str) else ' '.join(build)}"


def _run(assignment: Assignment) -> str:
    run, profile = assignment.program.run, assignment.profile
    if run:
        return f"as: {' '.join(run)}"
    if isinstance(profile, ClientProfile) and not assignment.transport.is_unix:
        return f"with the arguments {' '.join(profile.arguments)}"
    if "root" in profile.placeholders:
        return "with the port and the directory as its only arguments"
    if isinstance(profile, LocalProfile):
        return (
            f"with the arguments {' '.join(profile.arguments)}" if profile.arguments else "without arguments"
        )
    return f"with the {'path' if assignment.transport.is_unix else 'port'} as its only argument"


def _contract(assignment: Assignment) -> list[str]:
    """The fields that most often surprise, in words."""
    contract = assignment.contract
    if assignment.profile.role != "server":
        return []
    told = {
        "forever": "until it is stopped",
        "one-client": "one client only",
        "until-terminator": "until it gets the terminator",
    }
    beside = "" if assignment.transport.is_datagram else f", clients {_served(contract.concurrency)}"
    sentences = [f"It serves {told[contract.lifetime]}{beside}."]
    if contract.stop:
        agreed = either(f"{name} ({_status(status)})" for name, status in contract.stop.items())
        sentences.append(f"It ends on {agreed}.")
    else:
        sentences.append("No stop signal is agreed.")
    return sentences


def _served(concurrency: str) -> str:
    return "side by side" if concurrency == "concurrent" else "one after another or side by side"


def _status(status: int | str) -> str:
    if status == "signal":
        return "may be killed by it"
    return "with any status" if status == "any" else f"exit status {status}"
