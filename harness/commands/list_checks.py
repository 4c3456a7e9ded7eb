"""List the checks: those of an assignment with their levels, or all there are."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.assignment.assignment import Assignment
from harness.assignment.problem import AssignmentError
from harness.catalogue import catalogue
from harness.handbook.choice import FINE, Choice, add_choice, chosen, complain
from harness.handbook.families import Family, families
from harness.handbook.page import LEVEL_STYLES, Page, Row
from harness.handbook.scope import level_word
from harness.run.options import UsageError
from harness.verdict.outcome import Level

NAME = "list"
HELP = "list the checks of an assignment, or all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_choice(parser)
    parser.add_argument("--all", action="store_true", help="all checks there are, whatever the assignment")
    parser.add_argument(
        "-v", dest="verbose", action="store_true", help="also those that do not apply, and why not"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Print the list."""
    try:
        choice = chosen(arguments)
    except (UsageError, AssignmentError) as error:
        return complain(NAME, error)
    page = Page()
    if arguments.all or choice.assignment is None:
        _list_all(page)
    else:
        _list_assignment(page, choice, choice.assignment, verbose=arguments.verbose)
    return FINE


def _list_all(page: Page) -> None:
    page.line(f"All {len(catalogue())} checks", "bold")
    page.paragraph("--profile NAME or --assignment FILE shows those of one assignment.", "dim")
    rows = {
        family: [
            (
                page.text(level_word(entry.check), "dim"),
                page.text(entry.check.id),
                page.text(entry.check.title),
            )
            for entry in family.checks
        ]
        for family in families().values()
    }
    _print(page, rows)


def _print(page: Page, rows: Mapping[Family, Sequence[Row]]) -> None:
    """The families that have rows, with the same columns everywhere."""
    everything = [row for of_family in rows.values() for row in of_family]
    for family, of_family in rows.items():
        if of_family:
            page.line()
            page.heading(family.name, family.about)
            page.rows(of_family, like=everything)


def why_not(check_id: str, assignment: Assignment) -> str | None:
    """Why *assignment* does not ask for a check, None if it does."""
    if reason := catalogue()[check_id].check.why_not(assignment):
        return reason
    return "left out by rubric.skip" if assignment.rubric.is_skipped(check_id) else None


def levels_asked(assignment: Assignment) -> dict[str, Level]:
    """The checks that *assignment* asks for, in the order of the suites, with their levels."""
    asked = {}
    for check_id, entry in catalogue().items():
        level = entry.check.level_for(assignment)
        if level is not None and why_not(check_id, assignment) is None:
            asked[check_id] = level
    return asked


def _list_assignment(page: Page, choice: Choice, assignment: Assignment, *, verbose: bool) -> None:
    asked = levels_asked(assignment)
    page.line(choice.name, "bold")
    counts = Counter(asked.values())
    page.paragraph(
        f"{len(asked)} checks: {counts[Level.MUST]} must, {counts[Level.SHOULD]} should, {counts[Level.ADVICE]} advice."
    )
    left_out = len(catalogue()) - len(asked)
    if left_out and not verbose:
        page.paragraph(f"{left_out} others do not apply; -v shows them, with the reasons.", "dim")
    rows = {
        family: [
            row
            for entry in family.checks
            if (row := _row(page, entry.check.id, assignment, asked, verbose)) is not None
        ]
        for family in families().values()
    }
    _print(page, rows)


def _row(
    page: Page, check_id: str, assignment: Assignment, asked: dict[str, Level], verbose: bool
) -> Row | None:
    if check_id not in asked:
        reason = f"not applicable: {why_not(check_id, assignment)}"
        return (
            (page.text("-", "dim"), page.text(check_id, "dim"), page.text(reason, "dim")) if verbose else None
        )
    level = asked[check_id]
    title = catalogue()[check_id].check.title
    note = " (required)" if assignment.rubric.is_required(check_id) else ""
    note += " (hidden)" if assignment.rubric.is_hidden(check_id) else ""
    style = LEVEL_STYLES[level]
    return page.text(level.value, style), page.text(check_id, style), page.text(title + note)
