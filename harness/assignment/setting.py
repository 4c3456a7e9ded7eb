"""The field table: what a field of the assignment file means, and who may set it.

Each field of :class:`Contract`, :class:`Limits`, ... is declared once, with :func:`setting`
as its metadata; validation, ``sockspec explain`` and docs/assignment-file.md read that
one declaration.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.assignment.kinds import Kind
from harness.assignment.role import Role
from harness.assignment.transport import Transport

_KEY = "setting"


@dataclass(frozen=True)
class Setting:
    """One field: its kind (type and allowed values), its meaning, and where it has a meaning at all."""

    kind: Kind
    meaning: str
    roles: tuple[Role, ...]
    transports: tuple[Transport, ...]
    by_profile: bool
    """Only a profile that lists the field in its ``options`` looks at it."""
    name: str = ""
    default: object = None

    @property
    def scope(self) -> str:
        """For which programs the field has a meaning, in words; empty if for all."""
        parts = []
        if self.roles != tuple(Role):
            parts.append(" and ".join(f"{role.noun}s" for role in self.roles))
        if self.transports != tuple(Transport):
            parts.append("over " + ", ".join(self.transports))
        if self.by_profile:
            parts.append("if the profile looks at it")
        return " ".join(parts)


def setting(
    kind: Kind,
    meaning: str,
    *,
    roles: tuple[Role, ...] = tuple(Role),
    transports: tuple[Transport, ...] = tuple(Transport),
    by_profile: bool = False,
) -> Mapping[str, Setting]:
    """The metadata of a dataclass field that is a line of the field table."""
    return {_KEY: Setting(kind, meaning, roles, transports, by_profile)}


def settings_of(owner: type[Any]) -> Mapping[str, Setting]:
    """The field table of the dataclass *owner*, by field name, in the order of declaration."""
    table: dict[str, Setting] = {}
    for field in dataclasses.fields(owner):
        if _KEY in field.metadata:
            factory = field.default_factory
            default = field.default if factory is dataclasses.MISSING else factory()
            table[field.name] = dataclasses.replace(field.metadata[_KEY], name=field.name, default=default)
    return table
