"""Where the checks, the fixtures and the examples are: in a checkout, or bundled in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "bundled"

#: The directory that holds the others.  The bundle is asked for first: next to an installed
#: package, ``suites`` may be somebody else's.
HOUSE: Path = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent

#: The checks, one file per family.
SUITES: Path = HOUSE / "suites"
#: The pytest fixtures.
FIXTURES: Path = HOUSE / "fixtures"
#: ``reference/``, ``broken/`` and ``hostile/`` programs.
PROGRAMS: Path = FIXTURES / "programs"
#: Assignment files ready to use.
EXAMPLES: Path = HOUSE / "examples"
