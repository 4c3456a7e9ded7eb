"""socketpair: processes or threads of one program that talk over a pair of sockets; it runs to completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.assignment.profiles._local import LocalProfile, unmet
from harness.assignment.transport import UNIXES


class SocketPair(LocalProfile):
    """A socketpair(2) in place of a pipe: what it prints is said by ``contract.lines`` or ``contract.text``."""

    name = "socketpair"
    summary = "runs to completion: its processes talk over a pair of sockets, and it prints what the assignment says"
    transports = UNIXES
    options = frozenset({"output", "text", "lines", "input"})
    defaults: ClassVar[Mapping[str, object]] = {"output": "either"}

    def misprint(self, stdout: bytes, stderr: bytes) -> str:
        """Against the contract; if that says nothing, something must be printed."""
        return unmet(self.streams(stdout, stderr), self.contract.text, self.contract.lines)


PROFILE = SocketPair()
