"""The families of checks: what each is about, from the docstring of its suite."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.catalogue import Listed, catalogue


@dataclass(frozen=True)
class Family:
    """The checks of one suite file."""

    name: str
    about: str
    """One sentence, without the family's name and the full stop."""
    checks: tuple[Listed, ...]


@functools.cache
def families() -> Mapping[str, Family]:
    """Every family by name, in the order of the suites."""
    grouped: dict[str, list[Listed]] = {}
    for check_id, entry in catalogue().items():
        grouped.setdefault(check_id.partition("/")[0], []).append(entry)
    return {name: Family(name, _about(name, entries), tuple(entries)) for name, entries in grouped.items()}


def _about(name: str, entries: Iterable[Listed]) -> str:
    """The first line of the suite's docstring, without ``name:``."""
    file = next(iter(entries)).file
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.partition("\n\n")[0].split())
    return first.removeprefix(f"{name}:").strip().rstrip(".")
