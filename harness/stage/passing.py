"""Descriptors sent along with data on a UNIX socket: unix(7), SCM_RIGHTS; cmsg(3)."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from typing import TYPE_CHECKING

from harness.verdict.outcome import Violation

if TYPE_CHECKING:
    from harness.stage.speaking import Speaking

#: Descriptors passed at once: one more than a program expects that expects any.
PASSED = 2


class PassedDescriptors:
    """The writing end of a pipe, passed to the program several times over; nobody else has it."""

    def __init__(self, client: Speaking) -> None:
        self._server = client.server
        self._read, write = os.pipe()
        try:
            request = client.server.server_profile.request(client.server.next_token(), None)
            client.say(f"sent {len(request)} bytes and with them {PASSED} descriptors (SCM_RIGHTS)")
            client.expect_for(request)
            with contextlib.suppress(
                ConnectionError
            ):  # it has closed already: the expectation that follows says so
                socket.send_fds(client.peer.socket, [request], [write] * PASSED)
        finally:
            os.close(write)

    @property
    def released(self) -> bool:
        """Whether no process holds the writing end any more."""
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def expect_released(self) -> None:
        """The program has closed what it was passed, or never taken it."""
        settled = self._server.until(lambda: self.released)
        if not self.released:
            raise Violation(
                "the client has left, and the program still holds the descriptors that the client had passed to it. "
                + self._server.condition(settled),
                kind="descriptors-kept",
            )

    def close(self) -> None:
        """Close our end."""
        os.close(self._read)
