"""Plays declared steps over connections, one after the other, and judges every byte that comes."""

from __future__ import annotations

import re
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from harness.assignment.dialogue import Act, Dialogue, Step
from harness.assignment.profiles.dialogue import Scripted
from harness.observe.settle import Settled
from harness.peers.stream import StreamPeer
from harness.stage import sight
from harness.stage.findings import no_more
from harness.stage.instance import Instance
from harness.stage.patience import PATIENCE
from harness.stage.steps import groups, merged, named, wanted
from harness.verdict.outcome import NotApplicable, Violation
from harness.verdict.show import count, difference, literal

if TYPE_CHECKING:
    from harness.stage.stage import Stage


class Delivery(StrEnum):
    """How what we send arrives; the protocol cannot see a difference."""

    WHOLE = "whole"
    BYTE_BY_BYTE = "byte-by-byte"
    COALESCED = "coalesced"


class Line:
    """One connection of the dialogue, and what has come over it that no step has accounted for yet."""

    def __init__(self, name: str, sock: socket.socket, instance: Instance) -> None:
        self.name = name
        self.came = bytearray()
        self.finished = False
        self.instance = instance
        self.peer = StreamPeer(name, sock, instance.timeline, self._take)

    def _take(self, chunk: bytes) -> None:
        self.came += chunk

    @property
    def open(self) -> bool:
        """Whether our socket is open."""
        return self.peer.socket.fileno() >= 0

    def close(self) -> None:
        """Close our socket; idempotent."""
        self.instance.oracle.peers.discard(self.peer.socket)
        self.peer.close()


class Play(ABC):
    """One performance of the dialogue."""

    def __init__(self, stage: Stage, delivery: str) -> None:
        self.stage = stage
        self.script: Dialogue = cast(Scripted, stage.assignment.profile).script
        self.delivery = Delivery(delivery)
        self.lines: dict[str, Line] = {}
        if self.delivery is not Delivery.WHOLE and stage.assignment.transport.keeps_boundaries:
            raise NotApplicable("each send is a message of its own over this transport")
        if self.delivery is Delivery.COALESCED and len(merged(self.script.steps)) == len(self.script.steps):
            raise NotApplicable("no two sends of the dialogue follow each other on one connection")

    @property
    @abstractmethod
    def instance(self) -> Instance:
        """The program."""

    @abstractmethod
    def line(self, name: str) -> Line:
        """The connection *name*, made if there is none yet."""

    @abstractmethod
    def aside(self, step: Step) -> None:
        """A step about the program's standard input and output."""

    @abstractmethod
    def finale(self) -> None:
        """What must hold when all has been said."""

    def play(self) -> None:
        """All steps, and the end."""
        steps = merged(self.script.steps) if self.delivery is Delivery.COALESCED else self.script.steps
        for group in groups(steps):
            first = group[0]
            if first.act in (Act.TYPE, Act.END_INPUT, Act.PRINTS):
                self.aside(first)
                continue
            line = self.line(first.on)
            match first.act:
                case Act.SEND:
                    self._send(line, first)
                case Act.EXPECT:
                    self._expect(line, group)
                case Act.SILENCE:
                    self._expect_nothing(line, first)
                case Act.EXPECT_END:
                    self._expect_end(line, first)
                case _:
                    self._end(line, first)
        self.finale()

    # -- our side ----------------------------------------------------------------------------

    def _send(self, line: Line, step: Step) -> None:
        pieces = (
            [step.data[at : at + 1] for at in range(len(step.data))]
            if self.delivery is Delivery.BYTE_BY_BYTE
            else [step.data]
        )
        how = f", {self.delivery.value}" if len(pieces) > 1 else ""
        self._say(f"{line.name} sent {count(len(step.data), 'byte')} {literal(step.data)}{how}")
        for piece in pieces:
            line.peer.queue(piece)
            line.peer.push()
            if not line.peer.over:
                self.until(
                    lambda: (
                        line.peer.over
                        or (not line.peer.unsent and sight.unread(self.stage.diag, line.peer.socket) == 0)
                    )
                )

    def _end(self, line: Line, step: Step) -> None:
        line.finished = True
        if step.end == "finish":
            self._say(f"{line.name} finished sending (FIN)")
            line.peer.finish()
        elif step.end == "close":
            self._say(f"{line.name} closed the connection")
            line.close()
        else:
            self._say(f"{line.name} reset the connection (RST)")
            self.instance.oracle.peers.discard(line.peer.socket)
            line.peer.abort()

    def _say(self, what: str) -> None:
        self.stage.timeline.record("peer", what)

    # -- the program's side ------------------------------------------------------------------

    def _expect(self, line: Line, group: Sequence[Step]) -> None:
        which = named(group)
        if all(step.pattern is None for step in group):
            self._expect_exactly(line, b"".join(step.data for step in group), which)
            return
        pattern = re.compile(b"".join(b"(?:" + step.regex + b")" for step in group))
        settled = self.until(lambda: pattern.match(line.came) is not None or line.peer.over)
        found = pattern.match(line.came)
        if found is not None and not (found.end() == len(line.came) and line.came.endswith(b"\n")):
            self.let_it_finish()  # a number may go on, for instance: only silence says that it does not
            found = pattern.match(line.came)
        if found is None:
            asked = " then ".join(wanted(step) for step in group)
            got = f"{line.name} got {literal(bytes(line.came))}" if line.came else f"{line.name} got nothing"
            raise self._failure(line, f"{which} asks for {asked}; {got}", settled, "no-reply")
        self._take(line, found.end(), which)

    def _expect_exactly(self, line: Line, expected: bytes, which: str) -> None:
        def agrees() -> bool:
            return expected.startswith(line.came[: len(expected)])

        settled = self.until(lambda: len(line.came) >= len(expected) or not agrees() or line.peer.over)
        got = bytes(line.came[: len(expected)])
        if not agrees():
            offset = next(
                at for at, (one, other) in enumerate(zip(expected, got, strict=False)) if one != other
            )
            raise Violation(
                f"{which} asks for {literal(expected)}, and {line.name} got something else.\n{difference(expected, got, offset)}",
                kind="wrong-bytes",
                offset=offset,
                expected_byte=expected[offset : offset + 1],
                received_byte=got[offset : offset + 1],
            )
        if len(got) < len(expected):
            came = f"{count(len(got), 'byte')} of it" if got else "nothing of it"
            raise self._failure(
                line, f"{which} asks for {literal(expected)}; {line.name} got {came}", settled, "no-reply"
            )
        self._take(line, len(expected), which)

    def _take(self, line: Line, size: int, which: str) -> None:
        self.stage.timeline.record(
            "program", f"sent {line.name} what {which} asks for: {literal(bytes(line.came[:size]))}"
        )
        del line.came[:size]

    def _failure(self, line: Line, what: str, settled: Settled, kind: str) -> Violation:
        if line.peer.reset:
            ended, kind = ", and then the connection was reset (RST)", "reset"
        elif line.peer.eof:
            ended, kind = ", and then the connection was closed", "closed-early"
        else:
            ended = f", and {no_more(settled)}"
        return Violation(
            f"{what}{ended}. {self.instance.condition(settled)}",
            kind=kind,
            fin_sent=line.peer.fin_sent,
            **self.instance.facts(),
        )

    def _expect_nothing(self, line: Line, step: Step) -> None:
        self.let_it_finish()
        if line.came:
            raise Violation(
                f"{named([step])} asks for silence; {line.name} got {literal(bytes(line.came))}.",
                kind="wrong-bytes",
            )

    def _expect_end(self, line: Line, step: Step) -> None:
        settled = self.until(lambda: line.peer.over)
        self.expect_nothing_more(line)
        if line.peer.reset:
            raise Violation(
                f"{named([step])} asks for the end of the connection of {line.name}; it was reset (RST) instead of being closed (FIN).",
                kind="reset-at-close",
                **self.instance.facts(),
            )
        if not line.peer.over:
            raise Violation(
                f"{named([step])} asks for the end of the connection of {line.name}; the program keeps its side open, and will "
                f"go on doing so. {self.instance.condition(settled)}",
                kind="not-closed",
                **self.instance.facts(),
            )

    def expect_nothing_more(self, line: Line) -> None:
        """No byte has come that no step asks for."""
        if line.came:
            raise Violation(
                f"{line.name} got {literal(bytes(line.came))}, which no step of the dialogue asks for.",
                kind="wrong-bytes",
                extra=True,
            )

    # -- waiting -----------------------------------------------------------------------------

    #: Seconds of idle time that a program which wakes up by itself may take for what it owes.
    patience = PATIENCE

    def until(self, done: Callable[[], bool], *, patience: float | None = None) -> Settled:
        """Wait for *done*, or for the proof that it will not come; all connections are read meanwhile."""

        def ready() -> bool:
            self.pump()
            return done()

        peers = [line.peer for line in self.lines.values() if line.open]
        return self.instance.until(
            ready,
            [*self.listening(), *(peer.socket for peer in peers if not peer.over)],
            writable=[peer.socket for peer in peers if peer.unsent],
            progress=lambda: sum(line.peer.moved for line in self.lines.values()),
            patience=self.patience if patience is None else patience,
        )

    def let_it_finish(self) -> None:
        """Wait until the program will do nothing more by itself."""
        self.until(lambda: False, patience=PATIENCE)

    def pump(self) -> None:
        """Move what can be moved now."""
        for line in list(self.lines.values()):
            if line.open:
                line.peer.pump()

    def listening(self) -> list[socket.socket]:
        """Our listening sockets."""
        return []
