"""Other people's text, made safe to show: nothing a terminal, a parser or a CI system would obey."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: Kept as they are: a report has lines and columns.
_LAYOUT = "\n\t"

#: Cc control, Cf format (bidi overrides, zero width), Cs lone surrogates, Co private use,
#: Cn unassigned (non-characters are illegal in XML), Zl and Zp line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

#: ``##[error]``, ``##vso[...]`` and ``##teamcity[...]`` are commands anywhere in a line of a CI log
#: (GitHub Actions, Azure Pipelines, TeamCity).  ``::error::`` is one only at the start of a line,
#: where the reports always have something of their own.
_CI_COMMAND = re.compile(r"##(?=\w*\[)")


def _escape(char: str) -> str:
    if char in _LAYOUT or unicodedata.category(char) not in _UNSAFE:
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, kept by "surrogateescape"
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def legible(text: str) -> str:
    """*text* with everything but printable characters, newlines and tabs written as an escape.

    Applying it twice is the same as applying it once.
    """
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(map(_escape, text.replace("\r\n", "\n")))


def for_log(text: str) -> str:
    """*text* made legible, and no command for the CI system that shows the log."""
    return _CI_COMMAND.sub(r"#\\x23", legible(text))


def legible_document(value: Any) -> Any:
    """A document of plain types with every string (keys too) made legible."""
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, dict):
        return {legible(str(key)): legible_document(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [legible_document(item) for item in value]
    return value
