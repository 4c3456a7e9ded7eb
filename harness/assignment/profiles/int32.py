"""int32: the integers of standard input go to the server, four bytes little-endian each, and come back so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._integers import IntegersProfile
from harness.assignment.transport import Transport


class Int32(IntegersProfile):
    """The first homework on sockets (inf14-0)."""

    name = "int32"
    summary = "sends each integer of its standard input as 4 bytes, little-endian, and prints the one that comes back"
    transports = (Transport.TCP,)
    # "If the server closes the connection on its own initiative, end with exit status 0."
    # A server that closes with input unread does so by an RST (RFC 9112 section 9.6); the text makes no difference.
    defaults: ClassVar[Mapping[str, object]] = {"prints": "text", "on_fin": 0, "on_reset": "any"}


PROFILE = Int32()
