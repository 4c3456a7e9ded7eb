"""The command line that runs one check: the most natural profile, and what must be set so that the check is asked.

The conditions of a check are asked, as in `harness.handbook.scope`; nothing is described a second time.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from harness.assignment.assignment import Assignment
from harness.assignment.contract import Contract
from harness.assignment.kinds import FileMode, Flag, Kind, Number, OneOf, Pattern, Texts
from harness.assignment.manifest import from_options
from harness.assignment.problem import AssignmentError
from harness.assignment.profiles import find_profile, profile_names
from harness.assignment.setting import settings_of
from harness.checks import Check, Condition
from harness.handbook.choice import PATH
from harness.house import HOUSE
from harness.run.options import Options

#: The profiles that one thinks of first, then those that are known well; all others; and what is known to few.
_TIERS = (
    ("echo", "udp-echo", "pipe-client", "udp-int32"),
    ("http-file", "http-cgi", "sink", "greeter", "fetch", "writer", "udp-fetch", "udp-print", "socketpair", "resolver"),
    None,
    ("chat",),
    ("dialogue",),
)  # fmt: skip
#: So many fields may be set rather than to speak of a profile of the next tier.
_FIELDS_A_TIER = 2

#: Fields without which another one says nothing.
_WITH = {"pipelined": "contract.keep_alive=true"}

#: A dialogue has to have steps.
_STEPS = 'dialogue.steps=[{ send = "HELLO\\n" }, { expect = "WELCOME\\n" }]'

#: What to write where any text would do, or where the choice is open.
_SAMPLES = {
    "prefix": ("'client (\\d+): '",),
    "join": ("'client (\\d+) has come'",),
    "leave": ("'client (\\d+) has gone'",),
    "cgi_variables": ('["REQUEST_METHOD", "QUERY_STRING"]',),
    "idle_timeout": ("1",),
    "gives_up_after": ("5",),
    "terminator": ("the end",),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A profile, a transport and what to --set."""

    profile: str
    transport: str
    sets: tuple[str, ...] = ()

    def assignment(self) -> Assignment:
        """What it describes; raises AssignmentError."""
        return from_options(profile=self.profile, transport=self.transport, sets=list(self.sets))

    def command(self, check_id: str) -> str:
        """The command line that runs the one check, for a shell."""
        options = Options(PATH, profile=self.profile, transport=self.transport, sets=list(self.sets))
        return options.as_command(select=check_id)


@functools.cache
def suggestion_for(check: Check) -> Suggestion | None:
    """What runs *check*: a natural profile, and as little to set as possible; None if nothing does."""
    best: tuple[int, Suggestion] | None = None
    for tier, base in _bases():
        cost = tier * _FIELDS_A_TIER
        if best is not None and cost >= best[0]:
            break  # neither this one nor any after it is better
        if (found := _made_to_ask(check, base)) is not None:
            cost += len(found.sets) - len(base.sets)
            best = min(best or (cost, found), (cost, found), key=lambda one: one[0])
    return best[1] if best is not None else None


@functools.cache
def _bases() -> tuple[tuple[int, Suggestion], ...]:
    """Every profile over each of its transports, the most natural first, with its tier."""
    named = {name for tier in _TIERS for name in tier or ()}
    found = []
    for number, tier in enumerate(_TIERS):
        for name in tier or [name for name in profile_names() if name not in named]:
            for transport in find_profile(name, HOUSE).transports:
                steps = (_STEPS,) if name == "dialogue" else ()
                found.append((number, Suggestion(name, transport.value, steps)))
    return tuple(found)


def _made_to_ask(check: Check, base: Suggestion) -> Suggestion | None:
    """*base* with a field set for each condition of *check* that it does not meet; None if that is not possible."""
    is_asked: Condition = lambda assignment: None if check.level_for(assignment) is not None else "not asked"  # noqa: E731
    found = base
    for condition in (*check.only, is_asked):
        if _holds(condition, found):
            continue
        changed = (replace(found, sets=(*found.sets, *one)) for one in _changes())
        met = next((one for one in changed if _holds(condition, one)), None)
        if met is None:
            return None
        found = met
    return found if _holds(check.why_not, found) else None


def _holds(condition: Condition, suggestion: Suggestion) -> bool:
    assignment = _assignment(suggestion)
    return assignment is not None and condition(assignment) is None


@functools.cache
def _assignment(suggestion: Suggestion) -> Assignment | None:
    try:
        return suggestion.assignment()
    except AssignmentError:
        return None


@functools.cache
def _changes() -> tuple[tuple[str, ...], ...]:
    """Everything that --set can change in the contract, one field at a time."""
    return tuple(
        (*((_WITH[field],) if field in _WITH else ()), f"contract.{field}={text}")
        for field, entry in settings_of(Contract).items()
        for text in _SAMPLES.get(field) or _texts(entry.kind)
    )


def _texts(kind: Kind) -> tuple[str, ...]:
    """Values of *kind* that a condition may ask for, as one writes them after ``--set``."""
    if isinstance(kind, OneOf):
        return tuple(map(str, kind.words))
    if isinstance(kind, Flag):
        return ("true", "false")
    if isinstance(kind, Number):
        return ("1",) if kind.least == 0 else ()
    if isinstance(kind, FileMode):
        return ('"0600"',)
    return ('["TEXT"]',) if isinstance(kind, Texts) else ("'.*'",) if isinstance(kind, Pattern) else ()
