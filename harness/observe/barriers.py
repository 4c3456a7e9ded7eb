"""Waiting until what the kernel had already begun is done: expired timers, loopback packets.

Both visit every CPU that this process may use, since each CPU has its own timer and packet queue.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

#: Seconds after which a packet to ourselves counts as lost (loopback went down): OSError.
_LOST = 5.0


def _on_every_cpu(action: Callable[[], object]) -> None:
    allowed = os.sched_getaffinity(0)
    try:
        for cpu in sorted(allowed):
            try:
                os.sched_setaffinity(0, {cpu})
            except OSError:  # taken offline meanwhile
                continue
            action()
    finally:
        os.sched_setaffinity(0, allowed)


def timer_barrier() -> None:
    """On return every timer that had expired before the call has run its callback.

    High-resolution timers of one CPU run in the order of expiry, inside one interrupt: when a new
    sleep of ours on that CPU is over, older ones are done.
    """
    _on_every_cpu(lambda: time.sleep(1e-6))


class PacketBarrier:
    """After `flush` every loopback packet sent before, by anybody, has reached its socket.

    Delivery over loopback is synchronous with send(2), unless ksoftirqd runs on that CPU (kernels
    before 6.4 then leave the packet to it). The packet queue of a CPU is first in, first out, so
    a datagram to ourselves from each CPU flushes it. Bound to the caller's network namespace.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_LOST)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(self._socket.getsockname())

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def flush(self) -> None:
        """Take a packet through the queue of every CPU; some 50 us each on an idle machine."""
        _on_every_cpu(lambda: (self._socket.send(b"\0"), self._socket.recv(1)))
