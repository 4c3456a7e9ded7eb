"""``--junit``: JUnit XML, as Jenkins, GitLab, GitHub actions and the Ant schema read it.

``failure`` is the program's fault, ``error`` is ours, ``skipped`` is everything that
was not judged (blocked, inconclusive, not applicable) and advice, which fails nothing.
The two schemas in use disagree about what may stand where; what is written here is in
both: every attribute the Ant schema requires, and the program's output inside the failure.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from harness.report.atomic import write_atomically
from harness.report.legible import legible
from harness.report.story import parts, reason
from harness.verdict.outcome import Level, Outcome
from harness.verdict.result import CheckResult, Results, Rule

OPTION = "junit"
HELP = "write JUnit XML"


def render(results: Results) -> str:
    """The document as text."""
    root = ET.Element("testsuites")
    families = _the_run(results) | results.families()
    for number, (family, checks) in enumerate(families.items()):
        _suite(root, number, family, checks, results)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def write(results: Results, path: Path) -> None:
    """Write *results* to *path*, whole or not at all."""
    write_atomically(path, render(results))


def _the_run(results: Results) -> dict[str, list[CheckResult]]:
    """What went wrong with the run itself, as tests: otherwise the file would look like a small good run."""
    own: list[CheckResult] = []
    build = results.submission.build
    if not build.ok:
        own.append(
            CheckResult(
                id="run/builds",
                level=Level.MUST,
                title="The submission builds.",
                outcome=Outcome.FAIL,
                seconds=build.seconds,
                rule=Rule("The submission builds with the command of the assignment."),
                observed="The build command failed.",
                program_output=build.output,
            )
        )
    if not results.complete:
        own.append(
            CheckResult(
                id="run/complete",
                level=Level.MUST,
                title="The run was completed.",
                outcome=Outcome.HARNESS_ERROR,
                observed="The run was cut short.",
            )
        )
    return {"run": own} if own else {}


def _suite(
    root: ET.Element, number: int, family: str, checks: Sequence[CheckResult], results: Results
) -> None:
    suite = ET.SubElement(
        root,
        "testsuite",
        name=legible(family),
        package="sockspec",
        id=str(number),
        timestamp=results.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",  # the name of the machine is nobody's business in a shared report
        time=_seconds(sum(check.seconds for check in checks)),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(results):
        ET.SubElement(properties, "property", name=name, value=legible(value))
    for check in checks:
        _case(suite, check.for_student())
    kinds = [child.tag for case in suite.iter("testcase") for child in case]
    suite.set("tests", str(len(checks)))
    suite.set("failures", str(kinds.count("failure")))
    suite.set("errors", str(kinds.count("error")))
    suite.set("skipped", str(kinds.count("skipped")))
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err")


def _properties(results: Results) -> list[tuple[str, str]]:
    summary = results.summary
    return [
        ("assignment", results.assignment.name),
        ("profile", results.assignment.profile),
        ("transport", results.assignment.transport),
        ("isolation", results.tool.isolation),
        ("seed", str(results.tool.seed)),
        ("score", f"{summary.score} of {summary.max_score}"),
        ("verdict", summary.verdict.value),
    ]


def _case(suite: ET.Element, check: CheckResult) -> None:
    name = legible(check.label.partition("/")[2] or check.label)
    attributes = {"classname": legible(check.family), "name": name, "time": _seconds(check.seconds)}
    case = ET.SubElement(suite, "testcase", attributes)
    if check.outcome is Outcome.PASS:
        return
    tag = _tag(check)
    result = ET.SubElement(case, tag, message=legible(reason(check)))
    if tag == "skipped":
        return  # the Ant schema gives it neither a type nor a text
    result.set("type", check.outcome.value)
    told = [f"{title}: {text}" for title, text in parts(check)]
    if check.program_output:
        told.append(f"Output of the program:\n{check.program_output}")
    result.text = legible("\n\n".join(told))


def _tag(check: CheckResult) -> str:
    if check.outcome is Outcome.HARNESS_ERROR:
        return "error"
    if check.outcome is Outcome.FAIL and not check.advice:
        return "failure"
    return "skipped"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
