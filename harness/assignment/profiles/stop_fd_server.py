"""stop-fd-server: an echo server that a signal ends through a stop descriptor, after draining."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._mirror import MirrorProfile
from harness.assignment.transport import STREAMS


class StopFdServer(MirrorProfile):
    """The template for safe signal handling; the dialogue is that of echo."""

    name = "stop-fd-server"
    summary = "an echo server that SIGTERM and SIGINT end in order, the reply under way finished"
    transports = STREAMS
    framings = ("none", "line")
    defaults: ClassVar[Mapping[str, object]] = {"drain": "finish-current"}


PROFILE = StopFdServer()
