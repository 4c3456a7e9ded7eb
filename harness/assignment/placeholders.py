"""``{port}`` and its kin in command lines and environment values.

Doubled braces stand for themselves, as in Python's format strings; braces around
anything but a plain word are left alone, so that ``awk '{print $1}'`` needs no care.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.assignment.role import Role
from harness.assignment.transport import Transport

#: Every placeholder there is, and what it stands for.
PLACEHOLDERS: Mapping[str, str] = {
    "port": "the port the server listens on",
    "host": "the address the server listens on, as a numeric literal",
    "path": "the path of the UNIX socket",
    "root": "the directory whose files the server hands out",
    "peer_port": "the port of the server the client talks to",
    "peer_host": "the name or address of the server the client talks to",
    "service": "the service whose port is looked up: a name in /etc/services, or a number",
    "size": "how many bytes the client is to write",
}

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")


def names_in(text: str) -> list[str]:
    """The placeholders *text* uses, in order, known or not."""
    return [match[1] for match in _TOKEN.finditer(text) if match[1] is not None]


def expand(text: str, values: Mapping[str, object]) -> str:
    """*text* with its placeholders replaced; KeyError names one that has no value."""

    def replacement(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else str(values[match[1]])

    return _TOKEN.sub(replacement, text)


def expand_argv(argv: Iterable[str], values: Mapping[str, object]) -> list[str]:
    """Each word of *argv* expanded; a value with blanks in it stays one word."""
    return [expand(word, values) for word in argv]


def expand_env(env: Mapping[str, str], values: Mapping[str, object]) -> dict[str, str]:
    """The values of *env* expanded; the names are taken as they are."""
    return {name: expand(text, values) for name, text in env.items()}


def usable(role: Role, transport: Transport, extra: Iterable[str] = ()) -> tuple[str, ...]:
    """The placeholders that have a value for such a program; *extra* are those its profile adds."""
    if role is Role.LOCAL:
        own: tuple[str, ...] = ()
    elif transport.is_unix:
        own = ("path",)
    elif role is Role.CLIENT:
        own = ("peer_port", "peer_host")
    else:
        own = ("port", "host")
    return (*own, *extra)
