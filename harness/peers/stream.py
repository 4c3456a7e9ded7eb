"""Our end of a byte stream (TCP, UNIX stream, UNIX seqpacket).

A peer never blocks and never waits: :meth:`StreamPeer.pump` moves what can be moved now.  Waiting, and
deciding that nothing more will come, is the settler's business (:mod:`harness.observe.settle`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable

from harness.verdict.show import count
from harness.verdict.timeline import Timeline

#: Most bytes read by one call; the caller's ``gulp`` may be smaller (a slow reader).
GULP = 1 << 16

#: Most bytes handed to the kernel by one call; on SOCK_SEQPACKET a call makes a message, and that must fit a buffer.
SHARE, MESSAGE = 1 << 18, 60_000

#: A receive buffer that stops nobody.
WIDE = 1 << 20

_ABORTED = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN, errno.ETIMEDOUT}


class StreamPeer:
    """One connection of ours.

    *take* is given every chunk that arrives.  ``moved`` counts bytes in either direction, so that
    whoever waits can tell progress from idleness.
    """

    def __init__(
        self, name: str, sock: socket.socket, timeline: Timeline, take: Callable[[bytes], None]
    ) -> None:
        self.name = name
        self.socket = sock
        #: Of our socket, as sock_diag(7) names it.
        self.inode = os.fstat(sock.fileno()).st_ino
        self.timeline = timeline
        self.take = take
        self.gulp = GULP
        self.sent = 0
        self.received = 0
        self.eof = False
        #: errno of the error that ended the connection, None while there is none.
        self.error: int | None = None
        self.fin_sent = False
        #: Lengths of what single calls took and gave: on SOCK_SEQPACKET, of the messages.
        self.sent_messages: list[int] = []
        self.received_messages: list[int] = []
        self._keeps_boundaries = sock.type == socket.SOCK_SEQPACKET
        self._unsent = bytearray()
        self._offset = 0
        self._fin_due = False
        #: The longest time, in seconds, for which we have sent nothing, or read nothing, while the connection lasted.
        self.longest_pause = 0.0
        self._last_sent = self._last_read = time.monotonic()

    @property
    def moved(self) -> int:
        """Bytes moved so far, both directions."""
        return self.sent + self.received

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken from us yet."""
        return len(self._unsent) - self._offset

    @property
    def over(self) -> bool:
        """Nothing more can arrive: the program closed its side, or the connection was aborted."""
        return self.eof or self.error is not None

    @property
    def reset(self) -> bool:
        """The connection was aborted by an RST (or, on a UNIX socket, closed with data unread)."""
        return self.error is not None

    def queue(self, data: bytes) -> None:
        """Send *data* as soon as the kernel takes it (by :meth:`pump`)."""
        if self._offset == len(self._unsent):
            self._unsent, self._offset = bytearray(data), 0
        else:  # what was sent is dropped: a client that never stops sending is never done either
            del self._unsent[: self._offset]
            self._offset = 0
            self._unsent += data

    def finish(self) -> None:
        """Shut down our sending side once everything queued was sent (the FIN follows the data)."""
        self._fin_due = True
        self.push()

    def push(self) -> int:
        """Hand to the kernel what it takes now; the number of bytes it took."""
        took = 0
        while self.unsent and self.error is None:
            view = memoryview(self._unsent)[
                self._offset : self._offset + (MESSAGE if self._keeps_boundaries else SHARE)
            ]
            try:
                n = self.socket.send(view, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                break
            except OSError as error:
                self._failed_to_send(error)
                break
            finally:
                view.release()
            took += n
            self._offset += n
            if self._keeps_boundaries:
                self.sent_messages.append(n)
        if self._offset == len(self._unsent):
            self._unsent, self._offset = bytearray(), 0
            if self._fin_due and not self.fin_sent and self.error is None:
                self.fin_sent = True
                with contextlib.suppress(OSError):
                    self.socket.shutdown(socket.SHUT_WR)
        if took and not self.over:
            self._note_pause()
            self._last_sent = time.monotonic()
        self.sent += took
        return took

    def _failed_to_send(self, error: OSError) -> None:
        # The program closed while we still send.  What it sent before is still ours to read, so only
        # reading decides how the connection ended; nothing more is sent.
        self._unsent, self._offset = bytearray(), 0
        if error.errno not in _ABORTED:
            raise error
        self.timeline.record("program", f"closed its side while {self.name} was still sending")

    def pull(self, most: int | None = None) -> int:
        """Read what has arrived, at most *most* bytes (default: all that is there, up to 1 MiB)."""
        got = 0
        limit = (1 << 20) if most is None else most
        if self.over or limit <= 0:
            return 0
        while got < limit and not self.over:
            try:
                chunk = self.socket.recv(self.gulp if self._keeps_boundaries else min(self.gulp, limit - got))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno not in _ABORTED:
                    raise
                self.error = error.errno
                self.timeline.record("program", f"reset the connection of {self.name}")
                break
            if not chunk:
                self.eof = True
                self.timeline.record(
                    "program",
                    f"closed its side of {self.name} (end of file after {count(self.received + got, 'byte')})",
                )
                break
            got += len(chunk)
            if self._keeps_boundaries:
                self.received_messages.append(len(chunk))
            self.take(chunk)
        if got or self.over:
            self._note_pause()
        self._last_read = time.monotonic()  # also if nothing was there: then nobody waits for us to read
        self.received += got
        return got

    def _note_pause(self) -> None:
        pause = time.monotonic() - min(self._last_sent, self._last_read)
        self.longest_pause = max(self.longest_pause, pause)

    def pump(self) -> int:
        """Move what can be moved now, both ways; the number of bytes moved."""
        return self.push() + self.pull()

    def open_window(self) -> None:
        """Give up being a slow reader: a large receive buffer, and with it a large window, from now on."""
        self.gulp = GULP
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WIDE)

    def abort(self) -> None:
        """Close with an RST: SO_LINGER with a zero timeout (socket(7))."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close the socket; idempotent."""
        self.socket.close()
