"""From what was handed in to something that can be started: a private copy, built in a sandbox."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.assignment.limits import Limits
from harness.subject.build_wait import wait_for_build
from harness.subject.built_files import (
    find_executables,
    give_away,
    make_readable,
    regular_files,
    without_wrapping,
)
from harness.subject.isolation import Isolation
from harness.subject.language import ARGUMENTS, SERVER, Plan, Preference, choose, make_plan
from harness.subject.launch import Launcher
from harness.subject.sandbox import View
from harness.subject.scratch import Scratch
from harness.subject.toolchains import find_tool, open_to_all
from harness.subject.workcopy import SubmissionError, copy_submission

__all__ = ["Built", "SubmissionError", "Workshop"]

#: Compilers need more than the programs that they make.
BUILD_LIMITS = Limits(cpu_seconds=120, memory_mb=3072, processes=1024, output_mb=1)
TMP_MB = 1024
#: Characters of the compiler's messages that are kept: the first ones, which name the cause, and the last.
FIRST, LAST = 12_000, 4_000


@dataclass(frozen=True)
class Built:
    """The result of a build; plain data, so that it can be sent to another process."""

    ok: bool
    #: What the build printed, both streams, bounded.
    output: str
    seconds: float
    #: The built files, to be given to `Launcher.start(files=...)`.
    directory: Path
    #: The words that start the program, placeholders not yet filled in.
    run: list[str]
    #: What was guessed, or why it failed: for the student.
    explanation: str


class Workshop:
    """Builds one submission; owns the directory with the result until `close`.

    *build* is a text for ``sh -c`` or a list (a program with its arguments), None to guess; *run* None to
    guess. *preferred* are words in file names that tell which of several programs is meant.
    """

    def __init__(
        self,
        submission: Path,
        build: str | Sequence[str] | None,
        run: Sequence[str] | None,
        limits: Limits,
        isolation: Isolation,
        *,
        preferred: Preference = SERVER,
    ) -> None:
        self._submission = submission
        self._command = build
        self._run = list(run) if run else None
        self._preferred = preferred
        self._launcher = Launcher(isolation, limits)
        self._scratch: Scratch | None = None

    def build(self) -> Built:
        """Copy, guess, build, find what to start.

        Raises `SubmissionError` if there is nothing that could be built or started. A build that fails
        is a result: ``Built.ok`` is False.
        """
        self.close()
        self._scratch = Scratch()
        self._scratch.path.chmod(
            0o711
        )  # without a sandbox the program, perhaps another user, must get through
        top = self._scratch.path / "submission"
        top.mkdir(mode=0o755)
        copy_submission(self._submission, top)
        directory = without_wrapping(top)
        plan = make_plan(directory, self._preferred) if self._command is None else None
        if plan is not None:
            self._require_tools(plan)
        if plan is None and self._command is None and self._run is None:
            return self._started_as_it_is(directory)
        return self._build(directory, plan)

    def close(self) -> None:
        """Remove the copy and what was built; idempotent."""
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require_tools(self, plan: Plan) -> None:
        """Installed they are (`make_plan`); without a sandbox another user must be able to get at them, too."""
        isolation = self._launcher.isolation
        for tool in map(find_tool, plan.tools):
            if tool and isolation.changes_user and not isolation.sandboxed and not open_to_all(tool.path):
                raise SubmissionError(
                    f"{plan.reason}; that needs {tool.path}, which other users than root cannot reach, "
                    "and there is no sandbox here in which to show it: install bubblewrap"
                )

    def _started_as_it_is(self, directory: Path) -> Built:
        """No source that we know: a ready-made executable."""
        executables = find_executables(directory)
        if not executables:
            raise SubmissionError(_nothing_to_start(self._submission, directory))
        chosen = choose(executables, self._preferred)
        return Built(
            True, "", 0.0, directory, [f"./{chosen}", *ARGUMENTS], f"started is the executable {chosen}"
        )

    def _build(self, directory: Path, plan: Plan | None) -> Built:
        command = self._command if self._command is not None else plan.build if plan else None
        reason = plan.reason if plan and self._run is None else ""
        if command is None:
            run = self._run or list((plan.run if plan else None) or ())
            return self._checked(Built(True, "", 0.0, directory, run, reason))
        words = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        shown = command if isinstance(command, str) else shlex.join(command)
        before = regular_files(directory)
        began = time.monotonic()
        failure, output = self._run_build(words, directory, plan.environment if plan else {})
        seconds = round(time.monotonic() - began, 3)
        if failure:
            return Built(False, output, seconds, directory, [], f"the build failed: `{shown}` {failure}")
        run = self._run or list((plan.run if plan else None) or ())
        if not run:
            run = self._find_run(directory, directory / (plan.where if plan else "."), before)
            if not run:
                explanation = f"the build made nothing to start: after `{shown}` there is no executable file"
                return Built(False, output, seconds, directory, [], explanation)
            reason = f"{reason}; started is {run[0]}" if reason else f"started is {run[0]}"
        return self._checked(Built(True, output, seconds, directory, run, reason))

    def _find_run(self, directory: Path, where: Path, before: Mapping[str, tuple[int, int]]) -> list[str]:
        """The executable that the build has made or, if it has made none, one that was there before."""
        present = [str((where / name).relative_to(directory)) for name in find_executables(where)]
        now = regular_files(directory)
        made = [name for name in present if now.get(name) != before.get(name)]
        candidates = made or present
        depth = min((name.count("/") for name in candidates), default=0)
        candidates = [name for name in candidates if name.count("/") == depth]
        return [f"./{choose(candidates, self._preferred)}", *ARGUMENTS] if candidates else []

    def _checked(self, built: Built) -> Built:
        """A relative path to a file that is not there fails here, once, and not in every check."""
        first = built.run[0] if built.run else ""
        if "/" not in first or first.startswith("/") or "{" in first:
            return built
        program = built.directory / first
        if not os.path.lexists(program):
            problem = f"there is no {first} " + ("after the build" if built.seconds else "in the submission")
        elif program.is_file() and not os.access(program, os.X_OK):
            problem = f"{first} is not executable (chmod +x)"
        else:
            return built
        return Built(False, built.output, built.seconds, built.directory, built.run, problem)

    def _run_build(self, words: Sequence[str], directory: Path, more: Mapping[str, str]) -> tuple[str, str]:
        """Why it failed ("" if it did not), and what it printed."""
        give_away(directory, self._launcher.give)
        view = View(files=directory, in_place=True, environment=more, tmp_mb=TMP_MB, no_network=True)
        with self._launcher.start_with(words, view, limits=BUILD_LIMITS, build=True) as program:
            failure = wait_for_build(program, directory)
        make_readable(directory)
        output = _shortened((program.output.stdout + program.output.stderr).decode(errors="replace"))
        if failure is None and program.exec_errno is not None:
            failure = f"cannot be started: {os.strerror(program.exec_errno)}"
        if failure is None and program.status is not None and not program.status.success:
            by = program.status
            failure = f"ended with {by}" if by.exited else f"was {by}"
        return failure or "", output


def _nothing_to_start(submission: Path, directory: Path) -> str:
    names = sorted(path.name for path in directory.iterdir())
    if names and all(name.endswith((".h", ".hpp", ".hh")) for name in names):
        return f"{submission}: there are only headers ({', '.join(names[:5])}), no program"
    if len(names) == 1:
        return (
            f"{submission}: {names[0]} is not executable and of no known type; "
            "give a source file (.c .cpp .py .rs .go .java .js), an executable, or say how to build and run it"
        )
    return (
        f"{submission}: neither an executable nor a known kind of source among {', '.join(names[:8])}"
        f"{', ...' if len(names) > 8 else ''}; say how to build and run it"
    )


def _shortened(text: str) -> str:
    left_out = len(text) - FIRST - LAST
    return (
        text if left_out <= 0 else f"{text[:FIRST]}\n[... {left_out} characters left out ...]\n{text[-LAST:]}"
    )
