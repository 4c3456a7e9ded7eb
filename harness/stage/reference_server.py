"""The server of ours that a client under test talks to over a connection."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from harness.assignment.profiles._client import ClientProfile, Turn
from harness.peers.listener import Listener
from harness.peers.stream import StreamPeer
from harness.stage import sight
from harness.stage.address import Address
from harness.stage.reference import NAME, Manner, Reference
from harness.verdict.outcome import Inconclusive
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.stage.stage import Stage


def _port_of_peer(sock: socket.socket) -> int:
    try:
        return int(sock.getpeername()[1])
    except OSError:  # the client has reset the connection already (ENOTCONN)
        return 0


class Connection:
    """One connection of a client to our server."""

    def __init__(self, server: ReferenceServer, sock: socket.socket) -> None:
        self.server = server
        #: The port that the client came from; 0 if there are none (unix(7)).
        self.came_from: int = 0 if server.address.local else _port_of_peer(sock)
        far = sight.far_end(server.stage.diag, sock)
        #: The program's end of it, as sock_diag(7) names it; 0 if it is gone already.
        self.their_inode: int = far.inode if far is not None else 0
        self.peer = StreamPeer(NAME, sock, server.timeline, self._take)
        #: Whether our server reads; a slow one does not, for a while.
        self.reading = True
        self._fin_due = False
        self._rst_due = False
        self._drip = bytearray()
        self.held = bytearray()

    def _take(self, chunk: bytes) -> None:
        for turn in self.server.hearing.heard(chunk):
            self.answer(turn)

    def greet(self) -> None:
        """Say what is due before the client has said anything, and close after it."""
        for turn in self.server.hearing.heard(b""):
            self.answer(turn)
        if self.server.manner is not Manner.HELD:
            self._fin_due = True

    def answer(self, turn: Turn) -> None:
        """*turn* has been asked for: its answer is due."""
        manner = self.server.manner_of_next()
        if manner is Manner.FIN:
            self.finish()
        elif manner is Manner.RST:
            self._rst_due = True  # we may be in the middle of reading
        elif manner is Manner.HELD:
            self.server.replies.append(turn.reply)
            self.held += turn.reply
        else:
            self.server.replies.append(turn.reply)
            self._send(turn.reply)

    def _send(self, reply: bytes) -> None:
        if self.server.manner is Manner.BYTE_BY_BYTE:
            self.server.say(f"sends {count(len(reply), 'byte')} {literal(reply)} one by one")
            self._drip += reply
        else:
            self.server.say(f"sent {count(len(reply), 'byte')} {literal(reply)}")
            self.peer.queue(reply)

    def release(self, size: int | None = None) -> None:
        """Send what was held back, or its first *size* bytes, together."""
        part = bytes(self.held[:size])
        del self.held[: len(part)]
        self.server.say(f"sent {count(len(part), 'byte')} {literal(part)}")
        self.peer.queue(part)
        self.peer.push()
        self._fin_due = self.server.profile.greeted and not self.held

    def finish(self) -> None:
        """Close our side in order, and go on reading."""
        self.server.say("closed the connection (FIN)")
        self.peer.finish()

    def abort(self) -> None:
        """Reset the connection."""
        self.server.say("reset the connection (RST)")
        if self.server.oracle is not None:
            self.server.oracle.peers.discard(self.peer.socket)
        self.peer.abort()

    @property
    def open(self) -> bool:
        """Whether our socket is open."""
        return self.peer.socket.fileno() >= 0

    @property
    def drained(self) -> bool:
        """Whether the client has read all that was due."""
        if not self.open or self.peer.over:
            return True
        return not self._drip and not self.peer.unsent and self._is_read()

    def _is_read(self) -> bool:
        return sight.unread(self.server.stage.diag, self.peer.socket) == 0

    def pump(self) -> int:
        """Move what can be moved now."""
        if not self.open:
            return 0
        moved = self.peer.pull() if self.reading else 0
        if self._rst_due:
            self.abort()
            return moved + 1
        if self._drip and not self.peer.unsent and self._is_read():
            self.peer.queue(bytes(self._drip[:1]))
            del self._drip[:1]
        moved += self.peer.push()
        owes = self.peer.unsent or self._drip or self.held
        if not owes and not self.peer.fin_sent and (self._fin_due or self.peer.eof):
            self.finish()
        return moved


class ReferenceServer(Reference):
    """Known to be right: hears its client out, answers every request, closes when the client has closed."""

    def __init__(
        self,
        stage: Stage,
        address: Address,
        profile: ClientProfile,
        *,
        listening: bool = True,
        receive_buffer: int | None = None,
    ) -> None:
        super().__init__(stage, address, profile)
        self.connections: list[Connection] = []
        try:
            self._listener = Listener(address.family, address.sockaddr, receive_buffer=receive_buffer)
        except OSError as error:
            raise Inconclusive(f"our own server cannot have the address {address} here: {error}") from None
        #: Whether it reads what comes (False: a slow one, for a while).
        self.reads = True
        if listening:
            self.listen()

    def listen(self) -> None:
        """Let clients in from now on."""
        self._listener.listen()
        self.say(f"listens on {self.address}")

    def forget(self) -> None:
        """Be as new for a program that is about to be started."""
        for connection in self.connections:
            connection.peer.close()
        self.connections = []
        super().forget()

    @property
    def connection(self) -> Connection:
        """The client's connection; ask only when it is there."""
        return self.connections[0]

    @property
    def reached(self) -> bool:
        """Whether the client has connected."""
        return bool(self.connections)

    @property
    def delivered(self) -> bool:
        """Whether the client has read every answer that was due."""
        return all(connection.drained for connection in self.connections)

    @property
    def over(self) -> bool:
        """Whether the client has ended every connection."""
        return all(not c.open or c.peer.over for c in self.connections)

    def sockets(self) -> list[socket.socket]:
        """The listening socket and the connections."""
        ours = [self._listener.socket, *(connection.peer.socket for connection in self.connections)]
        return [sock for sock in ours if sock.fileno() >= 0]

    def pump(self) -> int:
        """Let in who waits, read, answer."""
        moved = 0
        while (sock := self._listener.accept()) is not None:
            moved += 1
            self.introduce(sock)
            connection = Connection(self, sock)
            connection.reading = self.reads
            self.connections.append(connection)
            self.timeline.record("program", "connected to our server")
            if self.profile.greeted:
                connection.greet()
        return moved + sum(connection.pump() for connection in self.connections)

    def read_on(self) -> None:
        """Give up being slow."""
        self.reads = True
        for connection in self.connections:
            connection.reading = True
            connection.peer.open_window()

    def close(self) -> None:
        """Close every socket."""
        for connection in self.connections:
            connection.peer.close()
        self._listener.close()
