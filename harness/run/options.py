"""The options of a run: the same words for ``pytest suites/`` and ``sockspec check``."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.assignment import manifest
from harness.assignment.assignment import Assignment
from harness.assignment.profiles.dialogue import Scripted
from harness.catalogue import catalogue
from harness.report import formats

#: Found in a submission's directory when neither --assignment nor --profile is given.
MANIFEST = "sockspec.toml"


class UsageError(ValueError):
    """The options cannot be used; the message names the next step."""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; plain data, so that it travels to workers."""

    submission: str
    assignment: str | None = None
    profile: str | None = None
    transport: str | None = None
    build: str | None = None
    run: str | None = None
    sets: list[str] = field(default_factory=list)
    select: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    level: str = "advice"
    seed: int = 1

    def read_assignment(self) -> Assignment:
        """The assignment these options describe.

        Raises UsageError if there is none, AssignmentError if there are mistakes in it.
        """
        path = self._manifest()
        if path is not None:
            return manifest.load(
                path,
                sets=self.sets,
                profile=self.profile,
                transport=self.transport,
                build=self.build,
                run=self.run,
                known_ids=catalogue(),
            )
        if self.profile is None:
            raise UsageError(
                "what is asked of the submission? Give --assignment FILE, or --profile NAME (and --transport T); "
                f"or put a {MANIFEST} into the directory you are in (`sockspec init` writes one)"
            )
        assignment = manifest.from_options(
            profile=self.profile,
            transport=self.transport,
            build=self.build,
            run=self.run,
            sets=self.sets,
            known_ids=catalogue(),
        )
        if isinstance(assignment.profile, Scripted) and not assignment.profile.declared:
            raise UsageError(
                "a dialogue without steps; write them under [dialogue] in an assignment file "
                "(`sockspec init --profile dialogue` makes one), or give "
                '--set \'dialogue.steps=[{ send = "..." }, { expect = "..." }]\''
            )
        return assignment

    def _manifest(self) -> Path | None:
        if self.assignment is not None:
            path = Path(self.assignment)
            if not path.is_file():
                raise UsageError(f"--assignment {self.assignment}: there is no such file")
            return path
        # Never one from inside the submission: what is asked is not for the student to say.
        here = Path(MANIFEST)
        return here if self.profile is None and here.is_file() else None

    def as_command(self, *, select: str) -> str:
        """The command line that runs the one check *select* again."""
        words = ["sockspec", "check", self.submission]
        for name in ("assignment", "profile", "transport", "build", "run"):
            if (value := getattr(self, name)) is not None:
                words += [f"--{name}", value]
        for value in self.sets:
            words += ["--set", value]
        words += ["--select", select]
        if self.seed != 1:
            words += ["--seed", str(self.seed)]
        return shlex.join(words)


def add_options(add: Callable[..., Any]) -> None:
    """Declare every option by *add*, the add_argument of argparse or the addoption of pytest."""
    add(
        "--assignment",
        metavar="FILE",
        help="the assignment file (default: ./sockspec.toml, unless --profile is given)",
    )
    add("--profile", metavar="NAME", help="the application protocol: echo, upper, udp-echo, ...")
    add(
        "--transport",
        metavar="T",
        help="tcp, tcp6, tcp-dual, unix-stream, udp, udp6, ... (default: the profile's first)",
    )
    add("--build", metavar="CMD", help="how to build, for sh (default: by file type)")
    add(
        "--run",
        metavar="CMD",
        help='how to start, e.g. "./server {port}" (default: by file type, the port as the only argument)',
    )
    add(
        "--set",
        dest="sets",
        metavar="TABLE.FIELD=VALUE",
        action="append",
        default=[],
        help="override a field of the assignment, e.g. contract.stop.SIGTERM=0",
    )
    add(
        "--select",
        metavar="GLOB",
        action="append",
        default=[],
        help="run only checks whose id matches, e.g. 'half-close/*' (repeatable)",
    )
    add(
        "--skip",
        metavar="GLOB",
        action="append",
        default=[],
        help="leave out checks whose id matches (repeatable)",
    )
    add(
        "--level",
        choices=("must", "should", "advice"),
        default="advice",
        help="the least binding level that is run",
    )
    add("--seed", type=int, default=1, metavar="N", help="seed of everything that is drawn at random")
    for option, writer in formats().items():
        add(f"--{option}", dest=f"sockspec_{option}", metavar="FILE", help=writer.HELP)
