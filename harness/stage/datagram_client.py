"""A client that sends datagrams and expects datagrams back."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from harness.assignment.profiles._base import DatagramProfile
from harness.observe.phrases import show_address
from harness.observe.settle import Settled
from harness.peers.datagram import Datagram, DatagramPeer
from harness.stage.address import Address
from harness.verdict.outcome import Violation
from harness.verdict.show import count, difference, lengths, literal

if TYPE_CHECKING:
    from harness.stage.server import Server


def _sizes(datagrams: Sequence[bytes], *, known: bool = True) -> str:
    """How many datagrams, and how long each is (if that is *known*), in words."""
    if known:
        return lengths([len(data) for data in datagrams], "datagram")
    return f"{count(len(datagrams), 'datagram')} with a line of text"


def _named(data: bytes) -> str:
    if not data:
        return "an empty one"
    return literal(data, _SHOWN) if len(data) > _SHOWN else f"{literal(data)} ({count(len(data), 'byte')})"


#: Bytes that are shown of a datagram.
_SHOWN = 24


class DatagramClient:
    """One datagram socket of ours, speaking the profile of the server."""

    def __init__(self, server: Server, name: str, address: Address, *, named: bool = True) -> None:
        self.server = server
        self.name = name
        self.address = address
        self.owed: list[bytes] = []
        self._judged = 0
        sock = socket.socket(address.family, socket.SOCK_DGRAM)
        if address.path.startswith("@") and named:
            sock.bind("\0" + f"{address.path[1:]}-{name.replace(' ', '-')}")
        elif address.local and named:
            own = os.path.join(os.path.dirname(address.path), f"{name.replace(' ', '-')}.peer")
            sock.bind(own)
            os.chmod(own, 0o777)  # writing to it is what lets the program, another user, answer (unix(7))
        elif not address.local:
            sock.bind((address.host, 0))
        self.peer = DatagramPeer(name, sock, server.timeline)
        server.oracle.peers.add(sock)
        server.oracle.names[sock] = name

    @property
    def profile(self) -> DatagramProfile:
        """The profile, known to be a datagram server's."""
        return cast(DatagramProfile, self.server.profile)

    def ask(self, token: int | None = None, *, size: int | None = None) -> None:
        """Send one request of *size* bytes."""
        self.send(self.profile.request(self.server.next_token() if token is None else token, size))

    def carry(self, data: bytes) -> None:
        """Send a request that carries the bytes *data*."""
        self.send(self.profile.carry(data))

    def send(self, data: bytes) -> None:
        """Send one datagram; what the profile owes for it is expected from now on."""
        self.server.timeline.record(
            "peer",
            f"{self.name} sent a datagram of {count(len(data), 'byte')} {literal(data, 24)} to {self.address}",
        )
        self.owed += self.profile.replies(data)
        self.peer.send(data, self.address.sockaddr)

    def send_garbage(self, data: bytes) -> None:
        """Send one datagram for which nothing in particular is owed."""
        self.server.timeline.record("peer", f"{self.name} sent {count(len(data), 'byte')} of garbage")
        self.peer.send(data, self.address.sockaddr)

    def send_terminator(self, terminator: str) -> None:
        """Send the text that ends the program."""
        self.server.timeline.record(
            "peer", f"{self.name} sent the terminator {terminator!r} to {self.address}"
        )
        self.peer.send(terminator.encode(), self.address.sockaddr)

    def expect_replies(self) -> None:
        """Every datagram owed comes, whole, once, from the address that was asked, and no other.

        Order is not demanded (RFC 768 promises none).
        """
        before = len(self.peer.inbox)
        settled = self.server.until(
            lambda: (
                (bool(self.peer.pump()) and len(self.peer.inbox) - before >= len(self.owed))
                or len(self.peer.inbox) - before >= len(self.owed)
            ),
            fds=[self.peer.socket],
            progress=lambda: self.peer.moved,
        )
        self.server.settle()
        self.peer.pump()
        came = self.peer.inbox[before:]
        owed, self.owed = self.owed, []
        for datagram in came:
            self._check_source(datagram)
        missing, surplus = self.profile.unmatched(owed, [datagram.data for datagram in came])
        if not missing and not surplus:
            return
        raise self._mismatch(owed, [datagram.data for datagram in came], missing, surplus, settled)

    def _mismatch(
        self,
        owed: Sequence[bytes],
        came: Sequence[bytes],
        missing: Sequence[bytes],
        surplus: Sequence[bytes],
        settled: Settled,
    ) -> Violation:
        known = self.profile.foresees
        if missing and not surplus:
            first = f"; the first one missing is {_named(missing[0])}" if known else ""
            state = self.server.condition(settled)
            return Violation(
                f"{self.name} got {len(came) or 'none'} of the {count(len(owed), 'datagram')} it is owed{first}. {state}",
                kind="no-reply",
                **self.server.facts(),
            )
        if len(missing) == len(surplus) == 1 and known:
            want, got = missing[0], surplus[0]
            offset = next(
                (i for i, (a, b) in enumerate(zip(want, got, strict=False)) if a != b),
                min(len(want), len(got)),
            )
            what = (
                "a datagram with other bytes in it than are owed"
                if len(want) == len(got)
                else f"a datagram of {count(len(got), 'byte')} where one of {count(len(want), 'byte')} was owed"
            )
            return Violation(
                f"{self.name} got {what}.\n{difference(want, got, offset)}",
                kind="wrong-datagram",
                cut=bool(want) and want.startswith(got),
                **self.server.facts(),
            )
        return Violation(
            f"{self.name} is owed {_sizes(owed, known=known)} and got {_sizes(came)}; "
            f"the first that is not owed is {_named(surplus[0])}.",
            kind="wrong-datagram",
            **self.server.facts(),
        )

    def _check_source(self, datagram: Datagram) -> None:
        source = datagram.source[:2] if isinstance(datagram.source, tuple) else datagram.source
        if source != self.address.sockaddr:
            place = (
                show_address((str(source[0]), int(source[1]))) if isinstance(source, tuple) else repr(source)
            )
            raise Violation(
                f"{self.name} asked {self.address} and was answered from {place}: a client that checks the sender drops this.",
                kind="wrong-source",
                same_port=isinstance(source, tuple) and source[1] == self.address.port,
            )

    def exchange(self, *, size: int | None = None) -> None:
        """One request and what is owed for it."""
        self.ask(size=size)
        self.expect_replies()

    def close(self) -> None:
        """Close our socket; what the program sends to it from now on is refused (ICMP port unreachable)."""
        self.server.timeline.record("peer", f"{self.name} closed its socket")
        self.server.oracle.peers.discard(self.peer.socket)
        self.peer.close()
