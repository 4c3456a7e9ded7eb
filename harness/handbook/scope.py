"""To which programs a check applies, in words, found by asking its own conditions.

The conditions of a check are functions of an assignment.  Instead of describing each a second time,
all profiles and transports are tried, and each field of the contract is varied on its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from harness.assignment.assignment import Assignment
from harness.assignment.contract import Contract
from harness.assignment.kinds import FileMode, Flag, Kind, Number, OneOf, Pattern, StopStatuses, Texts
from harness.assignment.manifest import from_options
from harness.assignment.problem import either
from harness.assignment.profiles import find_profile, profile_names
from harness.assignment.role import Role
from harness.assignment.setting import settings_of
from harness.checks import Check
from harness.house import HOUSE
from harness.verdict.outcome import Level


@dataclass(frozen=True)
class Scope:
    """Where a check applies."""

    roles: tuple[str, ...]
    transports: tuple[str, ...]
    profiles: tuple[str, ...]
    """Empty if every profile that can have these transports will do."""
    fields: tuple[str, ...]
    """What the contract must say: ``contract.lifetime is "forever"``."""
    levels: tuple[str, ...]
    """The level, or what each value of a field makes of it: ``MUST if contract.bind is "any"``."""

    def __str__(self) -> str:
        where = (
            f"{' and '.join(f'{Role(role).noun}s' for role in self.roles)} over {', '.join(self.transports)}"
        )
        profile = f" with the profile {either(self.profiles)}" if self.profiles else ""
        asked = f", if {' and '.join(self.fields)}" if self.fields else ""
        return where + profile + asked


Question = Callable[[Assignment], object]


@dataclass(frozen=True)
class _Variant:
    """The default assignment of a profile over a transport, and the same with one field changed."""

    base: Assignment
    changed: dict[str, list[tuple[str, Assignment]]]

    def all(self) -> Iterator[Assignment]:
        yield self.base
        for variants in self.changed.values():
            yield from (assignment for _, assignment in variants)


def _samples(kind: Kind) -> list[tuple[str, object]]:
    """Values that a condition may tell apart, each after how one says it: ``is "any"``."""
    if isinstance(kind, OneOf):
        return [(f'"{word}"', word) for word in kind.words]
    if isinstance(kind, Flag):
        return [("true", True), ("false", False)]
    if isinstance(kind, StopStatuses):
        return [("not empty", {"SIGTERM": 0}), ("empty", {})]
    if isinstance(kind, Number) and kind.least == 0:
        return [("0", 0), ("more than 0", 1)]
    if isinstance(kind, FileMode):
        return [("left out", None), ("given", 0o600)]
    if isinstance(kind, Texts):
        return [("empty", ()), ("not empty", ("TEXT",))]
    if isinstance(kind, Pattern):
        return [("left out", ""), ("given (with a group)", "(.*)")]
    return []


@functools.cache
def _variants() -> tuple[_Variant, ...]:
    found = []
    for name in profile_names():
        for transport in find_profile(name, HOUSE).transports:
            base = from_options(profile=name, transport=transport)
            changed = {
                field: [(said, _with(base, field, value)) for said, value in _samples(entry.kind)]
                for field, entry in settings_of(Contract).items()
            }
            found.append(_Variant(base, changed))
    return tuple(found)


def _with(assignment: Assignment, field: str, value: object) -> Assignment:
    contract = replace(assignment.contract, **{field: value})  # type: ignore[arg-type]
    return replace(assignment, contract=contract, profile=assignment.profile.under(contract))


def _holds(condition: Question, variant: _Variant) -> bool:
    """Whether *condition* can be met over this transport, whatever the contract must say for it."""
    return any(condition(assignment) is None for assignment in variant.all())


@functools.cache
def scope_of(check: Check) -> Scope:
    """Where *check* applies."""
    asked: Question = lambda assignment: None if check.level_for(assignment) is not None else "not asked"  # noqa: E731
    conditions: list[Question] = [*check.only, asked]
    fitting = [v for v in _variants() if all(_holds(condition, v) for condition in conditions)]
    bases = [variant.base for variant in fitting]
    transports = tuple(dict.fromkeys(base.transport.value for base in bases))
    profiles = tuple(dict.fromkeys(base.profile.name for base in bases))
    possible = {v.base.profile.name for v in _variants() if v.base.transport.value in transports}
    return Scope(
        roles=tuple(dict.fromkeys(base.profile.role.value for base in bases)),
        transports=transports,
        profiles=() if set(profiles) == possible else profiles,
        fields=tuple(word for condition in check.only for word in _fields(condition, fitting)),
        levels=_levels(check, fitting),
    )


def _fields(condition: Question, fitting: list[_Variant]) -> Iterator[str]:
    """Which values of a field *condition* insists on."""
    for variant in fitting[:1]:
        for field, changed in variant.changed.items():
            met = [said for said, assignment in changed if condition(assignment) is None]
            if met and len(met) < len(changed):
                yield f"contract.{field} is {either(met)}"


def _levels(check: Check, fitting: list[_Variant]) -> tuple[str, ...]:
    if isinstance(check.level, Level):
        return (check.level.value.upper(),)
    for variant in fitting[:1]:
        for field, changed in variant.changed.items():
            by_level: dict[Level | None, list[str]] = {}
            for said, assignment in changed:
                by_level.setdefault(check.level_for(assignment), []).append(said)
            if len(by_level) > 1:
                return tuple(
                    f"{level.value.upper()} if contract.{field} is {either(words)}"
                    for level, words in by_level.items()
                    if level is not None
                )
    return tuple(sorted({level.value.upper() for v in fitting if (level := check.level_for(v.base))}))


def level_word(check: Check) -> str:
    """The level without an assignment: ``must``, or the field that decides it."""
    if isinstance(check.level, Level):
        return check.level.value
    field = getattr(check.level, "field", "")
    return f"by {field}" if field else "by contract"
