"""docs/systems.md: the systems that the project comes from, each with an assignment file and two programs.

``python -m tests.systems.generate`` writes it anew; test_systems.py says if it is out of date, and runs the programs.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness import house
from harness.assignment import manifest
from harness.assignment.assignment import Assignment
from harness.programs import Specimen, read

PAGE = Path("docs", "systems.md")
TABLE = Path(__file__).with_name("table.toml")
EXAMPLES = house.HOUSE / "examples"

_HEAD = """# The systems

The programs that the project comes from: seminars, homework and textbook chapters on sockets. For each there is an
assignment file in `examples/`, ready to use; `sockspec check` with it passes the right program, and fails the wrong
one in the check that asks for what is wrong about it. `SOCKSPEC_WHOLE_MATRIX=1 python -m pytest tests/systems` runs
all of it, without the variable a few.

This page is written by `python -m tests.systems.generate` from `tests/systems/table.toml`, the assignment files and
the headers of the programs.
"""


@dataclass(frozen=True)
class System:
    """One row: an assignment file, and two programs for it."""

    name: str
    system: str
    right: Specimen
    wrong: Specimen
    right_run: str | None
    wrong_run: str | None

    @property
    def file(self) -> Path:
        """The assignment file."""
        return EXAMPLES / f"{self.name}.toml"

    @cached_property
    def assignment(self) -> Assignment:
        """What it asks."""
        return manifest.load(self.file)

    def arguments(self, specimen: Specimen) -> list[str]:
        """What follows ``sockspec check``: only how the program is called differs from what the file says."""
        words = [str(specimen.path), "--assignment", str(self.file)]
        own = self.right_run if specimen is self.right else self.wrong_run
        spec = self.assignment.program
        if own is None and spec.run and spec.build is None:
            source = specimen.path.name
            start = ["python3", source] if source.endswith(".py") else [f"./{specimen.path.stem}"]
            own = shlex.join([*start, *spec.run[1:]])
        return words if own is None else [*words, "--run", own]


def systems() -> list[System]:
    """Every row of the table."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return [
        System(
            name,
            row["system"],
            read(house.PROGRAMS / row["right"], None),
            read(house.PROGRAMS / row["wrong"], None),
            row.get("right-run"),
            row.get("wrong-run"),
        )
        for name, row in rows.items()
    ]


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    yield "| system | assignment file | profile | right program | wrong program | what is wrong | fails |"
    yield "|---|---|---|---|---|---|---|"
    for row in systems():
        profile = row.assignment.profile
        asked = f"`{profile.name}` ({profile.role}, {row.assignment.transport})"
        yield (
            f"| {_cell(row.system)} | [{row.file.name}](../examples/{row.file.name}) | {asked} | {_link(row.right)} "
            f"| {_link(row.wrong)} | {_cell(row.wrong.sentence)} | `{row.wrong.fails}` |"
        )


def _link(specimen: Specimen) -> str:
    return f"[{specimen.path.name}](../fixtures/programs/{specimen.name})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def main() -> None:
    """Write the page."""
    (house.HOUSE / PAGE).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
