"""echo: returns every byte in order; after the client's EOF sends what it still owes and closes."""

from __future__ import annotations

from harness.assignment.profiles._mirror import MirrorProfile
from harness.assignment.transport import STREAMS, Transport


class Echo(MirrorProfile):
    """A server that may read bytes or lines; a line is owed once it is complete."""

    name = "echo"
    summary = "returns every byte in order; after the client's EOF sends what it still owes and closes"
    transports = (*STREAMS, Transport.UNIX_SEQPACKET)
    framings = ("none", "line")


PROFILE = Echo()
