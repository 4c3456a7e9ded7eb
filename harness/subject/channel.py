"""Our end of the conversation with pid 1 (the messages are described in ``pid1/pid1.h``)."""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

_REPORT = struct.Struct("=c3xi4q")


@dataclass(frozen=True, slots=True)
class Report:
    """One message of pid 1; the meaning of *numbers* depends on *kind*."""

    kind: str
    #: As seen in the program's pid namespace: to tell processes apart, not to be used here.
    inner_pid: int
    numbers: tuple[int, int, int, int]
    #: A pidfd that came along: whoever takes the report closes it. None if there is none.
    descriptor: int | None

    def host_pid(self) -> int | None:
        """The pid of the process behind the descriptor as we see it; None when it is gone already."""
        return None if self.descriptor is None else pid_of(self.descriptor)


class Channel:
    """The control socket. Never blocks, except in `wait`."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._socket.setblocking(False)
        #: Pid 1 has closed its end: it is dead, and with it everything inside.
        self.ended = False

    def fileno(self) -> int:
        """The descriptor, -1 when closed."""
        return self._socket.fileno()

    def hand_over(self, stdio: Sequence[int]) -> None:
        """Give pid 1 the program's standard input, output and error."""
        socket.send_fds(self._socket, [b"F"], list(stdio))

    def go(self) -> None:
        """Let the prepared program start."""
        with contextlib.suppress(OSError):  # pid 1 is gone: the next `receive` tells
            self._socket.send(b"G")

    def receive(self) -> Report | None:
        """The next message, None if there is none at the moment or will be none any more (`ended`)."""
        if self.ended or self._socket.fileno() < 0:
            return None
        fds = array.array("i")
        try:
            data, ancillary, _, _ = self._socket.recvmsg(_REPORT.size, socket.CMSG_SPACE(fds.itemsize))
        except BlockingIOError:
            return None
        except OSError:
            data, ancillary = b"", []
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
        if len(data) != _REPORT.size:
            self.ended = True
            return None
        letter, pid, *numbers = _REPORT.unpack(data)
        first, second, third, fourth = numbers
        return Report(letter.decode(), pid, (first, second, third, fourth), fds[0] if fds else None)

    def wait(self, deadline: float) -> bool:
        """Block until there is something to receive; False if *deadline* (CLOCK_MONOTONIC) passes before."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))

    def close(self) -> None:
        """Close our end: pid 1 sees it and ends everything inside. Idempotent."""
        self._socket.close()


def pid_of(pidfd: int) -> int | None:
    """The pid behind a pidfd in our pid namespace, pidfd_open(2); None when the process has been reaped."""
    with open(f"/proc/self/fdinfo/{pidfd}") as info:
        for line in info:
            if line.startswith("Pid:"):
                pid = int(line.split()[1])
                return pid if pid > 0 else None
    return None


def close_descriptor(report: Report) -> None:
    """Close the descriptor that came along, if any."""
    if report.descriptor is not None:
        os.close(report.descriptor)
