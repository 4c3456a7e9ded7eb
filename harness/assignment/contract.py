"""The contract: what a profile leaves open and a suite must know.

The defaults ask only what the profile's text says (docs/decisions/0001-contract-defaults.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from harness.assignment.kinds import (
    ExitStatus,
    FileMode,
    Flag,
    Number,
    OneOf,
    Pattern,
    Patterns,
    StopStatuses,
    Text,
    Texts,
)
from harness.assignment.role import Role
from harness.assignment.setting import setting
from harness.assignment.transport import DATAGRAMS, INTERNET, STREAMS, TCPS, UNIXES, Families, Transport

Bind = Literal["localhost", "any", "unchecked"]
Lifetime = Literal["forever", "one-client", "until-terminator"]
Concurrency = Literal["sequential", "concurrent"]
Model = Literal["any", "event-loop", "thread", "process"]
PortReuse = Literal["required", "advised", "unchecked"]
Drain = Literal["finish-current", "drop", "unchecked"]
Closes = Literal["client", "server"]
Urgent = Literal["unchecked", "inline"]
Framing = Literal["none", "line", "crlf", "length", "fixed"]
Output = Literal["socket", "stdout", "stderr", "either"]
SelfEcho = Literal["forbidden", "required", "unchecked"]
Verbatim = Literal["required", "advised", "unchecked"]
AnswersFrom = Literal["server", "anyone"]
OnReset = Literal["reported", "any"]
Prints = Literal["exact", "text", "among"]
Target = Literal["slash", "bare"]
PercentDecoding = Literal["required", "unchecked"]
Symlinks = Literal["follow", "refuse", "unchecked"]
OtherMethods = Literal["refused", "unchecked"]
Unreadable = Literal["403", "403-or-404"]
StopStatus = int | Literal["signal", "any"]
EndStatus = int | Literal["any"]

_SERVERS = (Role.SERVER,)
_CLIENTS = (Role.CLIENT,)
_LOCALS = (Role.LOCAL,)
_NETWORKED = (Role.SERVER, Role.CLIENT)
_CONNECTED = (*STREAMS, Transport.UNIX_SEQPACKET)


@dataclass(frozen=True)
class Contract:
    """The table ``[contract]``."""

    bind: Bind = field(
        default="unchecked",
        metadata=setting(
            OneOf(get_args(Bind)),
            "Which addresses the server listens on: loopback only, all of them, or nobody asks.",
            roles=_SERVERS,
            transports=INTERNET,
        ),
    )
    families: Families = field(
        default="ipv4",
        metadata=setting(
            OneOf(get_args(Families)),
            "The IP families the program speaks; the transport decides it (tcp6: ipv6, tcp-dual: both).",
            transports=INTERNET,
        ),
    )
    lifetime: Lifetime = field(
        default="forever",
        metadata=setting(
            OneOf(get_args(Lifetime)),
            "How long it serves: until it is stopped, for one client, or until it gets the terminator.",
            roles=_SERVERS,
        ),
    )
    terminator: str = field(
        default="",
        metadata=setting(
            Text(),
            'The text that ends a server whose lifetime is "until-terminator".',
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    concurrency: Concurrency = field(
        default="sequential",
        metadata=setting(
            OneOf(get_args(Concurrency)),
            "Whether clients may be served one after another, or must be served side by side.",
            roles=_SERVERS,
        ),
    )
    clients: int = field(
        default=5,
        metadata=setting(
            Number(1, 10000),
            "How many clients a check brings along where the number is open.",
            roles=_SERVERS,
        ),
    )
    model: Model = field(
        default="any",
        metadata=setting(
            OneOf(get_args(Model)),
            "How it must serve clients: one thread for all, a thread each, a process each, or as it likes.",
            roles=_SERVERS,
        ),
    )
    port_reuse: PortReuse = field(
        default="required",
        metadata=setting(
            OneOf(get_args(PortReuse)),
            "Whether the server must be able to start again at once on its port (SO_REUSEADDR, socket(7)), "
            "or on its path, where a predecessor that was killed has left its socket file (unix(7)).",
            roles=_SERVERS,
            transports=(*TCPS, *UNIXES),
        ),
    )
    stop: Mapping[str, StopStatus] = field(
        default_factory=lambda: {"SIGTERM": 0, "SIGINT": 0},
        metadata=setting(
            StopStatuses(), "The agreed wait status for each stop signal; a signal left out is not asked for."
        ),
    )
    drain: Drain = field(
        default="unchecked",
        metadata=setting(
            OneOf(get_args(Drain)),
            "What a stop signal means for a reply under way: it is finished, it is dropped, or nobody asks.",
            roles=_SERVERS,
        ),
    )
    closes: Closes = field(
        default="client",
        metadata=setting(
            OneOf(get_args(Closes)),
            "Who closes the connection first.",
            roles=_NETWORKED,
            transports=_CONNECTED,
            by_profile=True,
        ),
    )
    framing: Framing = field(
        default="none",
        metadata=setting(
            OneOf(get_args(Framing)),
            "How a request ends; unless none, nothing may be answered before the request is complete.",
            roles=_NETWORKED,
            transports=STREAMS,
        ),
    )
    urgent: Urgent = field(
        default="unchecked",
        metadata=setting(
            OneOf(get_args(Urgent)),
            "Whether an urgent byte is a part of the data, in its place (SO_OOBINLINE, socket(7)).",
            roles=_SERVERS,
            transports=TCPS,
        ),
    )
    abstract: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether the server is given an abstract name, written @NAME, instead of a path (unix(7)).",
            roles=_SERVERS,
            transports=UNIXES,
        ),
    )
    daemon: bool = field(
        default=False,
        metadata=setting(
            Flag(), "Whether the server puts itself into the background (daemon(7)).", roles=_SERVERS
        ),
    )
    idle_timeout: float = field(
        default=0,
        metadata=setting(
            Number(0, unit="seconds; 0 is none", fractions=True),
            "After how long the program gives up on a silent peer.",
            roles=_NETWORKED,
        ),
    )
    retry: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether the client tries again: with growing pauses when nobody listens yet (TCP), "
            "or by sending once more when no answer comes (UDP).",
            roles=_CLIENTS,
        ),
    )
    gives_up_after: float = field(
        default=0,
        metadata=setting(
            Number(0, 60, unit="seconds; 0: nobody asks", fractions=True),
            "Within how long a client that tries again gives up, if the server never comes.",
            roles=_CLIENTS,
        ),
    )
    peer_host: str = field(
        default="",
        metadata=setting(
            Text(),
            "What {peer_host} is, if not a numeric address: a name such as localhost.",
            roles=_CLIENTS,
            transports=INTERNET,
        ),
    )
    peer_port: int = field(
        default=0,
        metadata=setting(
            Number(0, 65535, unit="0: any, as {peer_port} says"),
            "The port of the server, if it is fixed in the text of the assignment.",
            roles=_CLIENTS,
            transports=INTERNET,
        ),
    )
    exit_status: EndStatus = field(
        default=0,
        metadata=setting(
            ExitStatus(),
            "How a client ends whose conversation has gone well, or a program that talks to nobody else.",
            roles=(*_CLIENTS, *_LOCALS),
        ),
    )
    on_fin: EndStatus = field(
        default="any",
        metadata=setting(
            ExitStatus(),
            "How a client ends when the server closes the connection before the conversation is over (FIN).",
            roles=_CLIENTS,
            transports=_CONNECTED,
        ),
    )
    on_reset: OnReset = field(
        default="reported",
        metadata=setting(
            OneOf(get_args(OnReset)),
            "What is asked of a client whose connection is reset (RST) in the middle of an answer, or of what it sends: "
            "that it says so or ends with a status other than 0, or only that it ends.",
            roles=_CLIENTS,
            transports=_CONNECTED,
        ),
    )
    notices_fin: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether the client must notice that the server has closed also while it waits for its standard input.",
            roles=_CLIENTS,
            transports=_CONNECTED,
        ),
    )
    resolves: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether the client takes the name of a host, and tries every address that getaddrinfo(3) gives.",
            roles=_CLIENTS,
            transports=INTERNET,
        ),
    )
    answers_from: AnswersFrom = field(
        default="server",
        metadata=setting(
            OneOf(get_args(AnswersFrom)),
            "Whose datagrams the client takes for answers: those of the server it has asked only, or anyone's.",
            roles=_CLIENTS,
            transports=DATAGRAMS,
        ),
    )
    prints: Prints = field(
        default="text",
        metadata=setting(
            OneOf(get_args(Prints)),
            "What the client's standard output is: what it received, byte for byte; the same, but for line ends "
            "added at the end; or what it received among prompts and captions of its own.",
            roles=_CLIENTS,
            by_profile=True,
        ),
    )
    size: int = field(
        default=0,
        metadata=setting(
            Number(0, 1 << 30, unit="bytes; 0: as many as it likes"),
            "How many bytes the client writes; {size} on its command line.",
            roles=_CLIENTS,
            by_profile=True,
        ),
    )
    output: Output = field(
        default="socket",
        metadata=setting(
            OneOf(get_args(Output)),
            "Where the program puts its result; either is standard output or standard error, whichever it likes.",
            by_profile=True,
        ),
    )
    max_datagram: int = field(
        default=65507,
        metadata=setting(
            Number(1, 65527, unit="bytes"),
            "The largest datagram it must carry; 65507 is the most UDP over IPv4 has room for (udp(7)).",
            roles=_NETWORKED,
            transports=DATAGRAMS,
        ),
    )
    text: str = field(
        default="",
        metadata=setting(
            Pattern(),
            "What the program's text must match, from beginning to end.",
            roles=(*_SERVERS, *_LOCALS),
            by_profile=True,
        ),
    )
    lines: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            Patterns(),
            "What must be found in the program's output, each in a line of its own, in any order; "
            "the other lines are its own affair.",
            roles=_LOCALS,
            by_profile=True,
        ),
    )
    input: str = field(
        default="",
        metadata=setting(
            Text(), "What the program finds on its standard input.", roles=_LOCALS, by_profile=True
        ),
    )
    prints_port: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether the port of the service is printed with the addresses.",
            roles=_LOCALS,
            by_profile=True,
        ),
    )
    prefix: str = field(
        default="",
        metadata=setting(
            Pattern(),
            "What the server must put before the text of a line that it passes on or prints; left out, anything "
            "printable, or nothing. The first group in it, if there is one, is the id of the member who said it.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    join: str = field(
        default="",
        metadata=setting(
            Pattern(),
            "The line that the other members get when one joins; left out, nobody asks. "
            "The first group in it, if there is one, is the new member's id.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    leave: str = field(
        default="",
        metadata=setting(
            Pattern(),
            "The line that the other members get when one leaves; left out, nobody asks.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    self_echo: SelfEcho = field(
        default="unchecked",
        metadata=setting(
            OneOf(get_args(SelfEcho)),
            "Whether the line of a member comes back to that member as well.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    verbatim: Verbatim = field(
        default="advised",
        metadata=setting(
            OneOf(get_args(Verbatim)),
            "Whether lines are passed on exactly as they were typed, with the blanks at their ends, and empty ones too.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    longest_line: int = field(
        default=4000,
        metadata=setting(
            Number(64, 65535, unit="bytes, the line end included"),
            "The longest line it must carry; at a terminal nobody can type more than 4096 bytes (termios(3)).",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    mode: int | None = field(
        default=None,
        metadata=setting(
            FileMode(),
            "The permission bits the socket file must have; left out, nobody asks (unix(7), umask(2)).",
            roles=_SERVERS,
            transports=UNIXES,
        ),
    )

    target: Target = field(
        default="slash",
        metadata=setting(
            OneOf(get_args(Target)),
            'How the client names a file (HTTP): "GET /NAME", as every browser does, or "GET NAME".',
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    head: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether HEAD is answered as GET, without the body (HTTP).",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    keep_alive: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            'Whether a connection serves request after request, until "Connection: close" (HTTP/1.1); if not, the '
            "server closes after its first reply.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    pipelined: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether requests that arrive together are all answered, in order (HTTP; with keep_alive).",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    post: bool = field(
        default=False,
        metadata=setting(
            Flag(),
            "Whether a script gets the body of a POST on its stdin (HTTP).",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    percent_decoding: PercentDecoding = field(
        default="unchecked",
        metadata=setting(
            OneOf(get_args(PercentDecoding)),
            "Whether %20 in a request names a file with a blank (RFC 3986), or nobody asks.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    symlinks: Symlinks = field(
        default="unchecked",
        metadata=setting(
            OneOf(get_args(Symlinks)),
            "What becomes of a symbolic link that leads out of the root: it is followed, refused, or nobody asks.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    other_methods: OtherMethods = field(
        default="refused",
        metadata=setting(
            OneOf(get_args(OtherMethods)),
            "Whether a method the server does not know must be refused (HTTP), or nobody asks.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    unreadable: Unreadable = field(
        default="403",
        metadata=setting(
            OneOf(get_args(Unreadable)),
            "The status for a file that the server may not read; RFC 9110 also allows to hide it by 404.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    cgi_variables: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            Texts(),
            'The variables that a script must find in its environment, e.g. ["REQUEST_METHOD", "QUERY_STRING"] (RFC 3875).',
            roles=_SERVERS,
            by_profile=True,
        ),
    )

    def as_dict(self) -> dict[str, object]:
        """The fields by name, as the results (``assignment.contract``) show them."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        return values | lists | {"stop": dict(self.stop)}
