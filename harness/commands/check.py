"""Check one submission: build it, start it, play the other side, and say what holds."""

from __future__ import annotations

import argparse
import os

import pytest

from harness import house
from harness.report import formats
from harness.run.options import add_options

NAME = "check"
HELP = "check one submission"

#: pytest's own exit statuses that are not results: interrupted, internal error, usage.
_OWN = {pytest.ExitCode.INTERRUPTED: 3, pytest.ExitCode.INTERNAL_ERROR: 3, pytest.ExitCode.USAGE_ERROR: 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; they are those of ``pytest suites/``."""
    parser.add_argument(
        "path", metavar="PATH", help="the submission: a directory, a source file or an executable"
    )
    add_options(parser.add_argument)
    parser.add_argument("-n", dest="workers", default=None, metavar="N", help="check in N processes at once")
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first check that fails")
    parser.add_argument(
        "-v", dest="verbose", action="count", default=0, help="say more; twice: as pytest says it"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Run the suites on the submission, in this process."""
    return run_suites(pytest_arguments(arguments))


def run_suites(arguments: list[str]) -> int:
    """A pytest run over the bundled suites; the exit status of the command.

    Plugins that happen to be installed cost start-up time and may change what pytest does, so only ours are loaded.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # We may stand in the submission's directory, whose modules must not be taken for ours (by workers, too).
    os.environ["PYTHONSAFEPATH"] = "1"
    code = pytest.main([str(house.SUITES), *arguments])
    return _OWN.get(code, int(code)) if isinstance(code, pytest.ExitCode) else int(code)


def pytest_arguments(arguments: argparse.Namespace) -> list[str]:
    """The same request in the words of ``pytest suites/``."""
    given = vars(arguments)
    words = [
        f"--submission={arguments.path}",
        f"--rootdir={house.HOUSE}",
        "-p",
        "xdist",
        "-p",
        "pytest_timeout",
        "-p",
        "harness.plugin",
        "-p",
        "no:cacheprovider",
        "-qq",
        "--no-header",
        "-c",
        "/dev/null",
    ]
    for name in ("assignment", "profile", "transport", "build", "run", "level", "seed"):
        if given[name] is not None:
            words.append(f"--{name}={given[name]}")
    for option, values in (("set", arguments.sets), ("select", arguments.select), ("skip", arguments.skip)):
        words += [f"--{option}={value}" for value in values]
    for option in formats():
        if (target := given[f"sockspec_{option}"]) is not None:
            words.append(f"--{option}={target}")
    if arguments.workers is not None:
        words += ["-n", arguments.workers]
    if arguments.fail_fast:
        words.append("--exitfirst")
    return words + ["-v"] * arguments.verbose
