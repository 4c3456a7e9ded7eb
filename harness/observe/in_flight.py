"""What is still travelling between sockets of this machine, and who is at the other end.

A blocked program is only idle if nothing is on its way to it, or from it to us. UNIX sockets
deliver inside send(2) and have no "on the way". TCP is judged by the byte counters of both ends
rather than by "everything is acknowledged": an acknowledgement may be delayed for 40 ms.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Set

from harness.observe.procfs import Changed, descriptors, socket_inode
from harness.observe.sock_diag import Address, InetSocket, SockDiag, UnixSocket, unmapped
from harness.observe.tcp_info import FIN_RECEIVED, FIN_UNACKNOWLEDGED, HANDSHAKE, TcpState


def undelivered(sender: InetSocket, receiver: InetSocket) -> str:
    """What is on the way from *sender* to *receiver*, two ends of one TCP connection; "" if nothing.

    Bytes that only the receiving program can set free by reading are not on the way.
    """
    info = sender.info
    if info is None:  # TIME_WAIT: has nothing to send
        return ""
    if _has_unacknowledged(sender):
        if receiver.info is None:
            return "data for a closing connection"
        if _stalled(sender, receiver):
            return ""
        arrived = receiver.info.bytes_received - (receiver.state in FIN_RECEIVED)
        if info.notsent or info.bytes_sent - info.bytes_retrans != arrived:
            return f"{info.unacked} segments and {info.notsent} unsent bytes"
        if sender.memory is not None and not sender.memory.writable:
            return "the acknowledgement that makes room for more"
    if sender.state in FIN_UNACKNOWLEDGED and receiver.state not in FIN_RECEIVED | {TcpState.CLOSE}:
        return "a FIN"
    return ""


def _has_unacknowledged(sender: InetSocket) -> bool:
    return sender.info is not None and bool(sender.info.unacked or sender.info.notsent)


def _stalled(sender: InetSocket, receiver: InetSocket) -> bool:
    """Whether *sender* can only go on when the receiving program reads: its window or memory is full."""
    info, memory = sender.info, receiver.memory
    if info is None:
        return False
    if memory is not None and memory.receive_used >= memory.receive_limit:
        return True
    if info.unacked:
        return False
    if info.snd_wnd is None:
        return receiver.receive_queue > 0
    # A window that holds neither the rest nor a full segment: the sender waits for it to open
    # (RFC 9293 section 3.8.6.2.1). With a larger one it is TCP_CORK or pacing that holds data back.
    return info.snd_wnd < min(info.notsent, info.snd_mss)


class Traffic:
    """The view of one look: which sockets are ours, which the program's, and what is between them.

    *peers* are our sockets that talk to the program, *pids* its processes, *spoken_for* addresses
    for which we answer ourselves, packet by packet.
    """

    def __init__(
        self, diag: SockDiag, peers: Iterable[socket.socket], pids: Iterable[int], spoken_for: Set[str]
    ) -> None:
        self.diag = diag
        self._peers = [peer for peer in peers if peer.fileno() >= 0]
        self._spoken_for = spoken_for
        self._far_ends: dict[tuple[Address, Address], InetSocket | None] = {}
        self._known_inodes: set[int] = set()
        #: Whose descriptors are not in there yet; our own come last, they are seldom needed.
        self._unread_pids = [os.getpid(), *sorted(set(pids), reverse=True)]
        self._udp: list[InetSocket] | None = None
        #: Whether a UDP socket takes part, whose datagrams have no counters.
        self.datagrams = False

    # -- our own connections -------------------------------------------------------

    def check_peers(self) -> None:
        """Raises Changed if anything is under way between our peers and the program."""
        for peer in self._peers:
            if peer.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            if peer.type != socket.SOCK_STREAM:
                self.datagrams = True
                continue
            local = _plain(peer.getsockname())
            try:
                remote = _plain(peer.getpeername())
            except OSError:  # a listener of ours, or not connected (yet)
                self._check_connecting(local)
                continue
            self.check_connection(local, remote)

    def check_connection(self, local: Address, remote: Address) -> InetSocket | None:
        """The far end of the TCP connection *local*-*remote*; raises Changed if something is under way."""
        if (local, remote) in self._far_ends:
            return self._far_ends[local, remote]
        near, far = self.diag.tcp(local, remote), self.diag.tcp(remote, local)
        if near is not None and far is not None:
            if HANDSHAKE & {near.state, far.state}:
                self._check_handshake(near, far)
            else:
                for sender, receiver in ((near, far), (far, near)):
                    what = undelivered(sender, receiver)
                    if what:
                        raise Changed(f"{what} on the way to port {receiver.local[1]}")
        elif near is not None and _has_unacknowledged(near) and not self._accept_queue_full(remote):
            raise Changed(f"data on the way to port {remote[1]}, where the socket is gone")
        self._far_ends[local, remote], self._far_ends[remote, local] = far, near
        return far

    def _check_handshake(self, near: InetSocket, far: InetSocket) -> None:
        passive = near if near.state in (TcpState.SYN_RECV, TcpState.NEW_SYN_RECV) else far
        if not self._accept_queue_full(passive.local):
            raise Changed(f"a handshake with port {passive.local[1]} is not finished")

    def _accept_queue_full(self, address: Address) -> bool:
        """Whether a handshake with *address* waits for an accept(2): its queue holds more than the backlog."""
        listener = self.diag.listener(*address)
        return listener is not None and listener.receive_queue > listener.send_queue

    def _check_connecting(self, local: Address) -> None:
        """A non-blocking connect of ours whose SYN was not answered yet."""
        for connecting in self.diag.connecting():
            if connecting.local[1] == local[1] and not self._accept_queue_full(connecting.remote):
                raise Changed(f"a SYN on the way to port {connecting.remote[1]}")

    # -- who is at the other end ------------------------------------------------------

    def stranger(self, local: InetSocket | UnixSocket) -> str:
        """Who, if neither we nor the program, is at the other end of the socket *local*; "" if nobody else.

        Raises Changed if the other end has something under way to it. Sockets without a fixed peer
        (listeners, unconnected datagram sockets) are taken to hear from us and the program only.
        """
        if isinstance(local, UnixSocket):
            return self._unix_stranger(local)
        if not local.is_tcp:
            self.datagrams = True
        if not local.remote[1] or local.remote[0] in self._spoken_for:
            return ""
        return self._tcp_stranger(local) if local.is_tcp else self._udp_stranger(local)

    def _unix_stranger(self, local: UnixSocket) -> str:
        inode = local.peer
        if inode == 0:  # not accepted yet
            listener = self.diag.unix_listener_of(local.inode)
            inode = listener.inode if listener is not None else None
        return "" if inode is None or self.known(inode) else "a UNIX socket of another process"

    def _tcp_stranger(self, local: InetSocket) -> str:
        far = self.check_connection(local.local, local.remote)
        if far is None:
            over = local.state in FIN_RECEIVED or local.state is TcpState.CLOSE
            return "" if over or _is_loopback(local.remote) else "another machine"
        inode = far.inode
        if not inode and far.state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT):  # not accepted yet
            listener = self.diag.listener(*far.local)
            inode = listener.inode if listener is not None else 0
        return "" if not inode or self.known(inode) else f"another process, on port {far.local[1]}"

    def _udp_stranger(self, local: InetSocket) -> str:
        if self._udp is None:
            self._udp = self.diag.udp_sockets()
        address, port = local.remote
        bound = [
            far for far in self._udp if far.local[1] == port and far.local[0] in (address, "0.0.0.0", "::")
        ]
        if not bound:
            return "" if _is_loopback(local.remote) else "another machine"
        return "" if all(self.known(far.inode) for far in bound) else f"another process, on UDP port {port}"

    def known(self, inode: int) -> bool:
        """Whether the socket *inode* belongs to a process of the program or to this process."""
        if not self._known_inodes:
            self._known_inodes.update(os.fstat(peer.fileno()).st_ino for peer in self._peers)
        while inode not in self._known_inodes and self._unread_pids:
            links = descriptors(self._unread_pids.pop()).values()
            self._known_inodes.update(n for n in map(socket_inode, links) if n is not None)
        return inode in self._known_inodes


def _plain(name: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    return unmapped(name[0]), name[1]


def _is_loopback(address: Address) -> bool:
    return address[0].startswith("127.") or address[0] == "::1"
