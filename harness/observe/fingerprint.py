"""Whether anything moved between the program and its clients, though not with the one we wait for.

An iterative server that thinks a little about each of thirty clients is asleep whenever we look, and
yet gets on.  The states and queues of the sockets on its ports tell.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable

from harness.observe.sock_diag import SockDiag

Fingerprint = frozenset[tuple[object, ...]]


def fingerprint(diag: SockDiag, peers: Iterable[socket.socket]) -> Fingerprint:
    """States and queue lengths of all sockets at the addresses our *peers* talk to; equal: nothing moved."""
    places: set[object] = set()
    for peer in peers:
        with contextlib.suppress(OSError):
            name = peer.getpeername()
            places.add(name[1] if isinstance(name, tuple) else name)
    if not places:
        return frozenset()
    inet = [*diag.tcp_sockets(), *diag.udp_sockets()]
    unix = diag.unix_sockets()
    return frozenset(
        {
            (s.local, s.remote, s.state, s.receive_queue, s.send_queue, s.inode)
            for s in inet
            if s.local[1] in places
        }
        | {
            (s.inode, s.state, s.receive_queue, s.send_queue)
            for s in unix
            if s.path is not None and s.path in places
        }
    )
