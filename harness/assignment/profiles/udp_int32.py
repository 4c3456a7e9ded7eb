"""udp-int32: the same as int32, by datagrams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._integers import IntegersProfile
from harness.assignment.transport import Transport


class UdpInt32(IntegersProfile):
    """inf14-2: the port is all it is given, the server is on this machine."""

    name = "udp-int32"
    summary = "sends each integer of its standard input as a datagram of 4 bytes, little-endian, and prints the answer"
    transports = (Transport.UDP,)
    arguments = ("{peer_port}",)
    # The text asks for no look at the sender.
    defaults: ClassVar[Mapping[str, object]] = {"prints": "text", "answers_from": "anyone"}


PROFILE = UdpInt32()
