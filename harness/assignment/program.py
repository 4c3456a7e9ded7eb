"""How a submission is built and started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.assignment.kinds import Argv, Command, Environment, OneOf
from harness.assignment.role import Role
from harness.assignment.setting import setting
from harness.assignment.transport import Transport

Ready = Literal["listening", "bound", "started"]


@dataclass(frozen=True)
class ProgramSpec:
    """The table ``[program]``."""

    build: str | tuple[str, ...] | None = field(
        default=None,
        metadata=setting(Command(), "How to build, in a copy of the submission; left out: by file type."),
    )
    run: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            Argv(),
            "How to start it, with placeholders; left out: by file type, and a server is given {port} or {path} (and {root} if "
            "it hands out files), a client {peer_host} and {peer_port}, or {path}.",
        ),
    )
    env: Mapping[str, str] = field(
        default_factory=dict,
        metadata=setting(Environment(), "Environment variables of the program; values may use placeholders."),
    )
    ready: Ready | None = field(
        default=None,
        metadata=setting(
            OneOf(get_args(Ready)),
            "What makes the program ready: a listening socket, a bound socket, or having started; "
            "left out: by transport.",
        ),
    )


def default_ready(role: Role, transport: Transport) -> Ready:
    """When a program of this sort is ready; decided by looking at its sockets, never by a connect."""
    if role is not Role.SERVER:
        return "started"
    return "bound" if transport.is_datagram else "listening"
