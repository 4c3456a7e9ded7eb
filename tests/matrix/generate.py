"""docs/kill-matrix.md, from the headers of the programs and the catalogue: nothing is run for it.

``python -m tests.matrix.generate`` writes it anew; test_page.py says if it is out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness import house
from harness.catalogue import Listed, catalogue
from harness.programs import Specimen, specimens
from harness.verdict.outcome import Level

PAGE = Path("docs", "kill-matrix.md")

_HEAD = """# The kill matrix

Which programs prove which checks. *Right* programs pass every check that applies to them; a *broken*
program has one bug, fails the check it is named after, and besides it nothing but what is listed as a
consequence here (or is blocked by one of these). `python -m pytest tests/matrix` runs all of it.

This page is written by `python -m tests.matrix.generate` from the header comments of the programs in
`fixtures/programs/` and the marks of the checks in `suites/`.
"""


def page(checks: Mapping[str, Listed], programs: Sequence[Specimen]) -> str:
    """The whole page."""
    right = [program for program in programs if program.right]
    broken = [program for program in programs if not program.right]
    counted = f"{len(right)} right programs, {len(broken)} broken ones, {len(checks)} checks.\n"
    parts = [_HEAD, counted, _by_check(checks, broken), _broken(broken), _right(right)]
    return "\n".join(parts)


#: Checks that no program can fail yet, and why.
NOBODY_CAN = {"security/length-prefix": "no profile frames its messages by a length prefix yet"}


def unproven(checks: Iterable[str], programs: Iterable[Specimen]) -> list[str]:
    """The checks that no broken program is named after."""
    proven = {program.fails for program in programs}
    return [check_id for check_id in checks if check_id not in proven and check_id not in NOBODY_CAN]


def _by_check(checks: Mapping[str, Listed], broken: Sequence[Specimen]) -> str:
    rows = ["## By check\n", "| check | level | fails it | fails it as a consequence |", "|---|---|---|---|"]
    for check_id, listed in checks.items():
        level = listed.check.level.value if isinstance(listed.check.level, Level) else "by contract"
        own = [_link(program, short=True) for program in broken if program.fails == check_id]
        also = sum(program.fails != check_id and program.covers(check_id) for program in broken)
        rows.append(f"| `{check_id}` | {level} | {', '.join(own) or '**none**'} | {also or ''} |")
    return "\n".join(rows) + "\n"


def _broken(broken: Sequence[Specimen]) -> str:
    rows = ["## Broken programs\n", "| program | bug | over | consequences |", "|---|---|---|---|"]
    for program in broken:
        consequences = ", ".join(f"`{glob.replace('?*', '*')}`" for glob in program.consequences)
        rows.append(f"| {_link(program)} | {_cell(program.sentence)} | {_over(program)} | {consequences} |")
    return "\n".join(rows) + "\n"


def _right(right: Sequence[Specimen]) -> str:
    rows = ["## Right programs\n", "| program | what it is | over | profiles |", "|---|---|---|---|"]
    for program in right:
        profiles = ", ".join((program.profile, *program.also_profiles))
        rows.append(f"| {_link(program)} | {_cell(program.sentence)} | {_over(program)} | {profiles} |")
    return "\n".join(rows) + "\n"


def _over(program: Specimen) -> str:
    needs = f" (needs {', '.join(program.needs)})" if program.needs else ""
    return ", ".join(program.transports) + needs


def _link(program: Specimen, *, short: bool = False) -> str:
    name = program.path.name
    text = name.partition("--")[2] or name if short else program.name.partition("/")[2]
    return f"[{text}](../fixtures/programs/{program.name})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def main() -> None:
    """Write the page."""
    checks = catalogue()
    (house.HOUSE / PAGE).write_text(page(checks, specimens(None)), encoding="utf-8")


if __name__ == "__main__":
    main()
