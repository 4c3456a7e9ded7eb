"""TCP states and struct tcp_info: tcp(7), include/uapi/linux/tcp.h."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import IntEnum


class TcpState(IntEnum):
    """Connection states, RFC 9293 section 3.3.2, by the kernel's numbers.

    UNIX and UDP sockets use three of them: ESTABLISHED (connected), CLOSE (not) and LISTEN.
    """

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12
    BOUND_INACTIVE = 13


#: States of an end that has received the FIN of the other one.
FIN_RECEIVED = frozenset({TcpState.CLOSE_WAIT, TcpState.LAST_ACK, TcpState.CLOSING, TcpState.TIME_WAIT})
#: States of an end whose FIN is not acknowledged yet.
FIN_UNACKNOWLEDGED = frozenset({TcpState.FIN_WAIT1, TcpState.LAST_ACK, TcpState.CLOSING})
#: States of an end whose handshake is not finished.
HANDSHAKE = frozenset({TcpState.SYN_SENT, TcpState.SYN_RECV, TcpState.NEW_SYN_RECV})

_LENGTH = 256


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What we use of struct tcp_info; fields that an older kernel lacks read as 0.

    Byte counts are payload and cover the whole life of the connection, *bytes_received* counts
    one more for the FIN. *unacked* is in segments, *notsent*, *snd_mss* and *snd_wnd* in bytes.
    """

    state: TcpState
    snd_mss: int
    unacked: int
    sacked: int
    bytes_received: int
    notsent: int
    bytes_sent: int
    bytes_retrans: int
    snd_wnd: int | None

    @property
    def accept_queue(self) -> tuple[int, int]:
        """Of a listener: connections waiting to be accepted, and the limit (listen(2) backlog)."""
        return self.unacked, self.sacked

    @classmethod
    def parse(cls, raw: bytes) -> TcpInfo:
        """Decode what TCP_INFO or INET_DIAG_INFO gave."""
        has_window = len(raw) >= 232  # tcpi_snd_wnd: Linux 5.4
        raw = raw.ljust(_LENGTH, b"\0")
        snd_mss = struct.unpack_from("=I", raw, 16)[0]
        unacked, sacked = struct.unpack_from("=II", raw, 24)
        bytes_received = struct.unpack_from("=Q", raw, 128)[0]
        notsent = struct.unpack_from("=I", raw, 144)[0]
        bytes_sent, bytes_retrans = struct.unpack_from("=QQ", raw, 200)
        snd_wnd = struct.unpack_from("=I", raw, 228)[0] if has_window else None
        return cls(
            TcpState(raw[0]),
            snd_mss,
            unacked,
            sacked,
            bytes_received,
            notsent,
            bytes_sent,
            bytes_retrans,
            snd_wnd,
        )


def tcp_info(sock: socket.socket) -> TcpInfo:
    """TCP_INFO of one of our (or a borrowed) socket; raises OSError for a socket that is not TCP."""
    return TcpInfo.parse(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LENGTH))
