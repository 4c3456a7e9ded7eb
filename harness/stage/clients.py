"""Starting a client under test: with a server of ours, without one, with names that lie and arguments that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harness.assignment.placeholders import expand_argv, names_in
from harness.assignment.profiles._client import ClientProfile
from harness.stage.address import Address
from harness.stage.client_program import MUCH, ClientProgram
from harness.stage.datagram_reference import DatagramReference
from harness.stage.reference import Reference
from harness.stage.reference_server import ReferenceServer
from harness.verdict.outcome import NotApplicable, Violation

if TYPE_CHECKING:
    from harness.stage.stage import Stage

#: A receive buffer of our server, in bytes, that makes its window small.
SMALL_BUFFER = 4096
#: The host of which the sandbox's /etc/hosts knows two addresses.
TWO_ADDRESSES = "two.test"
_SECOND = {"127.0.0.1": "127.0.0.2", "::1": "2001:db8::1"}


class Clients:
    """What a check of a client begins with."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @property
    def profile(self) -> ClientProfile:
        """The profile, known to be a client's."""
        return cast(ClientProfile, self.stage.assignment.profile)

    def server(
        self, address: Address | None = None, *, listening: bool = True, receive_buffer: int | None = None
    ) -> Reference:
        """A server of ours at the address that the program is given (or at *address*), known to be right."""
        where = address or self.stage.address
        if self.stage.assignment.transport.is_datagram:
            return self.stage.adopt(DatagramReference(self.stage, where, self.profile))
        server = ReferenceServer(
            self.stage, where, self.profile, listening=listening, receive_buffer=receive_buffer
        )
        return self.stage.adopt(server)

    def start(
        self,
        server: Reference | None = None,
        *,
        host: str | None = None,
        hosts: str | None = None,
        size: int | None = None,
        argv: list[str] | None = None,
    ) -> ClientProgram:
        """Start the program, which is to talk to *server* (None: there is nobody at its address).

        *host* and *size* are what {peer_host} and {size} stand for, *hosts* is the text of its /etc/hosts,
        *argv* replaces its command line.
        """
        stage = self.stage
        where = server.address if server is not None else stage.address
        values = stage.values(where)
        for name, value in (("peer_host", host), ("size", size)):
            if value is not None:
                stage.must_take(name)
                values[name] = str(value)
        command = argv if argv is not None else expand_argv(stage.built.run, values)
        name = stage.instance_name()
        if server is not None:
            server.forget()
        file = None if hosts is None else stage.hosts_file(hosts)
        program = stage.launch(name, command, where, hosts=file, values=values)
        client = ClientProgram(stage, program, where, name, server)
        stage.instances.append(client)
        return stage.adopt(client)

    def given_host(self, host: str, *, served: bool = False) -> ClientProgram:
        """A client that is told of a server on *host* and given something to send; *served*: ours is where it usually is."""
        client = self.start(self.server() if served else None, host=host)
        client.type_blindly()
        return client

    def of_slow_server(self) -> ClientProgram:
        """A client that has much to send to a server with a small window, which does not read for a while."""
        server = cast(ReferenceServer, self.server(receive_buffer=SMALL_BUFFER))
        server.reads = False
        if self.profile.reads_input:
            return self.start(server)
        client = self.start(server, size=MUCH)
        client.reference.hearing = self.profile.under_size(MUCH).hearing()
        return client

    def reset_while(self, moment: str) -> ClientProgram:
        """A client whose connection our server resets while it waits, in the middle of an answer, between its turns,
        or while it writes."""
        if moment == "writing":
            if not self.profile.bulk:
                raise NotApplicable("the client sends little at a time: it is never in the middle of it")
            client = self.of_slow_server()
            client.begin_to_send_much()
            if client.status is not None:
                raise NotApplicable("the client had ended before anything was cut off")
        elif not self.profile.answered:
            raise NotApplicable("the client waits for no answer")
        elif moment == "waiting":
            client = self.start(self.server())
            client.wait_for_an_answer()
        elif moment == "mid-answer":
            if not self.profile.greeted and not self.profile.bulk:
                # stdio and MSG_WAITALL hand out the half that has come first, and the error only with the next call.
                raise NotApplicable("an answer is short: there is hardly a middle of it")
            client = self.start(self.server())
            client.take_half_an_answer()
        elif not self.profile.reads_input:
            raise NotApplicable("the client has one turn")
        else:
            client = self.start(self.server())
            client.take_turn()
        client.reset_connection()
        if moment == "between-turns":
            client.type_unless_it_notices(turns=2)
        return client

    def with_two_addresses(self, place: int) -> ClientProgram:
        """A client of a host with two addresses; our server is at the one in *place*, nobody is at the other."""
        first = self.stage.address
        other = first.on(_SECOND[first.host])
        if ":" in other.host:
            self.stage.network.add_address(other.host)
        addresses = [first, other]
        hosts = "".join(f"{address.host} {TWO_ADDRESSES}\n" for address in addresses)
        return self.start(self.server(addresses[place]), host=TWO_ADDRESSES, hosts=hosts)

    def with_bad_arguments(self, wrong: str) -> ClientProgram:
        """A client whose command line is *wrong*; nobody listens anywhere."""
        run = self.stage.built.run
        first = next((place for place, word in enumerate(run) if names_in(word)), None)
        if first is None:
            raise NotApplicable("the program is not given its server as an argument")
        if wrong == "none":
            return self.start(argv=expand_argv(run[:first], {}))
        port = next((place for place, word in enumerate(run) if "peer_port" in names_in(word)), None)
        if port is None:
            raise NotApplicable("the program is not given {peer_port} as an argument")
        values = self.stage.values(self.stage.address)
        if wrong == "no-port":
            if port == first:
                raise NotApplicable("the port is the first argument")
            return self.start(argv=expand_argv(run[:port], values))
        if self.stage.assignment.contract.retry:
            raise NotApplicable("whatever the port is, the client may try again for a while (contract.retry)")
        text = {"word": "abc", "negative": "-1", "too-large": "70000"}[wrong]
        return self.start(argv=expand_argv(run, {**values, "peer_port": text}))

    def run_twice(self) -> None:
        """Run the program to its end, and once more at once."""
        server = cast(ReferenceServer, self.server())
        first = self.start(server)
        first.converse()
        came_from = first.connection.came_from
        again = self.start(server)
        try:
            again.converse()
        except Violation as violation:
            raise Violation(
                f"run once more, right after the first time: {violation.observed}",
                kind="second-run",
                **violation.facts,
            ) from None
        if again.program.bound and again.connection.came_from == came_from:
            raise Violation(
                f"it came from port {came_from} both times: it is bound to that.", kind="fixed-port"
            )
