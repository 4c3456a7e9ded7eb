"""The known-bad programs of a check."""

from __future__ import annotations

import functools

from harness.programs import HeaderError, Specimen, programs, read


@functools.cache
def programs_failing(check_id: str) -> tuple[Specimen, ...]:
    """The bundled programs whose one bug is against *check_id*; they are named after it.

    One whose header cannot be read is left out: the tests complain about it, not the reader's command.
    """
    found = []
    family, _, slug = check_id.partition("/")
    for path in programs():
        if (path.parent.name, path.name.split(".")[0].split("--")[0]) == (family, slug):
            try:
                found.append(read(path, None))
            except HeaderError:
                continue
    return tuple(found)
