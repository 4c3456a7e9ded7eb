"""upper: as echo, with ASCII a-z turned into A-Z and all other bytes unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._mirror import MirrorProfile
from harness.assignment.transport import STREAMS


class Upper(MirrorProfile):
    """The event-loop homework: one thread, one process, many clients."""

    name = "upper"
    summary = "returns every byte in order, ASCII letters in upper case; closes after the client's EOF"
    transports = STREAMS
    framings = ("none", "line")
    defaults: ClassVar[Mapping[str, object]] = {"concurrency": "concurrent", "model": "event-loop"}

    def translate(self, data: bytes) -> bytes:
        """ASCII only: bytes.upper() leaves the values from 0x80 on alone."""
        return data.upper()


PROFILE = Upper()
