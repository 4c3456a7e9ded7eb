"""From the end of a check to its result: the four parts of the story."""

from __future__ import annotations

import traceback
from pathlib import Path

from harness.assignment.profiles._base import CannotAsk
from harness.checks import Check
from harness.run.session import Session
from harness.run.spinning import takers
from harness.stage.stage import Stage
from harness.verdict.cause import likely_cause
from harness.verdict.outcome import Blocked, Level, Outcome, Verdict, Violation
from harness.verdict.result import CheckResult, Rule
from harness.verdict.show import text


def outcome_of(error: BaseException | None) -> tuple[Outcome, str]:
    """The outcome that an exception (or None) stands for, and the reason in words."""
    if error is None:
        return Outcome.PASS, ""
    if isinstance(error, Verdict):
        return error.outcome, str(error)
    if isinstance(error, CannotAsk):
        return Outcome.NOT_APPLICABLE, error.reason
    return Outcome.HARNESS_ERROR, _ours(error)


def _ours(error: BaseException) -> str:
    """Our own failure, with the place in our code: what a bug report needs."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames if any(room in Path(f.filename).parts for room in ("harness", "suites", "fixtures"))
    ]
    where = f" ({Path(ours[-1].filename).name}, line {ours[-1].lineno}, in {ours[-1].name})" if ours else ""
    return f"{type(error).__name__}: {error}{where}. This is a fault of the harness or of this machine, not of the program."


def tell(
    session: Session,
    check: Check,
    case: str | None,
    error: BaseException | None,
    seconds: float,
    stage: Stage | None,
) -> CheckResult:
    """The result of *check*, which ended by *error* (None: it passed); points are given later, over all results."""
    outcome, reason = outcome_of(error)
    kind = getattr(error, "kind", "")
    blocked_by = error.by if isinstance(error, Blocked) else None
    about_spinning = takers(session.assignment)
    if outcome is Outcome.FAIL and kind == "spinning" and check.id not in about_spinning:
        outcome, blocked_by = Outcome.BLOCKED, about_spinning[0]
    facts = getattr(error, "facts", {})
    failed = isinstance(error, Violation | Blocked)
    observed = reason[:1].upper() + reason[1:] if isinstance(error, Violation | Blocked) else reason
    return CheckResult(
        id=check.id,
        case=case,
        level=check.level_for(session.assignment) or Level.MUST,
        title=check.title,
        outcome=outcome,
        seconds=seconds,
        did="; ".join(stage.timeline.deeds()) if stage is not None else "",
        rule=Rule(check.rule, check.authority),
        observed=observed,
        cause=likely_cause(check.id, kind, facts, check.mistakes) if failed else "",
        reproduce=session.options.as_command(select=check.id)
        if outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
        else "",
        timeline=tuple(stage.timeline.events) if stage is not None and outcome is not Outcome.PASS else (),
        program_output=_output(stage) if stage is not None and outcome is not Outcome.PASS else "",
        blocked_by=blocked_by,
        hidden=session.assignment.rubric.is_hidden(check.id),
    )


def _output(stage: Stage) -> str:
    parts = []
    for instance in stage.instances:
        for name, output in (
            ("stdout", instance.program.output.stdout),
            ("stderr", instance.program.output.stderr),
        ):
            if output:
                parts.append(f"[{name} of {instance.name}]\n{text(output)}")
    return "\n".join(parts)
