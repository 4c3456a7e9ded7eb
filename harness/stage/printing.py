"""Clients of a program whose answer is what it prints (``contract.output``), and the judging of it.

The program's output comes through pipes that are read while we wait, so bytes that arrive there are progress
like bytes on a connection.  What a program prints through stdio into a pipe is written when its buffer is full
or when it ends (setvbuf(3)); for a program that ends by its contract both are right.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from harness.assignment.profiles._base import Conversation, Judgement, Standing
from harness.observe.settle import Settled
from harness.stage import findings
from harness.stage.address import Address
from harness.stage.client import Client
from harness.stage.datagram_client import DatagramClient

if TYPE_CHECKING:
    from harness.stage.server import Server


class Printing:
    """What one instance prints from now on, judged stream by stream: one of those allowed must be right."""

    def __init__(self, server: Server, begin: Callable[[], Conversation]) -> None:
        self._server = server
        self._output = server.program.output
        asked = server.contract.output
        names = ("stdout", "stderr") if asked == "either" else (asked,)
        self._streams = {name: begin() for name in names}
        for name in names:
            self._output.tap(name, functools.partial(self._take, name))

    def _take(self, name: str, data: bytes) -> None:
        self._streams[name].received(data)

    def sent(self, data: bytes) -> None:
        """*data* goes to the program."""
        for conversation in self._streams.values():
            conversation.sent(data)

    def finish(self) -> None:
        """The client's EOF goes to the program."""
        for conversation in self._streams.values():
            conversation.finish()

    @property
    def judgement(self) -> Judgement:
        """That of the stream that is nearest to being right."""
        for name, conversation in self._streams.items():
            if self._output.ended(name):
                conversation.ended()
        judgements = [conversation.received() for conversation in self._streams.values()]
        for standing in (Standing.SETTLED, Standing.WRONG):
            for judgement in judgements:
                if judgement.standing is standing:
                    return judgement
        return judgements[0]

    def expect(
        self,
        pump: Callable[[], int] = int,
        moved: Callable[[], int] = int,
        *,
        fds: Iterable[socket.socket] = (),
        writable: Callable[[], Iterable[socket.socket]] = tuple,
    ) -> None:
        """Everything owed is printed, at the latest when the program ends, and nothing that cannot be right.

        *pump* moves what our side has under way, *moved* says how much that was so far.
        """

        def wait() -> Settled:
            return self._server.until(
                lambda: pump() < 0 or self.judgement.standing is not Standing.OWING,
                fds=fds,
                writable=writable(),
                progress=lambda: moved() + self._output.total,
            )

        settled = wait()
        if self.judgement.standing is Standing.OWING and self._server.conclude():
            settled = wait()
        self._server.settle(step=pump, progress=lambda: moved() + self._output.total)
        judgement = self.judgement
        if judgement.standing is Standing.WRONG:
            raise findings.wrong_output(self._server, judgement)
        if judgement.standing is Standing.OWING:
            raise findings.missing_output(self._server, judgement, settled)


class PrintedClient(Client):
    """A connection whose answer the program prints."""

    def __init__(
        self, server: Server, name: str, address: Address, *, receive_buffer: int | None = None
    ) -> None:
        self._printing = Printing(server, server.server_profile.printing)
        super().__init__(server, name, address, receive_buffer=receive_buffer)

    def _queue(self, data: bytes) -> None:
        self._printing.sent(data)
        super()._queue(data)

    def finish_sending(self) -> None:
        """Shut down the sending side: from now on the program owes its answer."""
        if not self._finished:
            self._printing.finish()
        super().finish_sending()

    def expect_reply(self) -> None:
        """The program prints all it owes, and nothing that cannot be right."""
        self.finish_sending()
        self._printing.expect(
            self.peer.pump,
            lambda: self.peer.moved,
            fds=() if self.peer.over else [self.peer.socket],
            writable=lambda: [self.peer.socket] if self.peer.unsent else (),
        )


class PrintedDatagramClient(DatagramClient):
    """A datagram socket of ours whose datagrams the program prints."""

    def send(self, data: bytes) -> None:
        """Send one datagram; that it is printed is expected from now on."""
        self.server.be_fresh()
        self.server.oracle.peers.add(self.peer.socket)
        self.server.printing.sent(data)
        super().send(data)

    def expect_replies(self) -> None:
        """Everything that was sent to this instance, by whomever, is printed, each datagram once."""
        self.server.printing.expect()
