"""What a run found, in the formats others read: one file per format, found by its place.

A format is a module of this package with three names::

    OPTION = "junit"                     # the option is --junit FILE
    HELP = "write JUnit XML to FILE"
    def write(results: Results, path: Path) -> None: ...

``write`` raises OSError if the file cannot be written.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast

from harness.verdict.result import Results


class Format(Protocol):
    """The three names of a format module."""

    OPTION: str
    HELP: str

    def write(self, results: Results, path: Path) -> None:
        """Write *results* to *path*, whole or not at all."""


def formats() -> dict[str, Format]:
    """Every format of this package, by the name of its option (without the dashes)."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    return {module.OPTION: cast(Format, module) for module in modules if hasattr(module, "OPTION")}
