"""What an awaited descriptor is, and whether the wait for it would end now."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import stat
import struct
import termios
from collections.abc import Set

from harness.observe import timers
from harness.observe.borrowed import Forbidden, Unreachable, as_socket, borrowed, timeout_option
from harness.observe.in_flight import Traffic
from harness.observe.procfs import Changed, descriptor_info, descriptor_link, socket_inode
from harness.observe.sock_diag import InetSocket, SockDiag, UnixSocket, unmapped
from harness.observe.tcp_info import FIN_RECEIVED, TcpState, tcp_info
from harness.observe.wait import IN, OUT, Descriptor, Wait, WaitKind

_TIMERFD = "anon_inode:[timerfd]"
_EPOLL = "anon_inode:[eventpoll]"
_IO_URING = "anon_inode:[io_uring]"
_EPOLLET = 1 << 31
#: epoll(7) refuses deeper nests.
_DEEPEST_EPOLL = 5


class Ready(Changed):
    """What a thread waits for has come: it is about to wake up, unless it needs more than this."""


class Examiner:
    """Examines the awaited descriptors of one look.

    *timeout_sockets*: inodes of sockets that were given a timeout, for when we may not borrow
    descriptors and ask ourselves; None if nobody tells us.
    """

    def __init__(
        self, diag: SockDiag, traffic: Traffic, *, may_borrow: bool, timeout_sockets: Set[int] | None
    ) -> None:
        self._diag = diag
        self._traffic = traffic
        self.may_borrow = may_borrow
        self._timeout_sockets = timeout_sockets
        self._by_inode: dict[int, InetSocket | UnixSocket] | None = None
        #: A timerfd read as disarmed, but may have expired this instant: see `timers.TimerFd`.
        self.doubtful_timer = False

    def examine(self, wait: Wait) -> None:
        """Complete *wait* by what its descriptors tell. Raises Changed when it would end now."""
        ready: Ready | None = None
        for fd, events in wait.fds.items():
            link = descriptor_link(wait.tid, fd)
            if link is None:
                # Another thread has closed it: on Linux that does not end the wait.
                wait.cannot_tell(f"descriptor {fd} was closed meanwhile by another thread")
                continue
            try:
                wait.descriptors.append(self._awaited(wait, fd, link, events))
            except Ready as this_one:
                if not wait.needs_all:
                    raise
                ready = this_one
        if ready is not None and not wait.descriptors:
            raise ready

    def _awaited(self, wait: Wait, fd: int, link: str, events: int) -> Descriptor:
        self._self_waking(wait, fd, link, events)
        inode = socket_inode(link)
        try:
            sock = self._examine_duplicate(wait, fd, inode, events)
        except (Forbidden, Unreachable) as reason:
            self.may_borrow &= isinstance(reason, Unreachable)
            sock = self._look_up(inode) if inode is not None else None
            if inode is not None:
                self._judge_by_queues(wait, inode, sock, events)
        self._check_stranger(wait, sock)
        targets = self._epoll_targets(wait, fd, 1) if link == _EPOLL else ()
        return Descriptor(fd, link, events, sock, targets)

    def _examine_duplicate(
        self, wait: Wait, fd: int, inode: int | None, events: int
    ) -> InetSocket | UnixSocket | None:
        """Ask a duplicate. Raises Changed if the wait would end now, Forbidden or Unreachable."""
        if not self.may_borrow:
            raise Forbidden
        with borrowed(wait.pid, fd, tid=wait.tid) as duplicate:
            sock = self._borrowed_socket(duplicate, inode) if inode is not None else None
            if _would_end(duplicate, events, sock):
                raise Ready(f"descriptor {fd} is ready, thread {wait.tid} is about to wake up")
            if inode is not None and wait.direct:
                _socket_timeout(wait, duplicate, events)
            return sock

    def _self_waking(self, wait: Wait, fd: int, link: str, events: int) -> None:
        """Descriptors that become ready without anybody acting."""
        if link == _TIMERFD and events & IN:
            timer = timers.timerfd(wait.tid, fd)
            self.doubtful_timer |= timer.doubtful
            if timer.due is not None:
                wait.may_end_at(timer.due)
        elif link == _IO_URING:
            wait.cannot_tell("io_uring works on its own")
        elif link.startswith("/"):
            _examine_path(wait, fd, link)

    def _check_stranger(self, wait: Wait, sock: InetSocket | UnixSocket | None) -> None:
        stranger = self._traffic.stranger(sock) if sock is not None else ""
        if stranger:
            wait.cannot_tell(f"the other end is {stranger}")

    def _epoll_targets(self, wait: Wait, epoll: int, depth: int) -> tuple[Descriptor, ...]:
        """What an epoll descriptor watches: lines like ``tfd: 5 events: 19 data: ...`` of its fdinfo.

        Whether one is ready, only the epoll descriptor itself can say (EPOLLET, EPOLLONESHOT).
        """
        found = []
        for line in descriptor_info(wait.tid, epoll):
            words = line.split()
            if len(words) < 4 or words[0] != "tfd:":
                continue
            fd, mask = int(words[1]), int(words[3], 16)
            link = descriptor_link(wait.tid, fd)
            if link is None:  # closed, but a duplicate elsewhere keeps it registered
                continue
            self._self_waking(wait, fd, link, mask)
            inode = socket_inode(link)
            sock = self._identify(wait, fd, inode) if inode is not None else None
            self._check_stranger(wait, sock)
            nested = (
                self._epoll_targets(wait, fd, depth + 1) if link == _EPOLL and depth < _DEEPEST_EPOLL else ()
            )
            found.append(Descriptor(fd, link, mask & (IN | OUT), sock, nested, bool(mask & _EPOLLET)))
        return tuple(found)

    # -- which socket --------------------------------------------------------------------

    def _identify(self, wait: Wait, fd: int, inode: int) -> InetSocket | UnixSocket | None:
        try:
            if self.may_borrow:
                with borrowed(wait.pid, fd, tid=wait.tid) as duplicate:
                    return self._borrowed_socket(duplicate, inode)
        except (Forbidden, Unreachable) as reason:
            self.may_borrow &= isinstance(reason, Unreachable)
        return self._look_up(inode)

    def _borrowed_socket(self, duplicate: int, inode: int) -> InetSocket | UnixSocket | None:
        with as_socket(duplicate) as sock:
            if sock.family == socket.AF_UNIX:
                return self._diag.unix(inode)
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                return _inet_socket(sock, inode)
            return None

    def _look_up(self, inode: int) -> InetSocket | UnixSocket | None:
        if self._by_inode is None:
            inet = [*self._diag.tcp_sockets(), *self._diag.udp_sockets()]
            self._by_inode = {sock.inode: sock for sock in inet}
            self._by_inode.update((sock.inode, sock) for sock in self._diag.unix_sockets())
        return self._by_inode.get(inode)

    # -- without the right to borrow -------------------------------------------------------

    def _judge_by_queues(
        self, wait: Wait, inode: int, sock: InetSocket | UnixSocket | None, events: int
    ) -> None:
        """What poll(2) and getsockopt(2) on a duplicate would have told."""
        if sock is not None and events & IN:
            closed = isinstance(sock, InetSocket) and sock.is_tcp
            closed = closed and (sock.state in FIN_RECEIVED or sock.state is TcpState.CLOSE)
            if sock.receive_queue or closed:
                raise Ready(f"socket {inode} is ready, thread {wait.tid} is about to wake up")
        if not wait.direct:
            return
        if self._timeout_sockets is None:
            wait.cannot_tell("it may have a timeout that we cannot see")
        elif self._timeout_sockets:
            # Whichever socket it was set on: accept(2) passes a timeout on to the new socket.
            wait.may_end_at(None)


def _would_end(duplicate: int, events: int, sock: InetSocket | UnixSocket | None) -> bool:
    """Whether poll(2) finds what the thread waits for."""
    if isinstance(sock, UnixSocket) and sock.type == socket.SOCK_DGRAM and events & OUT and sock.peer is None:
        # sendto(2) waits for room at the receiver, of which poll(2) on the unconnected sender knows nothing.
        return False
    if not events:
        return False
    poller = select.poll()
    poller.register(duplicate, events)
    return any(ready & (events | select.POLLHUP | select.POLLERR) for _, ready in poller.poll(0))


def _socket_timeout(wait: Wait, duplicate: int, events: int) -> None:
    with as_socket(duplicate) as sock:
        seconds = timeout_option(sock, socket.SO_RCVTIMEO if events & IN else socket.SO_SNDTIMEO)
    if seconds:
        wait.kind, wait.period = WaitKind.TIMED, seconds


def _inet_socket(sock: socket.socket, inode: int) -> InetSocket:
    """A borrowed TCP or UDP socket, as sock_diag(7) would describe it."""
    is_tcp = sock.type == socket.SOCK_STREAM
    info = tcp_info(sock) if is_tcp else None
    state = info.state if info is not None else TcpState.CLOSE
    local = sock.getsockname()
    try:
        remote = sock.getpeername()
    except OSError:  # a listener, or not connected
        remote = ("", 0)
    if info is not None and state is TcpState.LISTEN:
        receive_queue, send_queue = info.accept_queue
    else:
        receive_queue, send_queue = _bytes(sock, termios.FIONREAD), _bytes(sock, termios.TIOCOUTQ)
    ends = (unmapped(local[0]), local[1]), (unmapped(remote[0]), remote[1])
    protocol = socket.IPPROTO_TCP if is_tcp else socket.IPPROTO_UDP
    return InetSocket(sock.family, protocol, state, *ends, receive_queue, send_queue, 0, inode, info, None)


def _bytes(sock: socket.socket, request: int) -> int:
    """FIONREAD: bytes to read; TIOCOUTQ: bytes not acknowledged; ioctl(2), tcp(7)."""
    return int(struct.unpack("=i", fcntl.ioctl(sock, request, bytes(4)))[0])


def _examine_path(wait: Wait, fd: int, link: str) -> None:
    try:
        mode = os.stat(f"/proc/{wait.tid}/fd/{fd}").st_mode
    except FileNotFoundError:
        raise Changed(f"descriptor {fd} was closed") from None
    if (
        wait.direct
        and not wait.needs_all
        and (stat.S_ISREG(mode) or stat.S_ISBLK(mode) or stat.S_ISDIR(mode))
    ):
        # read(2) and write(2) of a file wait for the disk; flock(2) and a message queue do not, and
        # splice(2) has a pipe at the other end, for which it waits far longer.
        wait.kind = WaitKind.STORAGE
    elif stat.S_ISCHR(mode) and link not in ("/dev/null", "/dev/zero"):
        wait.note = "a device"
