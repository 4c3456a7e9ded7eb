"""Bringing a program to the point where it has read all we sent and still holds a part of its answer.

Only then does a signal meet a reply that is under way, and only then can it be seen whether the program
completes it: had we gone on sending, input would be left unread when the program closes, the kernel would
send an RST for that (RFC 1122 section 4.2.2.13), and the RST would destroy what was written rightly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.observe.sock_diag import InetSocket, UnixSocket
from harness.stage import sight
from harness.verdict.show import count

if TYPE_CHECKING:
    from harness.stage.client import Client

#: Bytes fed at most: more than the largest send buffer that the kernel gives by itself (tcp_wmem, tcp(7)).
MOST = 8 << 20

#: The largest piece, in bytes; pieces get smaller as the program's send buffer fills: one part in SHARE of what is free.
PIECE, SHARE = 1 << 17, 4

#: The smallest piece, in bytes: most programs read that much at once. Those that read less and write at once may be
#: stopped inside a piece, with the rest of it unread; they are fed again, slowly, byte by byte at the end.
SMALLEST = (64, 1)


def feed_until_it_holds_back(client: Client, smallest: int) -> bool:
    """Send requests, reading no answer, until the program itself holds a part of what it owes.

    Whether it has read them all. The last ones have *smallest* bytes.
    """
    answered = 0
    while client.peer.sent < MOST and not client.peer.over:
        far = sight.far_end(client.server.stage.diag, client.peer.socket)
        if far is None or far.receive_queue:
            break  # it reads no more, although it could have answered: as near as we can come
        answered = written(client, far)
        if client.peer.sent > answered:
            break
        client.feed(min(PIECE, max(smallest, _free(far) // SHARE)), lambda: _answered(client))
    client.say(
        f"sent {count(client.peer.sent, 'byte')} of requests and read none of the answer; the program had written "
        f"{count(answered, 'byte') if answered else 'nothing'} of it by then"
    )
    return client.server.has_read(client.peer.socket)


def _answered(client: Client) -> bool:
    """Whether the program has read all that was sent, and has written as much."""
    if client.peer.unsent:
        return False
    far = sight.far_end(client.server.stage.diag, client.peer.socket)
    return far is not None and far.receive_queue == 0 and written(client, far) >= client.peer.sent


def written(client: Client, far: InetSocket | UnixSocket) -> int:
    """Bytes that the program, whose end of the connection is *far*, has handed to its kernel so far."""
    if isinstance(far, InetSocket):
        info = far.info
        return info.bytes_sent - info.bytes_retrans + info.notsent if info is not None else 0
    near = client.server.stage.diag.unix(client.peer.inode)
    return client.peer.received + (near.receive_queue if near is not None else 0)


def _free(far: InetSocket | UnixSocket) -> int:
    """Bytes, about, that the program can still write before its send buffer is full."""
    memory = far.memory
    return max(0, memory.send_limit - memory.send_queued) if memory is not None else 0
