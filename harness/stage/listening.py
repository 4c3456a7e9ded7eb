"""Coming to serve an address, or refusing to: what the kernel shows of it."""

from __future__ import annotations

import errno
import socket

from harness.observe.settle import Settled, SettledKind
from harness.stage import sight
from harness.stage.connect import open_socket, try_connect
from harness.stage.instance import Instance
from harness.stage.patience import PATIENCE_AT_START
from harness.verdict.outcome import Blocked, Inconclusive, Violation

#: Idle seconds in sleeps before the program listens that are called a fixed delay.
LAZY = 0.1


class Listening(Instance):
    """An instance, and the sockets it waits on."""

    def expect_listening(self, *, fresh: bool = True) -> Settled:
        """The program comes to listen on its address and on no other port.

        *fresh*: nothing has used the address before, so bind(2) had no reason to find it taken.
        Read from the kernel (sock_diag(7)): the socket exists and a process of the program holds it.
        """
        settled = self.until(self.is_listening, patience=PATIENCE_AT_START)
        if settled.kind is not SettledKind.READY:
            raise self._not_listening(settled, fresh)
        if self.address.transport == "tcp-dual" and not sight.is_served(
            self.program, self.stage.diag, self.address
        ):
            self.address = self.address.on("::1")  # it serves one family only: ipv6/dual-stack says so
        if self.contract.daemon:
            self.settle()  # those who started it end, and it is left
        self.timeline.record("program", f"{self.name} listens on {self.address}")
        return settled

    def _not_listening(self, settled: Settled, fresh: bool) -> Violation:
        elsewhere = self.listeners()
        facts = self.facts()
        if elsewhere:
            found = ", ".join(at.place for at in elsewhere)
            # Network.port() gives no port whose two bytes are alike.
            swapped = not self.address.local and any(
                at.port == socket.htons(self.address.port) for at in elsewhere
            )
            hint = f": that is {self.address.port} with its two bytes swapped" if swapped else ""
            return Violation(
                f"it was told to serve {self.address}, but it serves {found}{hint}.",
                kind="listens-elsewhere",
                swapped=swapped,
                cut=not self.address.local and any(_is_cut(at.port, self.address.port) for at in elsewhere),
                other_family=any(at.port == self.address.port for at in elsewhere),
                by_path=self.address.local,
                **facts,
            )
        never_listened = self.program.bound and not self.program.listened
        if fresh and never_listened and self.address.type != socket.SOCK_DGRAM:
            # That it was called is all we know of its bind(2), and whoever has ended may have found it to fail.
            done = (
                f"it bound its socket to {self.address}"
                if facts.get("alive")
                else f"told to serve {self.address}, it called bind()"
            )
            return Violation(
                f"{done} but did not call listen(). {self.condition(settled)}",
                kind="not-passive",
                **facts,
            )
        return Violation(
            f"it never came to serve {self.address}. {self.condition(settled)}", kind="not-listening", **facts
        )

    def become_ready(self) -> Settled:
        """Like :meth:`expect_listening`, for checks that are about something else: a failure blocks them."""
        try:
            settled = self.expect_listening()
        except Violation as violation:
            by = "listen/passive-socket" if violation.kind == "not-passive" else "bind/port-from-argument"
            raise Blocked(violation.observed, by=by, kind=violation.kind, **violation.facts) from None
        return settled

    def expect_refusal(self, why: str) -> None:
        """The program refuses to start: it ends, not by a signal, with a status other than 0, says why on
        stderr, and serves nothing; *why* completes the sentence "it should have refused to start, because"."""
        settled = self.until(
            lambda: self.program.status is not None or bool(self.listeners()), patience=PATIENCE_AT_START
        )
        serving = self.listeners()
        status = self.status
        if serving:
            raise Violation(
                f"it should have refused to start, because {why}, but it serves {', '.join(at.place for at in serving)}.",
                kind="started",
                elsewhere=not self.address.local and all(at.port != self.address.port for at in serving),
                **self.facts(),
            )
        if status is None:
            raise Violation(
                f"it should have refused to start, because {why}, but it goes on running. {self.condition(settled)}",
                kind="no-end",
                **self.facts(),
            )
        if status.signal is not None:
            raise Violation(
                f"it should have refused to start with a message, because {why}, but it was {status}.{self.last_words()}",
                kind="died",
                **self.facts(),
            )
        if status.code == 0:
            raise Violation(
                f"it refused to start, because {why}, but it ended with exit status 0, which says that all went well.",
                kind="status",
                **self.facts(),
            )
        if not self.program.output.stderr.strip():
            raise Violation(
                f"it {status.told}, because {why}, but it said nothing on stderr.",
                kind="silent",
                **self.facts(),
            )

    def expect_passive(self) -> None:
        """The program calls listen() on what it bound; one that fails in another way blocks the check."""
        try:
            self.expect_listening()
        except Violation as violation:
            if violation.kind == "not-passive":
                raise
            raise Blocked(
                violation.observed, by="bind/port-from-argument", kind=violation.kind, **violation.facts
            ) from None

    def expect_prompt_start(self) -> None:
        """The program does not sleep before it listens (time in which it waits for a CPU does not count)."""
        self.timeline.record("peer", "watched the program start")
        idle = self.become_ready().idle_seconds
        if idle > LAZY:
            raise Violation(f"it slept for about {idle:.1f} s before it listened.", kind="slow-start")

    # -- which addresses ---------------------------------------------------------------------

    def expect_scope(self) -> None:
        """The listening sockets are bound as ``contract.bind`` says, and clients find it so."""
        asked = self.contract.bind
        addresses = [sight.host_of(at) for at in self.serving()]
        beyond = [address for address in addresses if not _is_loopback(address)]
        if asked == "localhost" and beyond:
            raise Violation(
                f"it listens on {', '.join(beyond)}, so everybody can reach it; asked is localhost only.",
                kind="scope",
            )
        extra = self.stage.extra_address(self.address)
        with open_socket(extra) as probe:
            refused = (
                self.address.type == socket.SOCK_STREAM and try_connect(probe, extra) == errno.ECONNREFUSED
            )
        self.timeline.record("peer", f"tried {extra}: {'refused' if refused else 'not refused'}")
        if asked == "any" and (refused or all(map(_is_loopback, addresses))):
            raise Violation(
                f"it listens on {', '.join(addresses)} only; asked is every address of the machine.",
                kind="scope",
            )

    # -- the listening socket itself ---------------------------------------------------------

    def listening_sockets(self) -> frozenset[int]:
        """The inodes of the sockets that serve the address: they tell one socket from another."""
        return frozenset(at.socket.inode for at in self.serving())

    def expect_same_listener(self, before: frozenset[int]) -> None:
        """The sockets that listened *before* still do."""
        now = self.listening_sockets()
        if not now:
            raise Violation(
                f"after one client nothing listens on {self.address} any more. {self.condition()}",
                kind="stopped-listening",
                **self.facts(),
            )
        if not before <= now:
            raise Violation(
                "after one client another socket listens than before: clients that waited in the queue of the old one are lost.",
                kind="new-listener",
            )

    def expect_exclusive(self, second: Listening) -> None:
        """*second*, started on the same address, does not come to share it."""
        shared = any(
            options.reuse_port for at in self.serving() if (options := sight.options(at)) is not None
        )
        second.until(
            lambda: second.is_listening() or second.program.status is not None, patience=PATIENCE_AT_START
        )
        if second.is_listening():
            reason = (
                "SO_REUSEPORT is set on its socket"
                if shared
                else "both sockets let others share their address"
            )
            raise Violation(
                f"a second instance came to listen on {self.address} as well: {reason}, and clients are dealt out between the two.",
                kind="shared",
            )

    def require_no_drops(self) -> None:
        """Nothing that we sent was dropped by the receive buffer of the program's socket (udp(7))."""
        dropped = sum(map(sight.drops, self.serving()))
        if dropped:
            raise Inconclusive(
                f"the receive buffer of the program's socket was too small: the kernel dropped {dropped} datagrams"
            )


def _is_cut(port: int, asked: int) -> bool:
    """Whether *port* is what the first digits of *asked* say."""
    return port != asked and str(asked).startswith(str(port))


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
