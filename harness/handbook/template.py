"""A commented assignment file for a profile, written from the field tables: what ``sockspec init`` makes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from harness.assignment.arguments import default_arguments
from harness.assignment.assignment import TABLES, Assignment
from harness.assignment.dialogue import EXAMPLE_TEXT
from harness.assignment.profiles.dialogue import Scripted
from harness.assignment.role import Role
from harness.assignment.setting import Setting, settings_of

_WIDTH = 100
_REFERENCE = "docs/assignment-file.md"

#: What to show where the default is "left out"; by table and field.
_EXAMPLES: dict[tuple[str, str], str] = {
    ("program", "build"): '"cc -O2 -Wall -Wextra -o PROGRAM *.c"',
    ("program", "env"): '{ LANG = "C.UTF-8" }',
    ("dialogue", "role"): '"server"',
    ("contract", "mode"): '"0600"',
    ("contract", "terminator"): '"the end"',
    ("contract", "text"): "'.*'",
    ("contract", "prefix"): "'client (\\d+): '",
    ("contract", "join"): "'client (\\d+) has come'",
    ("contract", "leave"): "'client (\\d+) has gone'",
    ("rubric", "points"): '{ "half-close/*" = 10, "signals/stop-idle" = 5 }',
    ("rubric", "hidden"): '["security/*"]',
    ("rubric", "skip"): '["bind/starts-promptly"]',
    ("rubric", "required"): '["bind/port-from-argument"]',
}

_ABOUT = {
    "assignment": "What is asked.",
    "program": "How a submission is built and started; left out, both follow from the type of its files.",
    "dialogue": "What is said, told from our side: what is sent goes to the program, what is expected comes from it.",
    "contract": "What the profile leaves open. Lines that are commented out show the default.",
    "rubric": "What counts how much. Without points: MUST 2, SHOULD 1, ADVICE 0 for each check.",
    "limits": "What the program may use up in one check.",
}


def template(assignment: Assignment) -> str:
    """The text of an assignment file that asks for what *assignment* asks, every other field commented out."""
    lines = [
        "# An assignment for sockspec. Fields and profiles: docs/assignment-file.md.",
        "# sockspec lint sockspec.toml            finds mistakes and says what will be asked",
        "# sockspec list --assignment FILE        lists the checks",
        "# sockspec check PATH --assignment FILE  judges a submission",
    ]
    for table, owner in TABLES.items():
        if table == "dialogue" and not isinstance(assignment.profile, Scripted):
            continue
        lines += ["", f"[{table}]", *_comment(_ABOUT[table])]
        for entry in settings_of(owner).values():
            if _has_meaning(table, entry, assignment):
                lines += ["", *_comment(entry.meaning), *_value(table, entry, assignment)]
    return "\n".join(lines) + "\n"


def _has_meaning(table: str, entry: Setting, assignment: Assignment) -> bool:
    profile = assignment.profile
    if profile.role not in entry.roles or assignment.transport not in entry.transports:
        return False
    if table != "contract":
        return True
    if entry.name == "families":  # the transport has decided it, but for one
        return len(assignment.transport.possible_families) > 1
    if entry.name == "framing":
        return len(profile.framings) > 1
    return not entry.by_profile or entry.name in profile.options


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in textwrap.wrap(text, _WIDTH - 2))


def _value(table: str, entry: Setting, assignment: Assignment) -> Iterator[str]:
    if table == "assignment":
        values = {
            "name": assignment.name,
            "profile": assignment.profile.name,
            "transport": assignment.transport.value,
        }
        yield f"{entry.name} = {toml(values[entry.name])}"
        return
    if (table, entry.name) == ("dialogue", "steps"):
        yield from EXAMPLE_TEXT.splitlines()
        return
    yield from _comment(f"Value: {entry.kind.expects}.")
    example = _EXAMPLES.get((table, entry.name), "").replace("PROGRAM", _program(assignment))
    yield f"#{entry.name} = {example or toml(_default(table, entry, assignment))}"


def _program(assignment: Assignment) -> str:
    """What the program may be called."""
    return "program" if assignment.profile.role is Role.LOCAL else assignment.profile.role.value


def _default(table: str, entry: Setting, assignment: Assignment) -> Any:
    if (table, entry.name) == ("program", "run"):
        own = default_arguments(assignment.profile, assignment.transport)
        return [f"./{_program(assignment)}", *own]
    return getattr(getattr(assignment, table), entry.name)


def toml(value: object) -> str:
    """*value* as TOML; raises TypeError for what has no such form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    raise TypeError(f"no TOML for {value!r}")
