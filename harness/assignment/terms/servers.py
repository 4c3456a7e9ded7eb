"""What is agreed on for any server, and some of it for any program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.assignment.kinds import FileMode, Flag, Number, OneOf, Pattern, StopStatuses, Text
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
StopStatus = int | Literal["signal", "any"]

_SERVERS = (Role.SERVER,)
_LOCALS = (Role.LOCAL,)
_NETWORKED = (Role.SERVER, Role.CLIENT)
_CONNECTED = (*STREAMS, Transport.UNIX_SEQPACKET)


@dataclass(frozen=True)
class Servers:
    """Fields of the table ``[contract]``."""

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
    mode: int | None = field(
        default=None,
        metadata=setting(
            FileMode(),
            "The permission bits the socket file must have; left out, nobody asks (unix(7), umask(2)).",
            roles=_SERVERS,
            transports=UNIXES,
        ),
    )
