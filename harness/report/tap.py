"""``--tap``: TAP 14 (https://testanything.org/tap-version-14-specification.html).

``not ok`` is the program's fault or, if its block says ``outcome: "harness-error"``, ours; what could not be
tried or was not asked for is ``ok # SKIP`` with its reason; failed advice is
``not ok # TODO``, which by the specification does not fail a run.  A blocked check is
``not ok``: the program owes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from harness.report.atomic import write_atomically
from harness.report.legible import for_log
from harness.report.story import parts, reason
from harness.verdict.outcome import Outcome
from harness.verdict.result import CheckResult, Results

OPTION = "tap"
HELP = "write TAP version 14"

_SKIPPED = (Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE)


def render(results: Results) -> str:
    """The stream as text."""
    return "\n".join(_lines(results)) + "\n"


def write(results: Results, path: Path) -> None:
    """Write *results* to *path*, whole or not at all."""
    write_atomically(path, render(results))


def _lines(results: Results) -> Iterator[str]:
    yield "TAP version 14"
    yield f"1..{len(results.checks)}"
    for number, check in enumerate(results.checks, 1):
        yield from _test_point(number, check.for_student())
    if not results.submission.build.ok:
        yield "Bail out! the submission does not build"
    elif not results.complete:
        yield "Bail out! the run was cut short"


def _test_point(number: int, check: CheckResult) -> Iterator[str]:
    point = f"{number} - {_plain(check.label)}"
    if check.outcome is Outcome.PASS:
        yield f"ok {point}"
    elif check.outcome in _SKIPPED:
        yield f"ok {point} # SKIP {_plain(reason(check))}"
    else:
        todo = " # TODO advice, not scored" if check.advice else ""
        yield f"not ok {point}{todo}"
        yield from _diagnostics(check)


def _diagnostics(check: CheckResult) -> Iterator[str]:
    """A YAML block; a JSON string is a YAML 1.2 double-quoted scalar, so nothing else needs quoting."""
    yield "  ---"
    fields = [("message", reason(check)), ("severity", check.level.value), ("outcome", check.outcome.value)]
    for name, text in [*fields, *parts(check)]:
        key = name.lower().replace(" ", "_")
        yield f"  {key}: {json.dumps(for_log(text), ensure_ascii=False)}"
    yield "  ..."


def _plain(text: str) -> str:
    """One line in which ``#`` and ``\\`` are not directives (escaped as the specification says)."""
    return re.sub(r"([\\#])", r"\\\1", " ".join(for_log(text).split()))
