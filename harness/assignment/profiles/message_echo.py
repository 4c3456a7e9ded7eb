"""message-echo: what arrived is sent back at once; the client keeps the connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._mirror import MirrorProfile
from harness.assignment.transport import STREAMS, Transport


class MessageEcho(MirrorProfile):
    """Each byte is owed as soon as it was sent: there is nothing a server could wait for."""

    name = "message-echo"
    summary = "sends back at once whatever arrived, to many clients that keep their connections"
    transports = (*STREAMS, Transport.UNIX_SEQPACKET)
    defaults: ClassVar[Mapping[str, object]] = {"concurrency": "concurrent"}
    by_lines = False


PROFILE = MessageEcho()
