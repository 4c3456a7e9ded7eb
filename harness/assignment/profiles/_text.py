"""The text of a greeter: by ``contract.text``, or else anything with something in it."""

from __future__ import annotations

import re


def is_text(data: bytes, pattern: str, *, one_line: bool = False) -> bool:
    """Whether *data* matches *pattern* from beginning to end, with or without a last line end.

    Without a pattern: whether it has something in it that can be seen, and is a single line if it must be *one_line*.
    """
    bare = data.removesuffix(b"\n").removesuffix(b"\r")
    if pattern:
        asked = re.compile(pattern.encode())
        return any(asked.fullmatch(form) is not None for form in (data, bare, bare + b"\n"))
    return bool(bare.strip()) and not (one_line and b"\n" in bare)


def said(pattern: str) -> str:
    """What is owed, in words."""
    return f"a text that matches {pattern!r}" if pattern else "a text"
