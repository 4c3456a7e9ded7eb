"""Explain one check: what it asks and why, the usual mistake, and how to see it by hand."""

from __future__ import annotations

import argparse
import sys

from harness import house
from harness.assignment import reference
from harness.assignment.assignment import TABLES
from harness.assignment.problem import AssignmentError, nearest
from harness.assignment.setting import settings_of
from harness.catalogue import Listed, catalogue
from harness.checks import Check
from harness.commands.list_checks import why_not
from harness.handbook.choice import FINE, USAGE, Choice, add_choice, chosen, complain
from harness.handbook.families import families
from harness.handbook.known_bad import programs_failing
from harness.handbook.page import Page
from harness.handbook.plays import suggestion_for
from harness.handbook.recipes import recipe_for
from harness.handbook.scope import scope_of
from harness.run.options import UsageError

NAME = "explain"
HELP = "what one check asks, why, by which authority, and how to see it by hand"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "id", metavar="ID", help="a check (half-close/reply-after-fin), a family, or a field (contract.bind)"
    )
    add_choice(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print what is known about the check, the family or the field."""
    wanted: str = arguments.id.removesuffix("/*").rstrip("/")
    page = Page()
    if wanted in catalogue():
        try:
            choice = chosen(arguments)
        except (UsageError, AssignmentError) as error:
            return complain(NAME, error)
        _explain_check(page, catalogue()[wanted], choice)
    elif wanted in families():
        _explain_family(page, wanted)
    elif wanted in _fields():
        page.line(reference.explain(*wanted.split(".", 1)))
    else:
        known = [*catalogue(), *families(), *_fields()]
        close = nearest(wanted, known) or nearest(
            wanted.rpartition("/")[2], (id.rpartition("/")[2] for id in known)
        )
        full = next((id for id in known if close in (id, id.rpartition("/")[2])), None)
        step = f"the nearest is {full}" if full else "sockspec list --all shows them"
        print(f"sockspec explain: there is no check {arguments.id}; {step}", file=sys.stderr)
        return USAGE
    return FINE


def _fields() -> list[str]:
    return [f"{table}.{field}" for table, owner in TABLES.items() for field in settings_of(owner)]


def _explain_check(page: Page, entry: Listed, choice: Choice) -> None:
    check = entry.check
    scope = scope_of(check)
    page.line(check.id, "bold")
    for paragraph in check.rule.split("\n\n"):
        page.paragraph(" ".join(paragraph.split()), indent=2)
    page.line()
    page.entry("level", "; ".join(scope.levels))
    page.entry("authority", ", ".join(check.authority))
    page.entry("applies to", str(scope))
    if choice.assignment is not None:
        level = check.level_for(choice.assignment)
        reason = why_not(check.id, choice.assignment)
        asked = f"not applicable: {reason}" if reason or level is None else level.value.upper()
        page.entry("for you", f"{asked} ({choice.name})")
    for number, need in enumerate(check.needs):
        rule = f": {catalogue()[need].check.title}" if need in catalogue() else ""
        page.entry("" if number else "builds on", f"{need}{rule}")
    page.entry("usual mistake", check.usual)
    for number, program in enumerate(programs_failing(check.id)):
        page.entry("" if number else "known-bad", f"{program.name}: {program.sentence}")
    page.entry("source", f"{entry.file.relative_to(house.HOUSE)}, line {entry.line}")
    _command(page, check, choice)
    _by_hand(page, check.id)


def _command(page: Page, check: Check, choice: Choice) -> None:
    """The command line that runs it: under what was chosen, or else under what it is asked by."""
    page.line()
    suggestion = suggestion_for(check)
    if choice.assignment is not None and why_not(check.id, choice.assignment) is None:
        page.line("  Run only this check:")
        page.code([choice.options.as_command(select=check.id)])
    elif suggestion is not None:
        elsewhere = (
            "  It is asked, for instance, by:" if choice.assignment is not None else "  Run only this check:"
        )
        page.line(elsewhere)
        page.code([suggestion.command(check.id)])
    else:
        page.line("  No bundled profile asks for it.")


def _by_hand(page: Page, check_id: str) -> None:
    recipe = recipe_for(check_id)
    if recipe is None:
        return
    page.line()
    tools = f" with {', '.join(recipe.tools)}" if recipe.tools else ""
    page.paragraph(
        f"By hand, in bash{tools}; put your program in the place of ./server, and for another protocol than echo "
        "a request of it in the place of the text:",
        indent=2,
    )
    page.code("\n".join(recipe.commands).splitlines())
    page.paragraph(recipe.look, indent=2)


def _explain_family(page: Page, name: str) -> None:
    family = families()[name]
    page.heading(name, family.about)
    page.rows((page.text(entry.check.id), page.text(entry.check.title)) for entry in family.checks)
    _by_hand(page, name)
