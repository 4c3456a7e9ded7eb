"""What all checks of one run share: the assignment, the built program, the way to start it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.assignment.arguments import default_arguments
from harness.assignment.assignment import Assignment
from harness.assignment.role import Role
from harness.run.options import Options, UsageError
from harness.stage.stage import Memory
from harness.subject.build import Built, SubmissionError, Workshop
from harness.subject.isolation import Isolation, detect
from harness.subject.language import CLIENT, SERVER


@dataclass
class Session:
    """One run, as a worker sees it."""

    options: Options
    assignment: Assignment
    isolation: Isolation
    built: Built
    memory: Memory = field(default_factory=Memory)
    workshop: Workshop | None = None

    def close(self) -> None:
        """Remove what was built (in the process that built it)."""
        if self.workshop is not None:
            self.workshop.close()


def open_session(options: Options) -> Session:
    """Read the assignment and build the submission; raises UsageError and AssignmentError."""
    assignment = options.read_assignment()
    path = Path(options.submission)
    if not path.exists():
        raise UsageError(
            f"{path}: there is no such file or directory; give the submission: a directory, a source file or an executable"
        )
    isolation = detect()
    spec = assignment.program
    preferred = CLIENT if assignment.profile.role is Role.CLIENT else SERVER
    workshop = Workshop(
        path, spec.build, list(spec.run) or None, assignment.limits, isolation, preferred=preferred
    )
    try:
        built = workshop.build()
    except SubmissionError as error:
        workshop.close()
        raise UsageError(str(error)) from None
    except BaseException:
        workshop.close()
        raise
    if not spec.run:
        # The workshop knows of no roles: its command lines name the port of a server.
        own = default_arguments(assignment.profile, assignment.transport)
        built = replace(built, run=[w for word in built.run for w in (own if word == "{port}" else (word,))])
    return Session(options, assignment, isolation, built, workshop=workshop)


def join_session(options: Options, built: Built) -> Session:
    """The same run in a worker process: nothing is built again."""
    return Session(options, options.read_assignment(), detect(), built)
