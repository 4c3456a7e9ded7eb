"""What our peers have sent and the program has not taken: the other half of "it is blocked in ...".

The classic case: a server blocked in recv() for one client while another one waits to be accepted.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from harness.observe.census import owners_of_sockets
from harness.observe.quiescence import Oracle
from harness.observe.sock_diag import unmapped
from harness.observe.tcp_info import FIN_RECEIVED, TcpState
from harness.verdict.show import count


@dataclass(frozen=True, slots=True)
class Leftover:
    """The program's end of one of our sockets, with something that the program has not reacted to.

    *unread*: bytes. *pid*, *fd*: the program's descriptor for it, None if it has not accepted the
    connection. *finished*: our FIN has arrived; *fin_read*: and the program has read up to it.
    """

    peer: str
    unread: int
    pid: int | None
    fd: int | None
    finished: bool
    fin_read: bool
    state: TcpState

    def __str__(self) -> str:
        if self.fd is None:
            sent = f" (with {count(self.unread, 'byte')} to read)" if self.unread else ""
            return f"the connection of {self.peer}{sent} waits to be accepted"
        if self.unread:
            wait = "waits" if self.unread == 1 else "wait"
            return f"{count(self.unread, 'byte')} from {self.peer} {wait} unread on descriptor {self.fd}"
        if self.fin_read:
            return f"it has read the end of file from {self.peer}, but keeps descriptor {self.fd} open ({self.state.name})"
        return f"the end of file from {self.peer} waits unread on descriptor {self.fd}"


def unread_and_unaccepted(oracle: Oracle) -> list[str]:
    """The leftovers in sentences; several clients in the queue are one."""
    found = leftovers(oracle)
    queued = [leftover for leftover in found if leftover.fd is None]
    if len(queued) < _MANY:
        return list(map(str, found))
    names = [leftover.peer for leftover in queued]
    who = f"{', '.join(names[:2])} and {len(names) - 2} more"
    return [
        *(str(leftover) for leftover in found if leftover.fd is not None),
        f"the connections of {who} wait to be accepted",
    ]


#: So many clients in the queue are told in one sentence.
_MANY = 3


def leftovers(oracle: Oracle) -> list[Leftover]:
    """Everything of our peers that waits for the program, in the order of descriptors."""
    owners = owners_of_sockets(oracle.watched)
    found = []
    for peer in oracle.peers:
        if peer.fileno() < 0:
            continue
        try:
            leftover = (
                _unix(oracle, peer, owners) if peer.family == socket.AF_UNIX else _tcp(oracle, peer, owners)
            )
        except OSError:  # a listener of ours, or a connection that was reset
            continue
        if leftover is not None:
            found.append(leftover)
    return sorted(found, key=lambda leftover: (leftover.fd is None, leftover.fd or 0, leftover.peer))


_Owners = dict[int, tuple[int, int]]


def _tcp(oracle: Oracle, peer: socket.socket, owners: _Owners) -> Leftover | None:
    if peer.type != socket.SOCK_STREAM:
        return None
    near, remote = peer.getsockname(), peer.getpeername()
    far = oracle.diag.tcp((unmapped(remote[0]), remote[1]), (unmapped(near[0]), near[1]))
    if far is None:
        return None
    pid, fd = owners.get(far.inode, (None, None))
    if fd is None and (far.inode or far.state not in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT)):
        return None  # already closed by the program
    finished = far.state in FIN_RECEIVED
    if not far.receive_queue and not finished and fd is not None:
        return None
    # The kernel counts an unread FIN as one byte.
    unread = far.receive_queue - finished if far.receive_queue else 0
    fin_read = finished and not far.receive_queue
    return Leftover(oracle.name_of(peer), unread, pid, fd, finished, fin_read, far.state)


def _unix(oracle: Oracle, peer: socket.socket, owners: _Owners) -> Leftover | None:
    inode = os.fstat(peer.fileno()).st_ino
    near = oracle.diag.unix(inode)
    if near is None or near.peer is None:
        return None
    name = oracle.name_of(peer)
    if not near.peer:
        listener = oracle.diag.unix_listener_of(inode)
        accepting = listener is not None and listener.inode in owners
        return Leftover(name, near.send_queue, None, None, False, False, near.state) if accepting else None
    far = oracle.diag.unix(near.peer)
    if far is None or not far.receive_queue or far.inode not in owners:
        return None
    return Leftover(name, far.receive_queue, *owners[far.inode], False, False, far.state)
