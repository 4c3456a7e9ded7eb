"""Write a commented assignment file to start from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.assignment.manifest import from_options
from harness.assignment.problem import AssignmentError
from harness.assignment.profiles import profile_names
from harness.handbook.choice import FINE, USAGE, complain
from harness.handbook.template import template
from harness.run.options import MANIFEST

NAME = "init"
HELP = "write an assignment file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", default=".", help="where to (default: the current directory)"
    )
    parser.add_argument(
        "--profile", metavar="NAME", default="echo", help=f"{', '.join(profile_names())} (default: echo)"
    )
    parser.add_argument("--transport", metavar="T", help="default: the profile's first")
    parser.add_argument("--name", metavar="TEXT", help="what the assignment is called")


def execute(arguments: argparse.Namespace) -> int:
    """Write the file; one that is there already is left alone."""
    try:
        assignment = from_options(
            profile=arguments.profile, transport=arguments.transport, name=arguments.name
        )
    except AssignmentError as error:
        return complain(NAME, error)
    path = Path(arguments.directory) / MANIFEST
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(template(assignment))
    except FileExistsError:
        print(
            f"sockspec init: {path} is there already; remove it first, or give another directory",
            file=sys.stderr,
        )
        return USAGE
    except OSError as error:
        print(f"sockspec init: {path}: {error.strerror}", file=sys.stderr)
        return USAGE
    print(f"{path}: {assignment.profile.name} over {assignment.transport}; next: sockspec lint {path}")
    return FINE
