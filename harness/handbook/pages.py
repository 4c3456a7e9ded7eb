"""The reference of the checks in Markdown: docs/checks, one page per family, and an index.

``python -m harness.handbook.pages DIRECTORY`` writes it anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness import house
from harness.catalogue import Listed, catalogue
from harness.handbook.families import Family, families
from harness.handbook.known_bad import programs_failing
from harness.handbook.recipes import RECIPES, Recipe
from harness.handbook.scope import level_word, scope_of

_GENERATED = "<!-- Generated from the suites by scripts/generate-docs; do not edit. -->"
INDEX = "README.md"


def pages() -> Mapping[str, str]:
    """All pages by file name."""
    return {INDEX: _index(), **{f"{family.name}.md": _page(family) for family in families().values()}}


def write(directory: Path) -> None:
    """Write all pages; a page of ours whose family is gone is removed."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for old in directory.glob("*.md"):
        if old.name not in wanted and old.read_text(encoding="utf-8").startswith(_GENERATED):
            old.unlink()
    for name, text in wanted.items():
        (directory / name).write_text(text, encoding="utf-8")


def _index() -> str:
    lines = [
        _GENERATED,
        "# The checks",
        "",
        f"{len(catalogue())} checks in {len(families())} families. `sockspec list --profile NAME` lists those of a profile,",
        "`sockspec explain ID` says about one what these pages say.",
        "",
        "MUST: the transport's or the system call's contract would be broken, or data lost. SHOULD: what a robust",
        "program does. ADVICE: reported, not scored. Some levels are decided by a field of the",
        "[contract](../assignment-file.md#contract).",
        "",
        "| family | about | checks |",
        "|---|---|---|",
    ]
    lines += [f"| [{f.name}]({f.name}.md) | {f.about} | {len(f.checks)} |" for f in families().values()]
    return "\n".join(lines) + "\n"


def _page(family: Family) -> str:
    lines = [_GENERATED, f"# {family.name}", "", f"{family.about[:1].upper()}{family.about[1:]}.", ""]
    lines += ["| check | level | rule |", "|---|---|---|"]
    for entry in family.checks:
        check = entry.check
        lines.append(f"| [{check.id}](#{anchor(check.id)}) | {level_word(check)} | {_plain(check.title)} |")
    for entry in family.checks:
        lines += ["", *_section(entry)]
    if recipe := RECIPES.get(family.name):
        lines += ["", "## By hand", "", *_recipe(recipe)]
    return "\n".join(lines) + "\n"


def anchor(check_id: str) -> str:
    """The fragment that a Markdown renderer makes of a heading that is an id."""
    return check_id.replace("/", "").lower()


def _section(entry: Listed) -> Iterator[str]:
    check, scope = entry.check, scope_of(entry.check)
    yield f"## {check.id}"
    yield ""
    yield _plain(check.rule)
    yield ""
    yield f"* **Level**: {'; '.join(scope.levels)}"
    if check.authority:
        yield f"* **Authority**: {', '.join(check.authority)}"
    yield f"* **Applies to**: {scope}"
    if check.needs:
        yield f"* **Builds on**: {', '.join(_link(need) for need in check.needs)}"
    if check.usual:
        yield f"* **Usual mistake**: {_plain(check.usual)}"
    if known := programs_failing(check.id):
        yield "* **Known-bad programs**:"
        for program in known:
            place = program.path.relative_to(house.HOUSE).as_posix()
            yield f"  * [{program.path.name}](../../{place}): {program.sentence}"
    if check.id in RECIPES:
        yield ""
        yield from _recipe(RECIPES[check.id])


def _link(check_id: str) -> str:
    family = check_id.partition("/")[0]
    return f"[{check_id}]({family}.md#{anchor(check_id)})" if check_id in catalogue() else check_id


def _recipe(recipe: Recipe) -> Iterator[str]:
    yield "In bash, with your program in the place of `./server`:"
    yield ""
    yield "```sh"
    yield from recipe.commands
    yield "```"
    yield ""
    yield recipe.look


def _plain(text: str) -> str:
    """*text* with what Markdown would take for markup escaped."""
    return re.sub(r"([*<>|\[\]`])", r"\\\1", text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
