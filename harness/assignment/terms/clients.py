"""What is agreed on for a client, and for a program that talks to nobody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.assignment.kinds import ExitStatus, Flag, Number, OneOf, Patterns, Text
from harness.assignment.role import Role
from harness.assignment.setting import setting
from harness.assignment.transport import DATAGRAMS, INTERNET, STREAMS, Transport

AnswersFrom = Literal["server", "anyone"]
OnReset = Literal["reported", "any"]
Prints = Literal["exact", "text", "among"]
EndStatus = int | Literal["any"]

_CLIENTS = (Role.CLIENT,)
_LOCALS = (Role.LOCAL,)
_CONNECTED = (*STREAMS, Transport.UNIX_SEQPACKET)


@dataclass(frozen=True)
class Clients:
    """Fields of the table ``[contract]``."""

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
