"""What one check plays on: a private network, the built program, and everything that must be cleared away."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from harness.assignment.assignment import Assignment
from harness.assignment.limits import Limits
from harness.assignment.placeholders import expand_argv, expand_env, names_in
from harness.assignment.profiles._base import Profile
from harness.assignment.profiles._files import FileServerProfile
from harness.observe.sock_diag import SockDiag
from harness.stage import sight
from harness.stage.address import Address
from harness.stage.documents import DocumentRoot
from harness.stage.instance import Instance
from harness.stage.server import Server
from harness.subject.build import Built
from harness.subject.launch import Launcher
from harness.subject.network import Network
from harness.subject.program import Program
from harness.verdict.outcome import Blocked, Inconclusive, NotApplicable, Violation
from harness.verdict.show import shown_command
from harness.verdict.timeline import Timeline

#: Addresses of documentation (RFC 5737, RFC 3849), given to the loopback device of a network of our own.
EXTRA_IPV4, EXTRA_IPV6 = "192.0.2.1", "2001:db8::1"


class _Closable(Protocol):
    def close(self) -> None: ...


_T = TypeVar("_T", bound=_Closable)

#: CPU seconds for a program that has a thousand clients at once; a chat tells each of them of all others.
CPU_FOR_MANY = 60


class Memory:
    """What the checks of one run tell each other: that the program does not start, does not end, or has been spinning."""

    def __init__(self) -> None:
        self.does_not_start: Blocked | None = None
        self.does_not_end: Blocked | None = None
        self.spins = False


class Stage:
    """The stage of one check.  Everything made on it is closed with it, last made first."""

    def __init__(
        self,
        assignment: Assignment,
        built: Built,
        launcher: Launcher,
        network: Network,
        seed: str,
        memory: Memory,
    ) -> None:
        self.assignment = assignment
        self.built = built
        self.launcher = launcher
        self.network = network
        self.memory = memory
        self.random = random.Random(seed)
        self.timeline = Timeline()
        self._closing = contextlib.ExitStack()
        self._names: dict[str, int] = {}
        self._tokens = self.random.randrange(1000, 9000)
        self.diag = self._closing.enter_context(SockDiag())
        self._first: Address | None = None
        self._rendezvous: Path | None = None
        self.instances: list[Instance] = []
        #: The command line of each instance, for a sentence.
        self.commands: dict[str, str] = {}
        #: The directory it hands out, for a server of files.
        self.documents: DocumentRoot | None = None
        self.profile: Profile = assignment.profile
        if isinstance(assignment.profile, FileServerProfile):
            self.documents = self.adopt(DocumentRoot())
            self.profile = assignment.profile.furnished(self.documents)

    def close(self) -> None:
        """End every program and close every socket of this check."""
        self._closing.close()

    def adopt(self, thing: _T) -> _T:
        """Close *thing* with the stage."""
        self._closing.callback(thing.close)
        return thing

    def next_name(self, what: str) -> str:
        """``client 1``, ``client 2``, ..."""
        self._names[what] = self._names.get(what, 0) + 1
        return f"{what} {self._names[what]}"

    def next_token(self) -> int:
        """A number that no other request of this check has."""
        self._tokens += 1
        return self._tokens

    # -- addresses ---------------------------------------------------------------------------

    @property
    def address(self) -> Address:
        """The address at which this check asks the program to serve."""
        if self._first is None:
            self._first = self.new_address()
        return self._first

    def new_address(self, *, length: int | None = None, high: bool = False) -> Address:
        """An address nobody uses; *length* is that of the path in bytes (UNIX only), *high* as for `Network.port`."""
        transport = self.assignment.transport
        if transport.startswith("unix-") and self.assignment.contract.abstract:
            return Address(transport, path=f"@sockspec-{os.getpid()}-{self.next_name('s').replace(' ', '')}")
        if transport.startswith("unix-"):
            return Address(transport, path=self._new_path(length))
        host = "::1" if transport in ("tcp6", "udp6") else "127.0.0.1"
        return Address(transport, host, self.assignment.contract.peer_port or self.network.port(high=high))

    @property
    def longest_path(self) -> int:
        """Bytes of the longest path that a UNIX socket of the program can have: sun_path less its NUL (unix(7)).

        The JDK wants one byte more for itself and throws SocketException before it asks the kernel.
        """
        return 106 if os.path.basename(self.built.run[0]) == "java" else 107

    @property
    def rendezvous(self) -> Path:
        """A directory that the program and our peers see under the same, short, path."""
        if self._rendezvous is None:
            self._rendezvous = self._closing.enter_context(self.launcher.rendezvous())
        return self._rendezvous

    def _new_path(self, length: int | None) -> str:
        name = self.next_name("s").replace(" ", "")
        path = os.path.join(self.rendezvous, name)
        return path if length is None else path + "x" * (length - len(path))

    @contextlib.contextmanager
    def occupied(self, address: Address) -> Iterator[None]:
        """Hold *address* ourselves, so that nobody else can bind it: wildcard, listening, no option set."""
        family = socket.AF_INET6 if ":" in address.host or address.transport == "tcp-dual" else socket.AF_INET
        with socket.socket(family, address.type) as holder:
            if family == socket.AF_INET6:
                holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            holder.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", address.port))
            if address.type == socket.SOCK_STREAM:
                holder.listen()
            self.timeline.record("peer", f"took port {address.port} before the program starts")
            yield

    # -- starting the program ----------------------------------------------------------------

    def command(self, address: Address) -> list[str]:
        """The command line that asks the program to serve *address*."""
        return expand_argv(self.built.run, self.values(address))

    def start(
        self,
        address: Address | None = None,
        *,
        argv: list[str] | None = None,
        closed_stdio: bool = False,
        canary: bool = False,
        failing_accept: bool = False,
        limits: Limits | None = None,
    ) -> Server:
        """Start the program; it need not become ready.

        *argv* replaces the command line; *canary* puts an innocent process next to the program; with
        *failing_accept* its first accept(2) fails.
        """
        where = address or self.address
        command = argv if argv is not None else self.command(where)
        name = self.instance_name()
        program = self.launch(
            name,
            command,
            where,
            closed_stdio=closed_stdio,
            limits=limits,
            canary=canary,
            failing_accept=failing_accept,
        )
        instance = Server(self, program, where, name)
        self.instances.append(instance)
        return self.adopt(instance)

    def launch(
        self,
        name: str,
        command: list[str],
        where: Address,
        *,
        closed_stdio: bool = False,
        canary: bool = False,
        orphans: bool = False,
        failing_accept: bool = False,
        hosts: Path | None = None,
        values: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Program:
        """Start *command*, which is to serve, or to talk to, *where*; *hosts* is shown to it as /etc/hosts.

        *values* are what placeholders stand for in its environment.
        """
        self.commands[name] = shown_command(command)
        self.timeline.record(
            "peer",
            f"started {name}: {self.commands[name]}{' with descriptors 0, 1 and 2 closed' if closed_stdio else ''}",
        )
        program = self.launcher.start(
            command,
            files=self.built.directory,
            env=expand_env(self.assignment.program.env, values or self.values(where)),
            closed_stdio=closed_stdio,
            rendezvous=self.rendezvous if where.local else None,
            hosts=hosts,
            readable=() if self.documents is None else (self.documents.above,),
            limits=limits or self.assignment.limits,
            canary=canary,
            orphans=orphans,
            failing_accept=failing_accept,
            daemon=self.assignment.contract.daemon,
        )
        self._closing.callback(program.close)
        return program

    def values(self, where: Address) -> dict[str, str]:
        """What the placeholders stand for."""
        contract = self.assignment.contract
        fixed = {"peer_host": contract.peer_host} if contract.peer_host else {}
        root = {"root": str(self.documents.root)} if self.documents is not None else {}
        return {**where.placeholders(), "size": str(contract.size), "service": "http", **fixed, **root}

    def serve(
        self,
        address: Address | None = None,
        *,
        closed_stdio: bool = False,
        canary: bool = False,
        limits: Limits | None = None,
    ) -> Server:
        """Start the program and wait until it listens; if it does not, the check is blocked.

        A program that has failed to start in the ordinary way is not tried again in this run.
        """
        ordinary = not closed_stdio
        if ordinary and self.memory.does_not_start is not None:
            raise self.memory.does_not_start.with_traceback(None)
        server = self.start(address, closed_stdio=closed_stdio, canary=canary, limits=limits)
        try:
            server.become_ready()
        except Blocked as blocked:
            if ordinary and len(self.instances) == 1:
                self.memory.does_not_start = blocked
            raise
        return server

    def serve_with_failing_accept(self) -> Server:
        """Start the program and wait until it listens; its first accept(2) fails with ECONNABORTED."""
        if self.address.local:
            raise NotApplicable("a connection to a UNIX socket is never aborted before it is accepted")
        if self.memory.does_not_start is not None:
            raise self.memory.does_not_start.with_traceback(None)
        server = self.start(failing_accept=True)
        if not server.program.supervised:
            raise Inconclusive("accept() cannot be made to fail here: seccomp user notification is refused")
        try:
            server.become_ready()
        except Blocked:
            if server.program.accept_failed:  # it may have ended before we could see that it listened
                server.expect_to_outlive_failed_accept()
            raise
        return server

    def must_take(self, name: str) -> None:
        """The program is given the placeholder *name* on its command line; otherwise nothing is asked."""
        if not any(name in names_in(word) for word in self.built.run):
            raise NotApplicable(f"the program is not given {{{name}}} on its command line")

    def hosts_file(self, text: str) -> Path:
        """A file to show to a program as /etc/hosts (hosts(5))."""
        if not self.launcher.isolation.sandboxed:
            raise Inconclusive("without a sandbox of its own the program sees the /etc/hosts of this machine")
        path = self.rendezvous / self.next_name("hosts").replace(" ", "-")
        path.write_text(text)
        path.chmod(0o644)
        self.timeline.record("peer", f"gave the program an /etc/hosts with: {', '.join(text.splitlines())}")
        return path

    def serve_with_room(self, *, processes: int, descriptors: int = 0) -> Server:
        """Like :meth:`serve`, with limits for the program, and for ourselves, that are at least so high."""
        limits = self.assignment.limits
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < descriptors:
            raise Inconclusive(f"we may have {hard} descriptors ourselves, and {descriptors} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, descriptors), hard))
        self._closing.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        # From its start on: a program that has chosen a lower limit for itself (for select(2)) is to keep it.
        more = replace(
            limits,
            processes=max(limits.processes, processes),
            descriptors=max(limits.descriptors, descriptors),
            cpu_seconds=max(limits.cpu_seconds, CPU_FOR_MANY),
        )
        return self.serve(limits=more)

    def set_network(self, name: str, value: str) -> None:
        """Set a sysctl of this check's own network (ip-sysctl)."""
        self.timeline.record("peer", f"set net/{name} to {value}")
        if not self.network.set(name, value):
            raise Inconclusive(f"net/{name} cannot be set on this machine")

    @contextlib.contextmanager
    def file_in_the_way(self, content: bytes) -> Iterator[None]:
        """A regular file at the path the program is asked to serve; it must still be there afterwards."""
        path = Path(self.address.path)
        path.write_bytes(content)
        self.launcher.give(path)
        self.timeline.record("peer", f"put a regular file at {path}")
        yield
        if not path.is_file() or path.read_bytes() != content:
            raise Violation(f"the file at {path} was overwritten or removed.", kind="file-lost")

    def restart(self, first: Server) -> Server:
        """Start the program again where *first* served; not coming to listen is a violation."""
        again = self.start(first.address)
        try:
            again.expect_listening(fresh=False)
        except Violation as violation:
            known = {
                False: "the first instance had not set SO_REUSEADDR on its listening socket. Started again, ",
                True: "the first instance had set SO_REUSEADDR. Started again, ",
                None: "started again, ",
            }
            raise Violation(
                f"{known[first.reuses_address]}{violation.observed}",
                kind="no-restart",
                reuses=first.reuses_address,
                still_held=bool(first.serving()),
                **violation.facts,
            ) from None
        return again

    def command_with(self, arguments: list[str]) -> list[str]:
        """The command line with *arguments* instead of its port; none at all if there are none.

        What else it is given (a directory, say) stays in its place: the first of *arguments* stands where the port
        was, the others follow at the end.
        """
        run = self.built.run
        place = next((place for place, word in enumerate(run) if "port" in names_in(word)), None)
        if place is None:
            raise NotApplicable("the program is not given its port as an argument")
        if not arguments:
            return [word for word in run[:place] if not names_in(word)]
        return expand_argv(
            [*run[:place], arguments[0], *run[place + 1 :], *arguments[1:]], self.values(self.address)
        )

    def extra_address(self, address: Address) -> Address:
        """The same port on an address of this machine that is not loopback's usual one."""
        host = EXTRA_IPV6 if ":" in address.host else EXTRA_IPV4
        self.network.add_address(host)
        return address.on(host)

    def instance_name(self) -> str:
        """What to call the next instance."""
        number = len(self.instances) + 1
        return "the program" if number == 1 else f"instance {number} of the program"

    # -- preconditions -----------------------------------------------------------------------

    def require_time_wait(self, address: Address) -> None:
        """A connection of the first instance lingers in TIME_WAIT on its port; otherwise nothing can be said."""
        states = sight.tcp_states(self.diag, address.port)
        self.timeline.record("kernel", f"sockets left on port {address.port}: {', '.join(states) or 'none'}")
        if "TIME_WAIT" not in states:
            raise Inconclusive(
                f"no connection in TIME_WAIT could be produced on port {address.port} (found: {', '.join(states) or 'none'}), "
                "so a restart would prove nothing"
            )
