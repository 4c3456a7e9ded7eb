"""Text on a terminal: wrapped, calm, safe in any encoding and without colours."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from harness.report.legible import for_log
from harness.verdict.outcome import Level

LEVEL_STYLES = {Level.MUST: "bold", Level.SHOULD: "", Level.ADVICE: "dim"}

#: Where the text of an entry begins.
_COLUMN = 17
_INDENT = 2
#: A last column narrower than this goes to a line of its own.
_NARROW = 40

Row = tuple[Text, ...]


class Page:
    """Writes lines, entries and tables on one console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    def text(self, words: str, style: str = "") -> Text:
        """*words* as this console can show them; nothing in them is taken for markup."""
        encoding = self.console.encoding
        return Text(for_log(words).encode(encoding, "backslashreplace").decode(encoding), style)

    def line(self, words: str = "", style: str = "") -> None:
        """One line, as long as it is."""
        self.console.print(self.text(words, style), soft_wrap=True, highlight=False)

    def heading(self, name: str, about: str) -> None:
        """``name: about``."""
        self._wrapped(Text(), self.text(name, "bold") + self.text(f": {about}"), 0)

    def paragraph(self, words: str, style: str = "", indent: int = 0) -> None:
        """Wrapped text."""
        self._wrapped(Text(" " * indent), self.text(words, style), indent)

    def entry(self, name: str, words: str, style: str = "") -> None:
        """A name and its text in a column of its own; nothing if there is no text."""
        if words:
            first = Text(" " * _INDENT) + self.text(f"{name:<{_COLUMN - _INDENT}}", "dim")
            self._wrapped(first, self.text(words, style), _COLUMN)

    def code(self, lines: Iterable[str], indent: int = 4) -> None:
        """Lines to be copied: never wrapped."""
        for line in lines:
            self.line(" " * indent + line, "green")

    def rows(self, rows: Iterable[Row], *, like: Iterable[Row] = ()) -> None:
        """Rows in columns; only the last one is wrapped, below the others if the terminal is narrow.

        The columns are wide enough for the rows of *like* as well.
        """
        listed = list(rows)
        columns = list(zip(*listed, *like, strict=True))[:-1]
        widths = [max(cell.cell_len for cell in column) + 2 for column in columns]
        column = _INDENT + sum(widths)
        for row in listed:
            first = Text(" " * _INDENT)
            for cell, width in zip(row, widths, strict=False):
                first += cell
                first.append(" " * (width - cell.cell_len))
            if self.console.width - column >= _NARROW:
                self._wrapped(first, row[-1], column)
            else:
                below = _INDENT + sum(widths[:-1])
                self._wrapped(first, Text(), 0)
                self._wrapped(Text(" " * below), row[-1], below)

    def _wrapped(self, first: Text, text: Text, column: int) -> None:
        """Print *first* and then *text*, whose further lines begin at *column*."""
        width = max(self.console.width - column, 20)
        for number, line in enumerate(text.wrap(self.console, width) or [Text()]):
            whole = (Text(" " * column) if number else first) + line
            whole.rstrip()
            self.console.print(whole, soft_wrap=True, highlight=False)
