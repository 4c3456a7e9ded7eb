"""The field table for readers: docs/assignment-file.md and ``sockspec explain contract.FIELD``.

``python -m harness.assignment.reference FILE`` writes the tables anew between the
marker comments of FILE.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.assignment.arguments import default_arguments
from harness.assignment.assignment import TABLES
from harness.assignment.kinds import shown
from harness.assignment.placeholders import PLACEHOLDERS
from harness.assignment.profiles import find_profile, profile_names
from harness.assignment.setting import Setting, settings_of

_BLOCK = re.compile(r"(<!-- (fields of \w+|profiles|placeholders) -->\n).*?(<!-- end -->)", re.DOTALL)


def default_text(entry: Setting) -> str:
    """The default as one would write it; empty if leaving the field out means that nothing was said."""
    if entry.default in ("", (), None):
        return ""
    return _written(entry.default)


def _written(value: object) -> str:
    """*value* as it stands in an assignment file."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {shown(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{ }"
    return shown(value)


def explain(table: str, field: str) -> str:
    """One field in a few plain lines.  KeyError if there is none."""
    entry = settings_of(TABLES[table])[field]
    lines = [f"{table}.{field}", f"  {entry.meaning}", f"  value:   {entry.kind.expects}"]
    if text := default_text(entry):
        lines.append(f"  default: {text}")
    if entry.scope:
        lines.append(f"  only:    {entry.scope}")
    return "\n".join(lines)


def markdown(table: str) -> str:
    """The fields of *table* as a Markdown table."""
    rows = ["| field | meaning | value | default |", "|---|---|---|---|"]
    for entry in settings_of(TABLES[table]).values():
        meaning = entry.meaning + (f" *Only {entry.scope}.*" if entry.scope else "")
        default = f"`{default_text(entry)}`" if default_text(entry) else ""
        rows.append(f"| `{entry.name}` | {meaning} | {entry.kind.expects} | {default} |")
    return "\n".join(rows) + "\n"


def _profiles() -> str:
    rows = [
        "| profile | role | what the program does | transports | started with | brings along |",
        "|---|---|---|---|---|---|",
    ]
    for name in profile_names():
        profile = find_profile(name, Path())
        transports = ", ".join(f"`{transport}`" for transport in profile.transports)
        ways = dict.fromkeys(" ".join(default_arguments(profile, each)) for each in profile.transports)
        started = " or ".join(f"`{way}`" if way else "nothing" for way in ways)
        brought = ", ".join(f"`{field} = {_written(value)}`" for field, value in profile.defaults.items())
        rows.append(
            f"| `{name}` | {profile.role} | {profile.summary} | {transports} | {started} | {brought} |"
        )
    return "\n".join(rows) + "\n"


def _placeholders() -> str:
    rows = ["| placeholder | stands for |", "|---|---|"]
    rows += [f"| `{{{name}}}` | {meaning} |" for name, meaning in PLACEHOLDERS.items()]
    return "\n".join(rows) + "\n"


def renewed(page: str) -> str:
    """*page* with the tables between its markers as they are now."""

    def table(block: re.Match[str]) -> str:
        if block[2] == "profiles":
            return block[1] + _profiles() + block[3]
        if block[2] == "placeholders":
            return block[1] + _placeholders() + block[3]
        return block[1] + markdown(block[2].removeprefix("fields of ")) + block[3]

    return _BLOCK.sub(table, page)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(renewed(target.read_text(encoding="utf-8")), encoding="utf-8")
