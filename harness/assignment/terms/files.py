"""What is agreed on for a server of files, and of scripts (HTTP)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.assignment.kinds import Flag, OneOf, Texts
from harness.assignment.role import Role
from harness.assignment.setting import setting

Target = Literal["slash", "bare"]
PercentDecoding = Literal["required", "unchecked"]
Symlinks = Literal["follow", "refuse", "unchecked"]
OtherMethods = Literal["refused", "unchecked"]
Unreadable = Literal["403", "403-or-404"]

_SERVERS = (Role.SERVER,)


@dataclass(frozen=True)
class Files:
    """Fields of the table ``[contract]``."""

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
