"""What every report says about a result, so that they all say the same."""

from __future__ import annotations

from harness.verdict.outcome import Outcome
from harness.verdict.result import CheckResult

#: A plain word for each outcome.
WORDS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.BLOCKED: "blocked",
    Outcome.INCONCLUSIVE: "could not be tried here",
    Outcome.NOT_APPLICABLE: "not asked for",
    Outcome.HARNESS_ERROR: "error of the harness",
}


def parts(check: CheckResult) -> list[tuple[str, str]]:
    """The four parts of the story, then how to try it; parts without a text are left out."""
    rule = " ".join(check.rule.text.split())  # a docstring: its line breaks mean nothing
    authority = f" [{', '.join(check.rule.authority)}]" if check.rule.authority else ""
    told = [
        ("What was done", check.did),
        ("The rule", f"{rule}{authority}" if rule else ""),
        (
            "What your program did" if check.outcome is Outcome.FAIL and not check.hidden else "Note",
            check.observed,
        ),
        ("Likely cause", check.cause),
        ("Try it", check.reproduce),
    ]
    return [(name, text) for name, text in told if text]


def reason(check: CheckResult) -> str:
    """One line: why the check did not pass."""
    first = check.observed.strip().partition("\n")[0]
    match check.outcome:
        case Outcome.BLOCKED:
            return f"blocked by {check.blocked_by or 'an earlier failure'}"
        case Outcome.FAIL if check.advice:
            return f"advice, not scored: {first or check.title}"
        case _:
            return first or WORDS[check.outcome]
