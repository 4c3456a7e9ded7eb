"""What cannot be asked together, and the defaults that give way to what was asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from harness.assignment.contract import Contract
from harness.assignment.kinds import shown
from harness.assignment.placeholders import PLACEHOLDERS, names_in, usable
from harness.assignment.problem import either, nearest
from harness.assignment.profiles._base import Profile
from harness.assignment.program import ProgramSpec
from harness.assignment.role import Role
from harness.assignment.rubric import Rubric, matches
from harness.assignment.setting import settings_of
from harness.assignment.transport import Transport


@dataclasses.dataclass(frozen=True)
class Clash:
    """A combination that cannot be; *field* (and *inside* it) is the place to point at."""

    table: str
    field: str
    found: str
    expected: str
    nearest: str | None = None
    next_step: str = ""
    inside: tuple[str | int, ...] = ()


def contract_defaults(profile: Profile, transport: Transport) -> dict[str, Any]:
    """The contract fields that differ from their general default, before anybody asked for anything."""
    defaults: dict[str, Any] = {}
    if profile.role is not Role.SERVER:
        # No text says how a client or a local program takes a signal (decision 0001).
        defaults |= {"stop": {}, "port_reuse": "unchecked"}
    defaults |= profile.defaults
    if transport.is_unix:
        defaults.pop("bind", None)
    else:
        defaults["families"] = transport.families
    return defaults


def yield_defaults(values: Mapping[str, Any], given: frozenset[str]) -> dict[str, Any]:
    """*values* with those that nobody wrote changed where what was written leaves them no sense."""
    fitted = dict(values)
    if values.get("lifetime") == "one-client" and "concurrency" not in given:
        fitted["concurrency"] = "sequential"
    if values.get("lifetime") != "until-terminator" and "terminator" not in given:
        fitted["terminator"] = ""
    if values.get("lifetime") in ("one-client", "until-terminator") and "stop" not in given:
        fitted["stop"] = {}  # it ends by itself (decision 0006)
    if fitted.get("stop") == {} and "drain" not in given:
        fitted["drain"] = "unchecked"
    if values.get("keep_alive") and "closes" not in given:
        fitted["closes"] = "client"
    return fitted


def contract_clashes(
    contract: Contract,
    defaults: Mapping[str, Any],
    given: frozenset[str],
    profile: Profile,
    transport: Transport,
) -> Iterator[Clash]:
    """Everything in *contract* that cannot be; *given* are the fields that were written."""
    yield from _out_of_place(contract, Contract(**defaults), given, profile, transport)
    if contract.framing != "none" and contract.framing not in profile.framings:
        possible = either(f'"{framing}"' for framing in profile.framings)
        yield _clash(contract, "framing", f"{possible} with the profile {profile.name}", profile.framings)
    if "families" in given and not transport.is_unix:
        possible_families = transport.possible_families
        if contract.families not in possible_families:
            other = {"ipv4": "tcp", "ipv6": "tcp6", "both": "tcp-dual"}
            if transport.is_datagram:
                other = {"ipv4": "udp", "ipv6": "udp6", "both": "udp6"}
            step = f'or set assignment.transport to "{other[contract.families]}"'
            expected = f"{either(possible_families)} over {transport}"
            yield _clash(contract, "families", expected, possible_families, step)
    if contract.lifetime == "one-client" and contract.concurrency == "concurrent":
        expected = 'concurrency "sequential" if the server serves one client only'
        yield _clash(contract, _written("concurrency", "lifetime", given), expected)
    if contract.lifetime == "until-terminator" and not contract.terminator:
        step = 'add terminator = "the text that ends it"'
        yield _clash(contract, "lifetime", "a terminator with this lifetime", (), step)
    if contract.terminator and contract.lifetime != "until-terminator":
        expected = 'no terminator unless lifetime is "until-terminator"'
        yield _clash(contract, _written("terminator", "lifetime", given), expected)
    if contract.drain != "unchecked" and not contract.stop:
        expected = 'drain "unchecked" if no stop signal is agreed'
        yield _clash(contract, _written("drain", "stop", given), expected)
    if contract.keep_alive and contract.closes == "server":
        yield _clash(contract, "closes", "that the client closes first if keep_alive = true")
    if contract.pipelined and not contract.keep_alive:
        yield _clash(contract, "pipelined", "keep_alive = true if requests are pipelined")
    if profile.outputs and contract.output not in profile.outputs:
        possible = either(f'"{output}"' for output in profile.outputs)
        yield _clash(contract, "output", f"{possible} with the profile {profile.name}", profile.outputs)
    if contract.daemon and contract.output != "socket":
        expected = "output to the socket: a daemon's standard output is /dev/null"
        yield _clash(contract, _written("output", "daemon", given), expected)
    if transport is Transport.UDP and contract.max_datagram > 65507:
        yield _clash(contract, "max_datagram", "at most 65507 over IPv4 (udp(7))")


def _written(first: str, second: str, given: frozenset[str]) -> str:
    return first if first in given or second not in given else second


def _clash(
    contract: Contract, field: str, expected: str, words: tuple[str, ...] = (), next_step: str = ""
) -> Clash:
    value = getattr(contract, field)
    close = nearest(value, words) if isinstance(value, str) else None
    return Clash("contract", field, f"{field} = {shown(value)}", expected, close, next_step)


def _out_of_place(
    contract: Contract, neutral: Contract, given: frozenset[str], profile: Profile, transport: Transport
) -> Iterator[Clash]:
    """Fields that have no meaning here; writing down what holds anyway is no mistake."""
    base = Contract()
    for name, entry in settings_of(Contract).items():
        value = getattr(contract, name)
        if name not in given or value in (getattr(neutral, name), getattr(base, name)):
            continue
        if value == "unchecked":
            continue
        found = f"{name} = {shown(value)}"
        if profile.role not in entry.roles:
            servers = either(f"{role.noun}s" for role in entry.roles)
            yield _unasked(
                name, found, f"no {name}: it is for {servers}, and {profile.name} is a {profile.role.noun}"
            )
        elif transport not in entry.transports:
            yield _unasked(name, found, f"no {name} over {transport}")
        elif entry.by_profile and name not in profile.options:
            yield _unasked(name, found, f"no {name}: the profile {profile.name} leaves no choice there")


def _unasked(name: str, found: str, expected: str) -> Clash:
    return Clash("contract", name, found, expected, None, f"leave {name} out")


def placeholder_clashes(
    program: ProgramSpec, profile: Profile | None, transport: Transport | None
) -> Iterator[Clash]:
    """Placeholders nobody knows, or, if the rest is clear, that have no value for such a program."""
    usable_here = tuple(PLACEHOLDERS)
    whom = ""
    if profile is not None and transport is not None:
        usable_here = usable(profile.role, transport, profile.placeholders)
        whom = f" for a {profile.role.noun} over {transport}"
    expected = (either(f"{{{word}}}" for word in usable_here) or "no placeholder") + whom
    texts: list[tuple[str, str | int, str]] = [("run", index, word) for index, word in enumerate(program.run)]
    texts += [("env", name, text) for name, text in program.env.items()]
    for field, key, text in texts:
        for name in names_in(text):
            if name in usable_here:
                continue
            close = nearest(name, usable_here)
            if name in PLACEHOLDERS:
                found = f"the placeholder {{{name}}} ({PLACEHOLDERS[name]}) in {shown(text)}"
                step = "" if close else f"leave {{{name}}} out"
            else:
                found = f"the placeholder {{{name}}} in {shown(text)}"
                step = "" if close else f"for the braces themselves write {{{{{name}}}}}"
            yield Clash("program", field, found, expected, close and f"{{{close}}}", step, (key,))


def ready_clashes(program: ProgramSpec, profile: Profile, transport: Transport) -> Iterator[Clash]:
    """A state that such a program never reaches."""
    if program.ready == "started" or program.ready is None:
        return
    if profile.role is not Role.SERVER:
        possible: tuple[str, ...] = ("started",)
    elif transport.is_datagram:
        possible = ("bound", "started")
    else:
        return
    if program.ready not in possible:
        expected = either(f'"{word}"' for word in possible) + f" for a {profile.role.noun} over {transport}"
        yield Clash("program", "ready", f'ready = "{program.ready}"', expected)


def rubric_clashes(rubric: Rubric, known_ids: frozenset[str] | None) -> Iterator[Clash]:
    """Ids and globs that name no check, and checks that are wanted and skipped.

    Without *known_ids* each glob is taken for the one check it names.
    """
    lists: list[tuple[str, str | int, str]] = [("points", glob, glob) for glob in rubric.points]
    for name in ("hidden", "skip", "required"):
        lists += [(name, index, glob) for index, glob in enumerate(getattr(rubric, name))]
    for field, key, glob in lists:
        named = [glob] if known_ids is None else [known for known in known_ids if matches(known, [glob])]
        if not named and known_ids is not None:
            families = {f"{known.partition('/')[0]}/*" for known in known_ids}
            is_glob = any(character in glob for character in "*?[")
            expected = "a glob that names checks" if is_glob else "the id of a check, or a glob"
            close = (None if is_glob else nearest(glob, known_ids)) or nearest(glob, families)
            step = "" if close else "sockspec list shows all checks"
            yield Clash("rubric", field, f'"{glob}"', expected, close, step, (key,))
        elif field in ("points", "required") and all(rubric.is_skipped(known) for known in named):
            expected = f"a check that is not left out by skip = {shown(list(rubric.skip))}"
            yield Clash("rubric", field, f'"{glob}"', expected, None, "keep one of the two", (key,))
