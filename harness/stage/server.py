"""A program that serves: clients of every sort, and what must still hold afterwards."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import cast

from harness.assignment.profiles._base import Audience, DatagramProfile, ServerProfile
from harness.observe import census
from harness.sizes import BIG, TINY_WINDOW
from harness.stage import sight
from harness.stage.address import Address
from harness.stage.background import Background
from harness.stage.client import Client
from harness.stage.datagram_client import DatagramClient
from harness.stage.feeding import SMALLEST, feed_until_it_holds_back
from harness.stage.member import Member
from harness.stage.patience import PATIENCE
from harness.stage.printing import PrintedClient, PrintedDatagramClient, Printing
from harness.stage.room import Room
from harness.stage.visits import take_leave, visit, visit_and_break_off, visit_in_groups
from harness.verdict.outcome import Inconclusive, NotApplicable, Violation
from harness.verdict.show import literal


class Server(Background):
    """A started instance whose profile is a server's; it listens.

    A program that ends by its contract, after one client or after the terminator, is started anew for the
    client that comes next: the same object then stands for the new instance.
    """

    #: Whether a client has come to this instance.
    _visited = False
    #: Whether this instance has been given its terminator.
    _concluded = False
    _printing: Printing | None = None
    _room: Room | None = None
    #: Whether the program is led from system call to system call, so that we cannot wait for what it does.
    stepped = False

    @property
    def serves_one(self) -> bool:
        """Whether the contract lets it end after its first client."""
        return self.contract.lifetime == "one-client"

    @property
    def endured_silence(self) -> float:
        """For how many idle seconds a client may be silent on purpose: long, but not until its contract gives it up."""
        agreed = self.contract.idle_timeout
        return min(PATIENCE, agreed / 2) if agreed else PATIENCE

    @property
    def printing(self) -> Printing:
        """What this instance prints for the datagrams that are sent to it from now on."""
        if self._printing is None:
            self._printing = Printing(self, cast(DatagramProfile, self.profile).printing)
        return self._printing

    @property
    def server_profile(self) -> ServerProfile:
        """The profile, known to be a server's."""
        return cast(ServerProfile, self.profile)

    def next_token(self) -> int:
        """A number no other request of this check has."""
        return self.stage.next_token()

    def client(self, *, at: str | None = None, receive_buffer: int | None = None) -> Client:
        """A new client, connected; *at* is another address of this machine, *receive_buffer* in bytes."""
        audience = self.server_profile.audience
        if receive_buffer is not None and audience is not Audience.CLIENT:
            raise NotApplicable(f"a client cannot read too slowly here: the program {audience.value}")
        self.be_fresh()
        if audience is Audience.OTHERS:
            return self.member(at=at)
        self._visited = True
        address = self.address if at is None else self.address.on(at)
        kind = PrintedClient if audience is Audience.READER else Client
        return self.stage.adopt(
            kind(self, self.stage.next_name("client"), address, receive_buffer=receive_buffer)
        )

    def datagram_client(self, *, at: str | None = None, named: bool = True) -> DatagramClient:
        """A new client with a datagram socket of its own; one that is not *named* cannot be answered (unix(7))."""
        self.be_fresh()
        address = self.address if at is None else self.address.on(at)
        kind = DatagramClient if self.contract.output == "socket" else PrintedDatagramClient
        return self.stage.adopt(kind(self, self.stage.next_name("client"), address, named=named))

    def serves(self, *, at: str | None = None) -> None:
        """One new client, *at* an address of this machine, gets its answer."""
        if self.address.type == socket.SOCK_DGRAM:
            self._serves_datagram(at)
            return
        client = self.client(at=at)
        client.exchange()
        client.leave()

    def _serves_datagram(self, at: str | None) -> None:
        client = self.datagram_client(at=at)
        client.exchange()
        client.close()

    # -- members of a chat -------------------------------------------------------------------

    @property
    def room(self) -> Room:
        """The members of this instance; they read all the time, whatever we wait for."""
        if self._room is None:
            self._room = Room(self)
            self._chores.append(self._room.pump)
        return self._room

    def member(self, *, at: str | None = None) -> Member:
        """A new member; there is always another one who listens."""
        if not self.room.somebody_listens and not self.program.frozen:
            self._join("a silent member", self.address)
        return self._join(self.stage.next_name("client"), self.address if at is None else self.address.on(at))

    def lazy_member(self) -> Member:
        """A member that never reads, with a small receive buffer."""
        return self._join("a lazy member", self.address, lazy=True)

    def _join(self, name: str, address: Address, *, lazy: bool = False) -> Member:
        buffer = TINY_WINDOW if lazy else None
        return self.stage.adopt(Member(self, self.room, name, address, receive_buffer=buffer, lazy=lazy))

    def admit(self) -> None:
        """Let the program accept everybody who has connected, unless we have stopped it."""
        if self.room.awaits and not (self.stepped or self.program.frozen):
            self.settle(progress=lambda: self.room.moved)
            self.room.admit()

    # -- ends that the contract knows --------------------------------------------------------

    def be_fresh(self) -> None:
        """See to it that a client that comes now is served: start anew what has had its only client, or its terminator."""
        if self.serves_one and self._visited:
            self.expect_no_crash()
            self._renew(self.stage.new_address())
        elif self._concluded:
            self._renew(self.address)

    def _renew(self, address: Address) -> None:
        self.close()
        fresh = self.stage.serve(address)
        # In exchange *fresh* stands for the one that is over, so that the report tells the output of each once.
        self.program, fresh.program = fresh.program, self.program
        self.oracle, fresh.oracle = fresh.oracle, self.oracle
        self.address, fresh.address = fresh.address, self.address
        self.name, fresh.name = fresh.name, self.name
        self._said_end = self._visited = self._concluded = False
        self._printing = self._room = None
        self._chores.clear()

    def expect_no_crash(self) -> None:
        """Whatever the program does after its client, it is not killed by a signal."""
        self.settle()
        if (status := self.status) is not None and status.signal is not None:
            raise Violation(
                f"after its client it was {status}.{self.last_words()}", kind="died", **self.facts()
            )

    def expect_own_end(self) -> None:
        """The program ends by itself, with status 0, since its contract says that it has done enough."""
        self.timeline.record("peer", "waited for the program to end by itself")
        self.expect_end(0)

    def conclude(self) -> bool:
        """Send the terminator, so that a program that ends by it prints what it may have kept in its buffer.

        False if there is none, or the program is gone already.
        """
        terminator = self.contract.terminator
        if not terminator or self.address.type != socket.SOCK_DGRAM or self.status is not None:
            return False
        self._concluded = True
        client = self.stage.adopt(DatagramClient(self, self.stage.next_name("client"), self.address))
        client.send_terminator(terminator)
        self.until(lambda: self.program.status is not None)
        return True

    def almost_terminators(self) -> list[bytes]:
        """Texts that are not the terminator: its beginning, its end, longer ones, and it in other letters (ASCII case)."""
        whole = self.contract.terminator.encode()
        parts = [whole[:-1], whole[1:]] if len(whole) > 1 else []
        longer = [whole + b"AndSoOnAndOn", b"ThisIsNotThe" + whole]
        other_case = whole.swapcase()
        return [*parts, *longer, *([other_case] if other_case != whole else [])]

    def expect_not_ended_by(self, text: bytes) -> None:
        """The program goes on after *text*, which is not its terminator."""
        self.settle()
        if (status := self.status) is not None and status.signal is None:
            raise Violation(
                f"the program ended ({status}) after the datagram {literal(text)}; its terminator is "
                f"{literal(self.contract.terminator.encode())} and nothing else.",
                kind="not-the-terminator",
                **self.facts(),
            )
        self.expect_running()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop every process of the program (SIGSTOP), act, and let it go on (SIGCONT)."""
        self.prepare()
        with super().paused():
            yield

    def prepare(self) -> None:
        """See to it that a client that comes from now on, whatever we do to the program meanwhile, is answered."""
        self.be_fresh()
        profile = self.profile
        if isinstance(profile, ServerProfile) and profile.audience is Audience.OTHERS:
            if not self.room.somebody_listens:
                self._join("a silent member", self.address)
            self.admit()

    def expect_to_outlive_failed_accept(self) -> None:
        """An accept(2) that fails with ECONNABORTED, as it was made to, does not end the program."""
        self.settle()
        if not self.program.accept_failed:
            raise Inconclusive("the program has not called accept(), so that call could not be made to fail")
        self.timeline.record("kernel", "accept() failed with ECONNABORTED (we made it)")
        if (status := self.status) is not None:
            raise Violation(
                f"when accept() failed with ECONNABORTED, which says that a client has gone again, the program ended: {status}.{self.last_words()}",
                kind="died",
                **self.facts(),
            )

    def calm_down(self) -> None:
        """Let the program do all that it will do by itself, after pauses of its own too (asyncio, after EMFILE)."""
        self.settle(patience=PATIENCE)

    def still_serves(self) -> None:
        """Afterwards the program is not gone, does not spin, and serves a new client.

        One that serves a single client, and has had it, has ended by itself, with status 0.
        """
        self.settle()
        if self.serves_one and self._visited:
            self.expect_own_end()
            return
        if self._concluded:
            self.be_fresh()
        if self.serves_one and self.address.local and self.status is not None and self.status.code == 0:
            return  # its only client was another instance, which connected to see whether it lives (unix(7) has no other way)
        if (status := self.status) is not None:
            raise Violation(
                f"afterwards the program is gone: {status}.{self.last_words()}", kind="died", **self.facts()
            )
        try:
            self.serves()
        except Violation as violation:
            raise Violation(
                f"afterwards the program does not serve a new client: {violation.observed}",
                kind=violation.kind,
                afterwards=True,
                **violation.facts,
            ) from None

    # -- clients in numbers ------------------------------------------------------------------

    def serves_in_numbers(self, clients: int) -> None:
        """So many *clients* come, get their answers, and leave."""
        visit_in_groups(self, clients)

    def meet_clients(self) -> None:
        """One client is connected and has had an answer; not if the server would end after it."""
        if self.address.type == socket.SOCK_DGRAM:
            self.datagram_client().ask()
            self.settle()
        elif not self.serves_one:
            self.client().engage()

    def client_that_is_gone(self, moment: str) -> None:
        """A client that resets its connection before the program begins to write to it, or in the middle of that."""
        if self.server_profile.audience is Audience.OTHERS:
            self._member_that_is_gone(moment)
        elif moment == "in_the_answer":
            client = self.busy_client()
            client.abort()
        else:
            with self.paused():  # so the request is there to be read, and the RST behind it
                client = self.client()
                client.ask()
                client.abort()
        self.settle()

    def _member_that_is_gone(self, moment: str) -> None:
        if moment == "in_the_answer":
            raise NotApplicable(
                "the program may cut off a member who does not read: nothing is ever half written"
            )
        speaker, leaver = cast(Member, self.client()), cast(Member, self.client())
        leaver.exchange()
        leaver.abort_unnoticed(speaker)
        speaker.leave()

    def take_leave(self, clients: Sequence[Client]) -> None:
        """All of them get the answer that they are owed, in whatever order, and end their conversations in order."""
        take_leave(self, clients)

    def before_and_after_clients(
        self, more: int = 50, *, some_abort: bool = False
    ) -> tuple[census.Census, census.Census]:
        """What the program holds after ten clients, and after so many *more*; all have left."""
        come = visit_and_break_off if some_abort else visit_in_groups
        come(self, 10)
        before = self.holdings()
        come(self, more)
        return before, self.holdings()

    def crowd(self, number: int) -> list[Client]:
        """*number* clients, or as many as the program accepts and its queue holds: a short queue is judged elsewhere.

        One, if the program serves no more than that.
        """
        clients: list[Client] = []
        number = 1 if self.serves_one else number
        while len(clients) < number:
            if self.queue_is_full(self.address) and not self.program.frozen:
                self.settle()
            if self.queue_is_full(self.address):
                break
            clients.append(self.client())
        return clients

    def clients_at_once(self, number: int) -> list[Client]:
        """*number* clients side by side, or one if the program may serve one at a time."""
        return [self.client() for _ in range(number if self.contract.concurrency == "concurrent" else 1)]

    def clients_that_leave_at_once(self) -> None:
        """Clients whose ends the program learns of all at once; one by one if it serves only one at a time."""
        if self.contract.concurrency != "concurrent":
            visit(self, 10)
            return
        clients = [self.client() for _ in range(20)]
        for client in clients:
            client.be_served()
        with self.main_process_stopped():
            for client in clients:
                client.leave_unread()
            self.settle()

    def expect_flat_memory(self, *, warm_up: int, clients: int) -> None:
        """Memory after *warm_up* clients is enough for *clients* more, or after those for as many again.

        A leak goes on; a worker that was never woken before, and now touches its pages, does so once.
        """
        self.require_unmanaged()
        visit_in_groups(self, warm_up)
        self.settle(patience=PATIENCE)
        with contextlib.suppress(Violation):
            self._expect_flat_memory(clients)
            return
        self._expect_flat_memory(clients)

    def _expect_flat_memory(self, clients: int) -> None:
        before = self.resident()
        visit_in_groups(self, clients)
        self.settle(patience=PATIENCE)
        self.expect_flat(before, self.resident(), clients)

    def busy_client(self) -> Client:
        """A client whose large answer is under way: it has finished sending and does not read."""
        client = self.client(receive_buffer=TINY_WINDOW)
        client.ask(size=BIG)
        client.complete()
        client.fill()
        return client

    def answering_client(self) -> Client:
        """A client whose answer the program holds in part: it has read every request, and we have read no answer."""
        if not self.server_profile.piecemeal:
            return self.busy_client()
        only_one = self.contract.lifetime == "one-client"
        for smallest in SMALLEST:
            client = self.client(receive_buffer=TINY_WINDOW)
            if feed_until_it_holds_back(client, smallest) or smallest == SMALLEST[-1] or only_one:
                break
            client.open_window()
            client.leave()
        client.complete()
        self.settle()
        return client

    def require_no_process_for_each_client(self) -> None:
        """One process has the connections of all clients, so that their number can be too much for it."""
        before = len(self.program.members())
        few = [self.client() for _ in range(3)]
        self.settle()
        if len(self.program.members()) - before >= len(few):
            raise NotApplicable("a process for each client never has many descriptors")

    def expect_alive_with_more_than_a_set(self, clients: Sequence[Client]) -> None:
        """With more than FD_SETSIZE descriptors it serves on; it may turn clients away, but not break."""
        self.settle()
        for client in clients[:20]:
            client.exchange()
            client.leave()
        for client in clients[20:]:
            client.vanish()
        self.still_serves()

    def expect_no_new_client(self) -> None:
        """A client that comes now is refused, or waits in vain; a program that has ended takes nobody."""
        if self.status is not None or not self.is_listening():
            return
        try:
            late = self.client()
        except Violation as violation:
            if violation.kind in ("refused", "queue-full"):
                return  # it has stopped listening between our look and our client, or accepts nobody
            raise
        late.ask()
        late.expect_unserved()

    def datagram_clients_everywhere(self) -> list[DatagramClient]:
        """A client at each address of this machine on which the program serves."""
        hosts = [self.address.host]
        if (
            any(sight.host_of(at) in ("0.0.0.0", "::") for at in self.serving())
            and self.address.host == "127.0.0.1"
        ):
            hosts.append("127.0.0.2")
        return [self.datagram_client(at=host) for host in hosts]

    # -- the kernel's view -------------------------------------------------------------------

    def has_read(self, ours: socket.socket) -> bool:
        """Whether the program has read everything that arrived from *ours* (its receive queue is empty)."""
        return sight.unread(self.stage.diag, ours) == 0

    def far_end(self, ours: socket.socket) -> str | None:
        """The TCP state of the program's end of *ours*, None if it has none any more."""
        theirs = sight.far_end(self.stage.diag, ours)
        return theirs.state.name if theirs is not None else None
