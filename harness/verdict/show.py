"""Bytes and program output made fit to be shown: escaped, bounded, the wrong place pointed at."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x5C: "\\\\", 0x22: '\\"'}


def _escaped(byte: int) -> str:
    if byte in _NAMED:
        return _NAMED[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"


def literal(data: bytes, most: int = 48) -> str:
    """*data* as a quoted literal with escapes; longer than *most* bytes it is cut and says so."""
    head = "".join(map(_escaped, data[:most]))
    return f'"{head}"' if len(data) <= most else f'"{head}"... ({len(data)} bytes in all)'


def count(number: int, thing: str) -> str:
    """``1 byte``, ``2 bytes``: *number* and *thing* with the plural it needs."""
    if number == 1:
        return f"1 {thing}"
    if thing.endswith("y"):
        return f"{number} {thing[:-1]}ies"
    return f"{number} {thing}{'es' if thing.endswith('s') else 's'}"


#: More lengths than this are not told one by one.
_MOST_LENGTHS = 6


def lengths(of: Sequence[int], thing: str) -> str:
    """``no message``, ``3 messages of 10 bytes each``, ``2 messages of 1 and 5 bytes``: how many, and how long."""
    if not of:
        return f"no {thing}"
    number = count(len(of), thing)
    if len(set(of)) == 1:
        return f"{number} of {count(of[0], 'byte')}{' each' if len(of) > 1 else ''}"
    shown = list(map(str, of[:_MOST_LENGTHS])) + (["..."] if len(of) > _MOST_LENGTHS else [])
    return f"{number} of {_and(shown)} bytes"


def _and(words: Sequence[str]) -> str:
    return ", ".join(words) if words[-1] == "..." else f"{', '.join(words[:-1])} and {words[-1]}"


def shown_command(argv: Sequence[str]) -> str:
    """A command line for a sentence; words that are not plain are put in quotes."""
    return " ".join(word if word and word.isprintable() and " " not in word else repr(word) for word in argv)


def difference(expected: bytes, received: bytes, offset: int, around: int = 16) -> str:
    """Expected and received bytes around *offset*, the first wrong one marked by a caret.

    *expected* and *received* are the whole streams; three lines are returned.
    """
    start = max(0, offset - around)
    lead = "..." if start else ""

    def row(stream: bytes) -> tuple[str, int]:
        before = lead + "".join(map(_escaped, stream[start:offset]))
        after = "".join(map(_escaped, stream[offset : offset + around]))
        tail = "..." if len(stream) > offset + around else "" if after else "(end)"
        return before + after + tail, len(before)

    expected_row, caret = row(expected)
    received_row, _ = row(received)
    return f"expected: {expected_row}\nreceived: {received_row}\n          {' ' * caret}^ byte {offset}"


def text(output: bytes, most: int = 4000) -> str:
    """A program's output for a report: control characters escaped, the middle cut out beyond *most* bytes."""
    if len(output) > most:
        half = most // 2
        cut = f"\n[... {count(len(output) - 2 * half, 'byte')} left out ...]\n"
        return text(output[:half]) + cut + text(output[-half:])
    decoded = output.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in decoded)
