"""Plays a declared dialogue with the program, step by step, and judges every byte that comes."""

from __future__ import annotations

import re
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, cast

from harness.assignment.dialogue import Act, Dialogue, Step
from harness.assignment.placeholders import expand_argv
from harness.assignment.profiles.dialogue import Scripted
from harness.observe.settle import Settled
from harness.peers.listener import Listener
from harness.peers.stream import StreamPeer
from harness.stage import sight
from harness.stage.completing import Completing
from harness.stage.connect import connect
from harness.stage.instance import Instance
from harness.stage.patience import PATIENCE, PATIENCE_AT_START
from harness.verdict.outcome import Inconclusive, NotApplicable, Violation
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
        for group in _groups(steps):
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
        which = _named(group)
        if all(step.pattern is None for step in group):
            self._expect_exactly(line, b"".join(step.data for step in group), which)
            return
        pattern = re.compile(b"".join(b"(?:" + step.regex + b")" for step in group))
        settled = self.until(lambda: pattern.match(line.came) is not None or line.peer.over)
        found = pattern.match(line.came)
        if found is not None and not (found.end() == len(line.came) and line.came.endswith(b"\n")):
            self._let_it_finish()  # a number may go on, for instance: only silence says that it does not
            found = pattern.match(line.came)
        if found is None:
            wanted = " then ".join(_wanted(step) for step in group)
            got = f"{line.name} got {literal(bytes(line.came))}" if line.came else f"{line.name} got nothing"
            raise self._failure(line, f"{which} asks for {wanted}; {got}", settled, "no-reply")
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
        ended = ""
        if line.peer.reset:
            ended, kind = ", and then the connection was reset (RST)", "reset"
        elif line.peer.eof:
            ended, kind = ", and then the connection was closed", "closed-early"
        else:
            ended = ", and no more will come"
        return Violation(
            f"{what}{ended}. {self.instance.condition(settled)}",
            kind=kind,
            fin_sent=line.peer.fin_sent,
            **self.instance.facts(),
        )

    def _expect_nothing(self, line: Line, step: Step) -> None:
        self._let_it_finish()
        if line.came:
            raise Violation(
                f"{_named([step])} asks for silence; {line.name} got {literal(bytes(line.came))}.",
                kind="wrong-bytes",
            )

    def _expect_end(self, line: Line, step: Step) -> None:
        settled = self.until(lambda: line.peer.over)
        self.expect_nothing_more(line)
        if line.peer.reset:
            raise Violation(
                f"{_named([step])} asks for the end of the connection of {line.name}; it was reset (RST) instead of being closed (FIN).",
                kind="reset-at-close",
                **self.instance.facts(),
            )
        if not line.peer.over:
            raise Violation(
                f"{_named([step])} asks for the end of the connection of {line.name}; the program keeps its side open, and will "
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

    def until(self, done: Callable[[], bool], *, patience: float = PATIENCE) -> Settled:
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
            patience=patience,
        )

    def _let_it_finish(self) -> None:
        self.until(lambda: False)

    def pump(self) -> None:
        """Move what can be moved now."""
        for line in list(self.lines.values()):
            if line.open:
                line.peer.pump()

    def listening(self) -> list[socket.socket]:
        """Our listening sockets."""
        return []


class ServedPlay(Play):
    """The program is the server; the first word on a connection makes it."""

    def __init__(self, stage: Stage, delivery: str) -> None:
        super().__init__(stage, delivery)
        self.server = stage.serve()

    @property
    def instance(self) -> Instance:
        """The server."""
        return self.server

    def line(self, name: str) -> Line:
        """The connection *name*."""
        if name not in self.lines:
            sock = connect(self.server, name, self.server.address, None)
            self._say(f"{name} connected to {self.server.address}")
            self.lines[name] = self.stage.adopt(Line(name, sock, self.server))
        return self.lines[name]

    def aside(self, step: Step) -> None:
        """There is none for a server."""

    def finale(self) -> None:
        """Nothing else has come, and nothing else comes while everybody leaves; the server has not crashed."""
        self._let_it_finish()
        for line in self.lines.values():
            self.expect_nothing_more(line)
            if line.open and not line.finished:
                line.peer.finish()
        self.until(lambda: all(line.peer.over or not line.open for line in self.lines.values()))
        for line in self.lines.values():
            line.close()
        self.server.settle()
        status = self.server.status
        if status is not None and status.signal is not None:
            raise Violation(
                f"when all had been said, the program was {status}.{self.server.last_words()}",
                kind="died",
                **self.server.facts(),
            )


class ClientPlay(Play):
    """The program is the client; connections get the names of the dialogue in the order in which they come."""

    def __init__(self, stage: Stage, delivery: str) -> None:
        super().__init__(stage, delivery)
        address = stage.address
        try:
            self.listener = stage.adopt(Listener(address.family, address.sockaddr))
        except OSError as error:
            raise Inconclusive(f"our own server cannot have the address {address} here: {error}") from None
        self.listener.listen()
        self._say(f"our server listens on {address}")
        name = stage.instance_name()
        values = stage.values(address)
        program = stage.launch(name, expand_argv(stage.built.run, values), address, values=values)
        self.program = Completing(stage, program, address, name)
        stage.instances.append(self.program)
        stage.adopt(self.program)
        self.program.oracle.peers.add(self.listener.socket)
        self.input_ended = False

    @property
    def instance(self) -> Instance:
        """The client."""
        return self.program

    def listening(self) -> list[socket.socket]:
        """Where it is to connect."""
        return [self.listener.socket]

    def pump(self) -> None:
        """Let in who waits, too."""
        names = self.script.connections()
        while (sock := self.listener.accept()) is not None:
            name = (
                names[len(self.lines)]
                if len(self.lines) < len(names)
                else f"connection {len(self.lines) + 1}"
            )
            self.program.oracle.peers.add(sock)
            self.program.oracle.names[sock] = name
            self.stage.timeline.record("program", f"connected to our server: {name}")
            self.lines[name] = self.stage.adopt(Line(name, sock, self.program))
        super().pump()

    def line(self, name: str) -> Line:
        """The connection *name*; the program has to make it."""
        settled = self.until(lambda: name in self.lines, patience=PATIENCE_AT_START)
        if name not in self.lines:
            raise Violation(
                f"the program did not connect to our server at {self.stage.address}"
                f"{'' if not self.lines else f' for {name}'}. {self.program.condition(settled)}",
                kind="not-reached",
                **self.program.facts(),
            )
        return self.lines[name]

    def aside(self, step: Step) -> None:
        """What is typed; what is printed is looked at in the end, since it may be buffered until then."""
        if step.act is Act.TYPE:
            self._say(f"typed {literal(step.data)} into its stdin")
            self.program.program.stdin.write(step.data)
        elif step.act is Act.END_INPUT:
            self._end_input()

    def _end_input(self) -> None:
        if not self.input_ended:
            self.input_ended = True
            self._say("ended its stdin")
            self.program.program.stdin.close()

    def finale(self) -> None:
        """Our side ends; so does the program, with the agreed status, having printed what is asked for."""
        for line in self.lines.values():
            if line.open and not line.peer.fin_sent:
                line.peer.finish()
        self._end_input()
        self.until(lambda: self.program.program.status is not None)
        self.program.expect_exit(self.stage.assignment.contract.exit_status, "all had been said")
        self.until(lambda: all(line.peer.over or not line.open for line in self.lines.values()))
        for line in self.lines.values():
            self.expect_nothing_more(line)
        self._expect_printed()

    def _expect_printed(self) -> None:
        self.until(lambda: self.program.program.stdout_at_eof)
        output, place = self.program.program.output.stdout, 0
        for step in self.script.steps:
            if step.act is not Act.PRINTS:
                continue
            found = re.compile(step.regex).search(output, place)
            if found is None:
                raise Violation(
                    f"{_named([step])} asks for {_wanted(step)} on its standard output"
                    f"{' after what was found there before' if place else ''}; it printed {literal(output[place:], 200)}.",
                    kind="misprint",
                    **self.program.facts(),
                )
            place = found.end()


def play(stage: Stage, delivery: str) -> None:
    """The whole dialogue, on whichever side the program is."""
    script = cast(Scripted, stage.assignment.profile).script
    (ClientPlay if script.role == "client" else ServedPlay)(stage, delivery).play()


def merged(steps: Sequence[Step]) -> tuple[Step, ...]:
    """*steps* with sends that follow each other on one connection put into one."""
    result: list[Step] = []
    for step in steps:
        last = result[-1] if result else None
        if last is not None and last.act is step.act is Act.SEND and last.on == step.on:
            result[-1] = replace(last, data=last.data + step.data)
        else:
            result.append(step)
    return tuple(result)


def _groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Expectations that follow each other on one connection together, every other step alone."""
    for (act, _, _), group in groupby(
        steps, key=lambda step: (step.act, step.on, 0 if step.act is Act.EXPECT else step.number)
    ):
        members = list(group)
        assert act is Act.EXPECT or len(members) == 1
        yield members


def _named(group: Sequence[Step]) -> str:
    first, last = group[0].number, group[-1].number
    return (
        f"step {first} of the dialogue"
        if first == last
        else f"the part of steps {first} to {last} of the dialogue"
    )


def _wanted(step: Step) -> str:
    return literal(step.data) if step.pattern is None else f"something that matches {step.pattern!r}"
