"""A private network for one check: a network namespace with nothing but a loopback device.

Per check, not per worker: a program without SO_REUSEADDR could not be started a second time on
its port while connections of the first one are in TIME_WAIT.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.subject import namespaces
from harness.subject.isolation import Isolation, IsolationError, detect, hand_down

FIRST_PORT, LAST_PORT = 1024, 65535

#: What every private network is set to (ip-sysctl): no pacing (bbr delays segments), low ports for everybody.
SETTINGS = {
    "ipv4/tcp_congestion_control": "reno",
    "ipv4/ip_unprivileged_port_start": "0",
}


def prepare_process() -> Isolation:
    """Make this process able to create networks; once, as long as it has one thread (pytest_configure).

    Root needs nothing. An ordinary user becomes root of a user namespace of its own; child processes
    are in it too. Raises `IsolationError` if the process has several threads already (a debugger).
    """
    isolation = detect()
    if isolation.needs_user_namespace:
        threads = len(os.listdir("/proc/self/task"))
        if threads > 1:
            raise IsolationError(
                f"this process has {threads} threads already (a debugger?) and cannot make namespaces any more: "
                "start it under `unshare --user --map-root-user --net`"
            )
        # We are going to look like root: /tmp/pytest-of-root may belong to somebody else.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _temporary_root())
        namespaces.become_root_of_own_user_namespace()
        isolation = isolation.inside()
    hand_down(isolation)
    return isolation


def prepare_worker() -> None:
    """Give this process (its calling thread) a home network of its own, away from the machine's."""
    if detect().private_network:
        namespaces.unshare(namespaces.NEW_NET)
        namespaces.raise_loopback()


def _temporary_root() -> str:
    root = Path(tempfile.gettempdir()) / f"sockspec-pytest-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.stat().st_uid != os.getuid():
        return tempfile.mkdtemp(prefix="sockspec-pytest-")
    return str(root)


class Network:
    """The network of one check; a context manager, to be entered once.

    Sockets and programs that are made while we are in it belong to it, also after `leave`. Without
    namespaces (L3 to L5) it is the machine's network, and a lock lets one check at a time be in it.
    """

    def __init__(self, isolation: Isolation, rng: random.Random) -> None:
        self._isolation = isolation
        self._rng = rng
        self._home: int | None = None
        self._lock: int | None = None
        self._given: set[int] = set()

    @property
    def private(self) -> bool:
        """Whether nobody else is in this network."""
        return self._isolation.private_network

    def enter(self) -> None:
        """Move the calling thread into the network. Raises OSError if none can be made."""
        if not self.private:
            self._lock = _lock_the_shared_network()
            return
        home = namespaces.open_network()
        try:
            namespaces.unshare(namespaces.NEW_NET)
        except OSError:
            os.close(home)
            raise
        self._home = home
        namespaces.raise_loopback()
        for name, value in SETTINGS.items():
            self.set(name, value)

    def leave(self) -> None:
        """Move back to where we came from; idempotent. The kernel removes the network when it is unused."""
        if self._home is not None:
            namespaces.enter_network(self._home)
            os.close(self._home)
            self._home = None
        if self._lock is not None:
            os.close(self._lock)  # gives up the lock, too
            self._lock = None

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def set(self, name: str, value: str) -> bool:
        """Write ``/proc/sys/net/`` *name* of this network; whether the kernel took it. Never the machine's."""
        if not self.private:
            return False
        with contextlib.suppress(OSError):
            Path("/proc/sys/net", name).write_text(value)
            return True
        return False

    def port(self, *, high: bool = False) -> int:
        """A port that is free for TCP and UDP on all addresses, another one at each call.

        *high*: one with five digits that a short cannot hold, if there is any.
        Never from the range from which the kernel takes ports for connect(2): none of our clients
        can happen to have it. Which one it is depends on the seed only (in a private network).
        """
        low, up_to = self._ephemeral_range()
        below, above = range(FIRST_PORT, low), range(up_to + 1, LAST_PORT + 1)
        if high and len(above) > len(self._given):
            below = range(0)
        while True:
            index = self._rng.randrange(len(below) + len(above))
            port = below[index] if index < len(below) else above[index - len(below)]
            # Both bytes alike, and a forgotten htons(3) would not show.
            if port >> 8 == port & 0xFF:
                continue
            if port not in self._given and (self.private or _is_free(port)):
                self._given.add(port)
                return port

    def add_address(self, address: str) -> None:
        """Give the loopback device a further address, IPv4 or IPv6. Raises OSError in a shared network."""
        namespaces.add_loopback_address(address)

    def _ephemeral_range(self) -> tuple[int, int]:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        return int(low), int(high)


def _is_free(port: int) -> bool:
    """Whether bind(2) gives us the port on all addresses; without SO_REUSEADDR, so TIME_WAIT counts as taken."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(family, kind) as probe:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((address, port))
            except OSError as error:
                if family == socket.AF_INET6 and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    continue
                return False
    return True


def _lock_the_shared_network() -> int:
    path = Path(tempfile.gettempdir()) / f"sockspec-{namespaces.uid_outside()}.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd
