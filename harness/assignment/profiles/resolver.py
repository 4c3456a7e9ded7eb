"""resolver: prints the addresses of HOST SERVICE."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from harness.assignment.profiles._local import LocalProfile, unmet
from harness.assignment.transport import TCPS

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_WORD = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]*")


class Resolver(LocalProfile):
    """findsvc: getaddrinfo(3), and its results in whatever layout."""

    name = "resolver"
    summary = "prints every address of a host, and the port of a service"
    transports = TCPS
    options = frozenset({"output", "text", "lines", "prints_port"})
    defaults: ClassVar[Mapping[str, object]] = {"output": "either", "prints_port": True}
    arguments = ("{peer_host}", "{service}")
    placeholders = ("peer_host", "service")
    names_host = True

    def misprint(self, stdout: bytes, stderr: bytes) -> str:
        """What the contract says about any output of it."""
        return unmet(self.streams(stdout, stderr), self.contract.text, self.contract.lines)

    def families(self) -> tuple[int, ...]:
        """The versions of IP whose addresses must be printed."""
        return {"ipv4": (4,), "ipv6": (6,), "both": (4, 6)}[self.contract.families]

    def misresolved(self, addresses: Sequence[str], port: int | None, stdout: bytes, stderr: bytes) -> str:
        """Why the output is not that of a host with *addresses* and a service with *port* (None: whatever); empty if it is.

        Layout and order are left open, and so are repetitions: getaddrinfo(3) without a socket type in its hints
        gives each address once for every type.  Addresses of the family that is not asked for may be printed or not.
        """
        text = b"\n".join(self.streams(stdout, stderr).values()).decode(errors="replace")
        known = [ipaddress.ip_address(address) for address in addresses]
        printed = list(addresses_in(text))
        for address in known:
            if address.version in self.families() and address not in printed:
                others = ", ".join(dict.fromkeys(map(str, printed))) or "no address at all"
                return f"{address} is not in its output; it printed {others}"
        for address in printed:
            if address not in known:
                return f"it printed {address}, which is no address of this host"
        if port is not None and not re.search(rf"(?<![\d.]){port}(?![\d.]*\d)", text):
            return f"the port of the service, {port}, is not in its output"
        return ""


def addresses_in(text: str) -> Iterator[Address]:
    """The IP addresses in *text*, however written; a port after a colon is no part of it."""
    for word in _WORD.findall(text):
        candidate = word.rstrip(".").removesuffix(":")
        before_port = candidate.rpartition(":")[0]
        for spelling in (candidate, before_port, candidate.strip(":")):
            try:
                yield ipaddress.ip_address(spelling)
            except ValueError:
                continue
            break


PROFILE = Resolver()
