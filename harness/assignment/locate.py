"""Where in a TOML file a value stands: the lines that :mod:`tomllib` does not tell.

Reads only files that tomllib has accepted, so nothing here has to be checked again;
the grammar is that of TOML 1.0 (toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping

#: The way to a value: table names and keys, and an index for each array on the way.
Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
#: A multi-line string may have one or two quotes just before the three that close it.
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)


def lines_of(text: str) -> Mapping[Path, int]:
    """The line, from 1, of each table, key, inline table entry and array item of *text*."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._arrays: dict[Path, int] = {}
        """How many elements each array of tables has so far."""

    def document(self) -> None:
        table: Path = ()
        self._skip_blank()
        while self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._entry(table)
            self._skip_blank()

    def _header(self) -> Path:
        start = self.at
        in_array = self.text.startswith("[[", self.at)
        self.at += 2 if in_array else 1
        *parents, last = self._key()
        self.at += 2 if in_array else 1
        table: Path = ()
        for part in parents:
            table = (*table, part)
            self._note(table, start)
            table = self._current(table)
        table = (*table, last)
        self._note(table, start)
        if in_array:
            self._arrays[table] = self._arrays.get(table, 0) + 1
        table = self._current(table)
        self._note(table, start)
        return table

    def _current(self, table: Path) -> Path:
        """An array of tables means its last element (TOML 1.0, "Array of Tables")."""
        return (*table, self._arrays[table] - 1) if table in self._arrays else table

    def _entry(self, table: Path) -> None:
        start = self.at
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path, start)
        self.at += 1  # the equals sign
        self._skip_blank()
        self._value(path)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip_blank()
            for pattern in (_BARE_KEY, _BASIC, _LITERAL):
                if match := pattern.match(self.text, self.at):
                    break
            else:
                raise AssertionError(f"no key at offset {self.at} of a file that tomllib accepted")
            self.at = match.end()
            parts.append(_unquoted(match[0]))
            self._skip_blank()
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def _value(self, path: Path) -> None:
        character = self.text[self.at]
        if character == "[":
            self._array(path)
        elif character == "{":
            self._inline_table(path)
        elif character == '"':
            self._pass(_LONG_BASIC if self.text.startswith('"""', self.at) else _BASIC)
        elif character == "'":
            self._pass(_LONG_LITERAL if self.text.startswith("'''", self.at) else _LITERAL)
        else:
            self._pass(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while not self._closes("]"):
            self._note((*path, index), self.at)
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while not self._closes("}"):
            self._entry(path)

    def _closes(self, bracket: str) -> bool:
        """Go on to the next element and say no, or past the closing *bracket*."""
        self._skip_blank()
        if self.text.startswith(",", self.at):
            self.at += 1
            self._skip_blank()
        if self.text.startswith(bracket, self.at):
            self.at += 1
            return True
        return False

    def _pass(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        assert match is not None, f"no value at offset {self.at} of a file that tomllib accepted"
        self.at = match.end()

    def _skip_blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def _note(self, path: Path, offset: int) -> None:
        self.lines.setdefault(path, bisect_left(self._line_ends, offset) + 1)


def _unquoted(key: str) -> str:
    if key[0] in "\"'":
        return str(tomllib.loads(f"key = {key}")["key"])
    return key
