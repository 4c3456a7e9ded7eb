"""Says in a sentence how a reply went wrong, from its first wrong byte on."""

from __future__ import annotations

from harness.verdict.show import literal

#: So many bytes in a row do not occur twice in our requests by chance.
_RECOGNISABLE = 12


def difference(owed: bytes, offset: int, got: bytes) -> str:
    """Compare *got*, which begins with the first wrong byte, with *owed* from *offset* on."""
    if offset >= len(owed):
        origin = _origin(owed, got)
        if origin is None:
            return f"{shown(got)} came after everything that was owed ({len(owed)} bytes)"
        return f"after all the {len(owed)} bytes owed, those from offset {origin} on came once more"
    wanted = f"at offset {offset}, {shown(owed[offset : offset + len(got)])} is owed"
    origin = _origin(owed, got)
    if origin is None:
        return f"{wanted}, but {shown(got)} came"
    if origin > offset:
        return (
            f"{wanted}, but what came continues at offset {origin}: {origin - offset} bytes are lost or late"
        )
    return f"{wanted}, but bytes from offset {origin} on came once more"


def _origin(owed: bytes, got: bytes) -> int | None:
    """Where in *owed* the bytes *got* begin, if they are enough to tell."""
    sample = got[:_RECOGNISABLE]
    if len(sample) < _RECOGNISABLE:
        return None
    place = owed.find(sample)
    return None if place < 0 else place


_NAMES = {0x00: "NUL", 0x0A: "a line end", 0x0D: "CR", 0x20: "a blank"}


def shown(data: bytes, most: int = 16) -> str:
    """The beginning of *data*, escaped."""
    if len(data) != 1:
        return literal(data, most)
    name = _NAMES.get(data[0]) or (literal(data) if 0x20 < data[0] < 0x7F else "")
    return f"the byte 0x{data[0]:02x}{f' ({name})' if name else ''}"
