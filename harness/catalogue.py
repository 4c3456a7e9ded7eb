"""All checks there are, read from the suites: for validation, ``list`` and ``explain``."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from harness import house
from harness.checks import Check


@dataclass(frozen=True, slots=True)
class Listed:
    """A check and where it stands: file, function and line."""

    check: Check
    file: Path
    function: str
    line: int


def _load(path: Path) -> ModuleType:
    name = f"harness_catalogue_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def checks_in(path: Path) -> dict[str, Listed]:
    """The checks of one suite file by id, in the order of the file."""
    found: dict[str, Listed] = {}
    for name, function in vars(_load(path)).items():
        for mark in getattr(function, "pytestmark", ()):
            if mark.name == "check" and isinstance(mark.args[0], Check):
                check = mark.args[0]
                if check.id in found:
                    raise ValueError(f"{path}: the id {check.id} is given to two checks")
                found[check.id] = Listed(check, path, name, inspect.unwrap(function).__code__.co_firstlineno)
    return found


@functools.cache
def catalogue() -> Mapping[str, Listed]:
    """Every check of the bundled suites by id."""
    checks: dict[str, Listed] = {}
    for path in sorted(house.SUITES.glob("test_*.py")):
        checks |= checks_in(path)
    return checks
