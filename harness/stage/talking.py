"""A client under test that talks to a server of ours: what it sends and prints, how it ends."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, cast

from harness.assignment.profiles._client import ClientProfile, Turn
from harness.observe.settle import Settled
from harness.stage import client_findings as findings
from harness.stage.address import Address
from harness.stage.completing import Completing
from harness.stage.datagram_reference import DatagramReference
from harness.stage.patience import PATIENCE, PATIENCE_AT_START, PATIENCE_TO_TALK
from harness.stage.reference import Reference
from harness.stage.reference_server import Connection, ReferenceServer
from harness.subject.program import Program
from harness.verdict.outcome import Inconclusive, Violation
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.stage.stage import Stage


class Talking(Completing):
    """A started client, and the server of ours that it talks to (None: nobody is there)."""

    def __init__(
        self, stage: Stage, program: Program, address: Address, name: str, server: Reference | None
    ) -> None:
        super().__init__(stage, program, address, name)
        self._server = server
        self.turns: list[Turn] = []
        #: Sockets that it had when it last was asleep between two attempts, by inode.
        self.sockets_before: frozenset[int] = frozenset()
        self._typed = 0
        self.input_ended = False
        if server is not None:
            server.meet(self.oracle)
            self._chores.append(server.pump)
            if not self.client_profile.reads_input:
                for turn in self.client_profile.telling(stage.next_token()):
                    self.owe(turn)

    # -- who is who --------------------------------------------------------------------------

    @property
    def client_profile(self) -> ClientProfile:
        """The profile, known to be a client's."""
        return cast(ClientProfile, self.profile)

    @property
    def reference(self) -> Reference:
        """Our server; ask only if there is one."""
        assert self._server is not None
        return self._server

    @property
    def server(self) -> ReferenceServer:
        """Our server, known to have connections."""
        return cast(ReferenceServer, self.reference)

    @property
    def datagrams(self) -> DatagramReference:
        """Our server, known to be one of datagrams."""
        return cast(DatagramReference, self.reference)

    @property
    def by_datagrams(self) -> bool:
        """Whether there are no connections."""
        return self.address.type == socket.SOCK_DGRAM

    @property
    def connection(self) -> Connection:
        """The connection that it has made."""
        return self.server.connection

    @property
    def reset_by_program(self) -> bool:
        """Whether the program has reset its connection."""
        return not self.by_datagrams and any(c.peer.reset for c in self.server.connections)

    def until(
        self,
        done: Callable[[], bool],
        fds: Iterable[socket.socket] = (),
        *,
        writable: Iterable[socket.socket] = (),
        progress: Callable[[], int] | None = None,
        patience: float = PATIENCE_TO_TALK,
    ) -> Settled:
        """As `Instance.until`; what is typed in and printed is progress, too."""
        ours = self._server.sockets() if self._server is not None else []

        def moved() -> int:
            own = self._typed - self.program.stdin.pending + self.program.output.total
            return own + (progress() if progress is not None else 0)

        return super().until(done, [*fds, *ours], writable=writable, progress=moved, patience=patience)

    # -- what our side does ------------------------------------------------------------------

    def owe(self, turn: Turn) -> None:
        """From now on the program owes *turn*."""
        self.turns.append(turn)
        self.reference.expect(turn)

    def type_in(self, turns: Sequence[Turn]) -> None:
        """Type the input of *turns* into its standard input; what follows from it is owed from now on."""
        typed = b"".join(turn.typed for turn in turns)
        for turn in turns:
            self.owe(turn)
        if typed:
            self.timeline.record("peer", f"typed {count(len(typed), 'byte')} {literal(typed)} into its stdin")
        self._typed += len(typed)
        self.program.stdin.write(typed)

    def type_turn(self, *, size: int | None = None) -> Turn:
        """Type one more turn; *size* as in `ClientProfile.turn`.  A client without input has had its turn."""
        if not self.client_profile.reads_input:
            return self.turns[-1] if self.turns else Turn(b"", b"", b"")
        turn = self.client_profile.turn(self.stage.next_token(), size)
        self.type_in([turn])
        return turn

    def type_telling(self) -> None:
        """Type the turns in which the usual mistakes show."""
        if self.client_profile.reads_input:
            self.type_in(self.client_profile.telling(self.stage.next_token()))

    def end_input(self) -> None:
        """End its standard input, after what was typed."""
        if self.client_profile.reads_input and not self.input_ended:
            self.input_ended = True
            self.timeline.record("peer", "ended its stdin")
            self.program.stdin.close()

    # -- what our side expects ---------------------------------------------------------------

    def expect_reached(self) -> None:
        """It connects to our server, or sends its first datagram."""
        settled = self.until(lambda: self.reference.reached, patience=PATIENCE_AT_START)
        if not self.reference.reached and not self.input_ended and self.status is None:
            self.end_input()  # it may read all its input before it does anything
            settled = self.until(lambda: self.reference.reached)
        if not self.reference.reached:
            raise findings.never_came(self, settled)

    def expect_requests(self, *, input_goes_on: bool = False) -> None:
        """Everything that the turns so far make it send arrives, and nothing else; *input_goes_on*: without that what was
        typed is the end of its input."""
        hearing = self.reference.hearing
        self.expect_reached()
        settled = self.until(lambda: hearing.complete or bool(hearing.wrong) or self.has_left())
        waits = not hearing.complete and not hearing.wrong and not self.input_ended and self.status is None
        if waits and not input_goes_on:
            self.end_input()  # as above; one that answers line by line has nothing to read any more
            settled = self.until(lambda: hearing.complete or bool(hearing.wrong) or self.has_left())
        if hearing.wrong:
            raise findings.wrong_request(self)
        if not hearing.complete:
            raise findings.missing_request(self, settled)

    def has_left(self) -> bool:
        """Whether nothing more can come: it has ended, or has ended its connection."""
        if self.program.status is not None and (self.by_datagrams or self.server.over):
            return True
        return not self.by_datagrams and self.server.reached and self.server.over

    def converse(self) -> None:
        """The whole conversation, its input ended at once; all of it must be right."""
        self.type_telling()
        self.end_input()
        self.expect_conversation()

    def expect_conversation(self) -> None:
        """What it sends, how it ends, what it prints."""
        self.expect_requests()
        self.expect_exit(self.contract.exit_status, "the conversation is over")
        self.expect_right_wire()
        self.expect_output()

    def expect_right_wire(self) -> None:
        """Over the whole conversation nothing came that was not owed, and the connection was ended in order."""
        if not self.by_datagrams:
            self.until(lambda: self.server.over)
        if self.reference.hearing.wrong:
            raise findings.wrong_request(self)
        if self.by_datagrams:
            return
        if len(self.server.connections) > 1:
            raise Violation(
                f"the program connected {len(self.server.connections)} times; the conversation takes one connection.",
                kind="connections",
            )
        if self.reset_by_program:
            raise Violation(
                "the program ended its connection by a reset (RST) instead of closing it in order (FIN).",
                kind="reset-at-close",
                **self.facts(),
            )

    def expect_output(self, *, and_more: bool = False) -> None:
        """It has printed the answers that it was sent; *and_more*: it may have said more, that the server is gone."""
        self.until(lambda: self.program.stdout_at_eof)
        if self.program.output.flooded:
            raise Inconclusive("it printed more than we keep (limits.output_mb)")
        profile = self.client_profile.talkative() if and_more else self.client_profile
        if why := profile.misprint(self.reference.replies, self.program.output.stdout):
            raise findings.misprinted(self, why)

    def expect_shown(self) -> None:
        """The answers so far are on its standard output, though it goes on running."""
        settled = self.until(lambda: not self._unprinted(), patience=PATIENCE)
        if why := self._unprinted():
            raise Violation(
                f"after the answer had come, its standard output was not up to date: {why}. {self.condition(settled)}",
                kind="not-flushed",
                **self.facts(),
            )

    def _unprinted(self) -> str:
        return self.client_profile.misprint(self.reference.replies, self.program.output.stdout)

    def last_chance_to_end(self) -> bool:
        """It may read all its input before it does anything: end that, if it has not ended yet."""
        if self.input_ended or not self.client_profile.reads_input:
            return False
        self.end_input()
        return True
