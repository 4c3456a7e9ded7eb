"""A declared dialogue with the program, on whichever side of it the program is."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, cast

from harness.assignment.dialogue import Act, Step
from harness.assignment.placeholders import expand_argv
from harness.assignment.profiles.dialogue import Scripted
from harness.peers.listener import Listener
from harness.stage import client_findings
from harness.stage.completing import Completing
from harness.stage.connect import connect
from harness.stage.instance import Instance
from harness.stage.patience import PATIENCE_AT_START, PATIENCE_TO_TALK
from harness.stage.playing import Line, Play
from harness.stage.steps import named, wanted
from harness.verdict.outcome import Inconclusive, Violation
from harness.verdict.show import literal

if TYPE_CHECKING:
    from harness.stage.stage import Stage


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
        self.let_it_finish()
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

    patience = PATIENCE_TO_TALK

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
            raise client_findings.never_came(self.program, settled, name=name if self.lines else "")
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
                    f"{named([step])} asks for {wanted(step)} on its standard output"
                    f"{' after what was found there before' if place else ''}; it printed {literal(output[place:], 200)}.",
                    kind="misprint",
                    **self.program.facts(),
                )
            place = found.end()


def play(stage: Stage, delivery: str) -> None:
    """The whole dialogue, on whichever side the program is."""
    script = cast(Scripted, stage.assignment.profile).script
    (ClientPlay if script.role == "client" else ServedPlay)(stage, delivery).play()
