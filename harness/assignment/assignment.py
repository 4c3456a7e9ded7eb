"""An assignment: everything a run must know before it looks at a submission."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.assignment.contract import Contract
from harness.assignment.dialogue import Dialogue
from harness.assignment.kinds import OneOf, Text
from harness.assignment.limits import Limits
from harness.assignment.profiles._base import Profile
from harness.assignment.program import ProgramSpec
from harness.assignment.rubric import Rubric
from harness.assignment.setting import setting
from harness.assignment.transport import Transport


@dataclass(frozen=True)
class Heading:
    """The table ``[assignment]``, as written."""

    name: str = field(
        default="",
        metadata=setting(Text(), "What the assignment is called; left out: the name of the profile."),
    )
    profile: str = field(
        default="",
        metadata=setting(
            Text(),
            'The application protocol: the name of a profile, or "file.py:ClassName" for one of your own.',
        ),
    )
    transport: str = field(
        default="",
        metadata=setting(
            OneOf(tuple(Transport)),
            "What carries the dialogue; left out: the first that the profile can have.",
        ),
    )


@dataclass(frozen=True)
class Assignment:
    """What is asked.  *profile* is bound to *contract*; *program.ready* is never None."""

    name: str
    profile: Profile
    transport: Transport
    program: ProgramSpec
    contract: Contract
    rubric: Rubric
    limits: Limits
    source: Path | None
    """The assignment file; None if the command line is all there is."""
    dialogue: Dialogue = field(default_factory=Dialogue)
    """What is said, if the profile is ``dialogue``."""


#: The tables of an assignment file, in the order in which they are written.
TABLES: dict[str, type[Heading | ProgramSpec | Dialogue | Contract | Rubric | Limits]] = {
    "assignment": Heading,
    "program": ProgramSpec,
    "dialogue": Dialogue,
    "contract": Contract,
    "rubric": Rubric,
    "limits": Limits,
}
