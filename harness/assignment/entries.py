"""Where the values of an assignment come from: a file, and options of the command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.assignment import locate
from harness.assignment.problem import AssignmentError, Problem, Where


@dataclass(frozen=True)
class Entry:
    """One value as its author wrote it: ``(table, field)`` or ``(table, field, key)``, and where."""

    path: tuple[str, ...]
    value: object
    source: str
    lines: Mapping[locate.Path, int] = field(default_factory=dict)

    def where(self, inside: locate.Path = ()) -> Where:
        """The place of the value, or of the part of it that *inside* leads to."""
        path: locate.Path = (*self.path, *inside)
        while path and path not in self.lines:
            path = path[:-1]
        return Where(self.source, self.lines.get(path))


def from_file(path: Path) -> list[Entry]:
    """The fields of the assignment file *path*, and whatever stands where a table should.

    An entry whose path is one word is no table, or an empty one.  Raises AssignmentError
    for a file that cannot be read or is no TOML.
    """
    source = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        step = "sockspec init writes one"
        raise AssignmentError([Problem(Where(source), found, "an assignment file", None, step)]) from error
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        problem = Problem(Where(source, line), "bytes that are no UTF-8", "TOML, which is UTF-8 text")
        raise AssignmentError([problem]) from error
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError([_syntax_problem(source, text, str(error))]) from error
    lines = locate.lines_of(text)
    entries = []
    for table, content in document.items():
        if isinstance(content, dict) and content:
            entries += [Entry((table, name), value, source, lines) for name, value in content.items()]
        else:
            entries.append(Entry((table,), content, source, lines))
    return entries


def _syntax_problem(source: str, text: str, message: str) -> Problem:
    match = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(match[1]) if match else text.count("\n") + (not text.endswith("\n"))
    said = re.sub(r" \(at [^()]*\)$", "", message)
    written = text.splitlines()[line - 1].strip() if text else ""
    next_step = ""
    if re.fullmatch(r"[\w.-]+\s*=\s*(?!true|false|inf|nan)[A-Za-z./][^\"']*", written):
        next_step = 'put the text in quotes: key = "text"'
    elif re.fullmatch(r"[\w.-]+\s*:.*", written):
        next_step = "write key = value, with an equals sign"
    elif "key part" in said and "{" in written:
        next_step = "a table in braces stands on one line, with no comma before the }"
    return Problem(Where(source, line), f"{said}: {written}", "TOML", None, next_step)


def from_set(option: str) -> Entry:
    """The entry of one ``--set table.field=value``.

    The value is TOML; a text needs no quotes unless it would read as something else.
    Raises AssignmentError.
    """
    source = f"--set {option}"
    # The first = outside quotes: a quoted key may contain one.
    match = re.match(r"""((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^="'])+)=(.*)""", option, re.DOTALL)
    path = _key_path(match[1].strip()) if match else ()
    if match is None or not path:
        step = "write for instance --set contract.drain=drop"
        raise AssignmentError([Problem(Where(source), f'"{option}"', "table.field=value", None, step)])
    try:
        return Entry(path, _toml_value(match[2].lstrip()), source)
    except tomllib.TOMLDecodeError as error:
        said = re.sub(r" \(at [^()]*\)$", "", str(error))
        raise AssignmentError([Problem(Where(source), f"{said}: {match[2]}", "a TOML value")]) from error


def _key_path(written: str) -> tuple[str, ...]:
    try:
        keys: object = tomllib.loads(f"{written} = 0")
    except tomllib.TOMLDecodeError:
        # A glob as key, rubric.points.half-close/*, is no bare key; the shell has eaten its quotes.
        return tuple(part for part in written.split(".", 2) if part)
    path = []
    while isinstance(keys, dict):
        ((key, keys),) = keys.items()
        path.append(key)
    return tuple(path)


def _toml_value(written: str) -> object:
    try:
        document = tomllib.loads(f"value = {written}")
    except tomllib.TOMLDecodeError:
        # What begins like a quoted text, a list or a table was meant as one; {port} is a text.
        if re.match(r"[\"'\[]|\{(?!\w+\})", written):
            raise
        return written
    return document["value"] if set(document) == {"value"} else written
