"""Text in which no two places are alike, so that a lost, repeated or swapped block is seen."""

from __future__ import annotations

import hashlib

_ALPHABET = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
_PRINTABLE = bytes(_ALPHABET[byte % 64] for byte in range(256))

#: Longest line we send.  Whoever reads by lines must bound them somewhere; 64 kB is the
#: smallest bound in wide use (asyncio.StreamReader), and a server with it is still right.
LONGEST_LINE = 65_535
#: Lines of a request too long for one line; a prime, so that no line end meets a buffer's end.
_SHORT_LINE = 997


def text(token: int, size: int) -> bytes:
    """*size* printable bytes that begin with *token* (as far as there is room) and depend on it."""
    noise = hashlib.shake_128(str(token).encode()).digest(size).translate(_PRINTABLE)
    return (b"%d " % token + noise)[:size]


def lines(token: int, size: int) -> bytes:
    """Text of *size* bytes, at least one, that ends with a line end; several lines if it is long."""
    if size <= LONGEST_LINE:
        return text(token, size - 1) + b"\n"
    content = bytearray(text(token, size))
    content[_SHORT_LINE - 1 :: _SHORT_LINE] = b"\n" * (size // _SHORT_LINE)
    content[-1:] = b"\n"
    return bytes(content)
