"""Reads an assignment: the file ``sockspec.toml``, options of the command line, or both.

Every mistake is collected before anything is said; an assignment is either right or
raises :class:`AssignmentError` with all its problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.assignment import combinations, entries
from harness.assignment.assignment import TABLES, Assignment, Heading
from harness.assignment.combinations import Clash
from harness.assignment.contract import Contract
from harness.assignment.dialogue import Dialogue
from harness.assignment.entries import Entry
from harness.assignment.kinds import NOTHING, Unfit, shown
from harness.assignment.limits import Limits
from harness.assignment.problem import AssignmentError, Problem, Where, either, nearest
from harness.assignment.profiles import ProfileError, find_profile, profile_names
from harness.assignment.profiles._base import Profile
from harness.assignment.profiles.dialogue import Scripted, scripted
from harness.assignment.program import ProgramSpec, default_ready
from harness.assignment.rubric import Rubric
from harness.assignment.setting import settings_of
from harness.assignment.transport import Transport

_REFERENCE = "docs/assignment-file.md"


def load(
    path: Path,
    *,
    sets: Sequence[str] = (),
    profile: str | None = None,
    transport: str | None = None,
    build: str | Sequence[str] | None = None,
    run: str | Sequence[str] | None = None,
    known_ids: Iterable[str] | None = None,
) -> Assignment:
    """The assignment in the file *path*; the options, as on the command line, override it.

    *sets* are ``table.field=value``.  *known_ids* are the ids of all checks there are; left
    out, ids in the rubric are not looked up.  Raises AssignmentError.
    """
    options = {"profile": profile, "transport": transport, "build": build, "run": run}
    return _Reader(path, options, sets, known_ids).assignment()


def from_options(
    *,
    profile: str,
    transport: str | None = None,
    build: str | Sequence[str] | None = None,
    run: str | Sequence[str] | None = None,
    name: str | None = None,
    sets: Sequence[str] = (),
    known_ids: Iterable[str] | None = None,
) -> Assignment:
    """The assignment that options alone describe, without a file.  Raises AssignmentError."""
    options = {"name": name, "profile": profile, "transport": transport, "build": build, "run": run}
    return _Reader(None, options, sets, known_ids).assignment()


class _Reader:
    """One reading; the order of the methods is the order of the work."""

    def __init__(
        self,
        path: Path | None,
        options: dict[str, Any],
        sets: Sequence[str],
        known_ids: Iterable[str] | None,
    ) -> None:
        self.path = path
        self.known_ids = None if known_ids is None else frozenset(known_ids)
        self.problems: list[Problem] = []
        self.given: dict[tuple[str, str], Entry] = {}
        """Who wrote a field; the last one counts."""
        self.entries: list[Entry] = entries.from_file(path) if path is not None else []
        for name, value in options.items():
            if value is not None:
                table = "program" if name in ("build", "run") else "assignment"
                plain = value if isinstance(value, str) else list(value)
                self.entries.append(Entry((table, name), plain, f"--{name}"))
        for option in sets:
            try:
                self.entries.append(entries.from_set(option))
            except AssignmentError as error:
                self.problems += error.problems

    def assignment(self) -> Assignment:
        """The assignment, or AssignmentError."""
        self._unknown_tables()
        heading = Heading(**self._read(Heading, "assignment", {}))
        profile = self._profile(heading)
        dialogue = Dialogue(**self._read(Dialogue, "dialogue", {}))
        profile = self._scripted(profile, dialogue)
        transport = self._transport(heading, profile)
        start: dict[str, Any] = {}
        if profile is not None and transport is not None:
            start = self._profile_defaults(profile, transport)
        program = ProgramSpec(**self._read(ProgramSpec, "program", {}))
        values = self._read(Contract, "contract", start)
        rubric = Rubric(**self._read(Rubric, "rubric", {}))
        limits = Limits(**self._read(Limits, "limits", {}))
        self._clashes(combinations.placeholder_clashes(program, profile, transport))
        self._clashes(combinations.rubric_clashes(rubric, self.known_ids))
        if profile is not None and transport is not None:
            written = frozenset(name for table, name in self.given if table == "contract")
            contract = Contract(**combinations.yield_defaults(values, written))
            self._clashes(combinations.contract_clashes(contract, start, written, profile, transport))
            self._clashes(combinations.ready_clashes(program, profile, transport))
            if not self.problems:
                return Assignment(
                    name=heading.name or profile.name,
                    profile=profile.under(contract),
                    transport=transport,
                    program=replace(program, ready=program.ready or default_ready(profile.role, transport)),
                    contract=contract,
                    rubric=rubric,
                    limits=limits,
                    source=self.path,
                    dialogue=dialogue,
                )
        raise AssignmentError(sorted(self.problems, key=self._order))

    def _order(self, problem: Problem) -> tuple[bool, int]:
        """What is wrong with the file first, by line; then the options as they were given."""
        return problem.where.source != str(self.path), problem.where.line or 0

    def _unknown_tables(self) -> None:
        known = []
        reported = set()
        for entry in self.entries:
            table = entry.path[0]
            if table not in TABLES:
                if table not in reported:
                    reported.add(table)
                    self._unknown_table(entry, table)
            elif len(entry.path) > 1:
                known.append(entry)
            elif entry.value != {}:
                found = f"{table} = {shown(entry.value)}"
                self._problem(entry.where(), found, f"a table: [{table}] on a line of its own")
        self.entries = known

    def _unknown_table(self, entry: Entry, table: str) -> None:
        where = replace(entry, path=(table,)).where()
        homes = [name for name, owner in TABLES.items() if table in settings_of(owner)]
        if homes and len(entry.path) == 1:
            step = f"put it under [{homes[0]}]" if where.line is not None else f"write {homes[0]}.{table}"
            self._problem(where, f"{table} outside of a table", f"it in [{homes[0]}]", None, step)
            return
        tables = either(f"[{name}]" for name in TABLES)
        close = nearest(table, TABLES)
        self._problem(where, f"the unknown table [{table}]", tables, close and f"[{close}]")

    def _read(self, owner: type[Any], table: str, start: dict[str, Any]) -> dict[str, Any]:
        """The fields of *table*: *start*, overridden by what was written."""
        known = settings_of(owner)
        values = dict(start)
        for entry in self.entries:
            if entry.path[0] != table:
                continue
            name = entry.path[1]
            if name not in known:
                self._unknown_field(entry, table, name, known)
                continue
            kind = known[name].kind
            if len(entry.path) == 2:
                value = kind.read(entry.value, self._reporter(entry, name))
                base = None
            elif kind.is_mapping and len(entry.path) == 3:
                value = kind.read({entry.path[2]: entry.value}, self._reporter(entry, name))
                base = values.get(name, known[name].default)
            else:
                self._problem(entry.where(), f"{'.'.join(entry.path)}", f"{table}.{name}, which is no table")
                continue
            if value is not NOTHING:
                values[name] = (
                    {**base, **value} if isinstance(base, dict) and isinstance(value, dict) else value
                )
                self.given[table, name] = entry
        return values

    def _unknown_field(self, entry: Entry, table: str, name: str, known: Iterable[str]) -> None:
        homes = [other for other, owner in TABLES.items() if name in settings_of(owner)]
        close = nearest(name, known)
        if homes:
            step = f"put it under [{homes[0]}]"
            close = None
        else:
            step = f"see {_REFERENCE}, [{table}]"
        self._problem(entry.where(), f"the unknown field {name} in [{table}]", either(known), close, step)

    def _profile(self, heading: Heading) -> Profile | None:
        entry = self.given.get(("assignment", "profile"))
        if entry is None:
            if not any(wrong.found.startswith("profile =") for wrong in self.problems):
                where = Where(str(self.path), 1) if self.path else Where("command line")
                step = 'write profile = "echo" under [assignment], or --profile echo'
                self._problem(where, "no profile", f"one of {', '.join(profile_names())}", None, step)
            return None
        from_file = self.path is not None and entry.source == str(self.path)
        beside = self.path.parent if from_file and self.path is not None else Path()
        try:
            return find_profile(heading.profile, beside)
        except ProfileError as error:
            self._problem(entry.where(), error.found, error.expected, error.nearest)
            return None

    def _scripted(self, profile: Profile | None, dialogue: Dialogue) -> Profile | None:
        """Of a dialogue: the profile that plays it.  Without a file, and without steps, it is an example."""
        written = {name: entry for (table, name), entry in self.given.items() if table == "dialogue"}
        tried = any(entry.path[:2] == ("dialogue", "steps") for entry in self.entries)
        if profile is None:
            return None
        if not isinstance(profile, Scripted):
            for name, entry in written.items():
                found = f"{name} in [dialogue] with the profile {profile.name}"
                self._problem(entry.where(), found, 'a dialogue with profile = "dialogue" only', None, "")
            return profile
        if not tried:
            if self.path is None and not written:
                return profile
            entry = self.given["assignment", "profile"]
            step = (
                f'write steps = [{{ send = "..." }}, {{ expect = "..." }}] under [dialogue]; see {_REFERENCE}'
            )
            self._problem(entry.where(), "a dialogue without steps", "steps in [dialogue]", None, step)
            return profile
        if "steps" in written:
            for index, found, expected in dialogue.mistakes():
                self._problem(written["steps"].where((index,)), found, expected)
        return scripted(dialogue)

    def _transport(self, heading: Heading, profile: Profile | None) -> Transport | None:
        if profile is None:
            return None
        entry = self.given.get(("assignment", "transport"))
        if entry is None:
            return profile.transports[0]
        transport = Transport(heading.transport)
        if transport not in profile.transports:
            found = f"the transport {transport} with the profile {profile.name}"
            close = nearest(transport, profile.transports)
            self._problem(entry.where(), found, either(profile.transports), close)
            return None
        return transport

    def _profile_defaults(self, profile: Profile, transport: Transport) -> dict[str, Any]:
        """The contract's defaults; a teacher's own profile may have got one wrong."""
        source = self.given["assignment", "profile"]
        known = settings_of(Contract)
        usable: dict[str, Any] = {}
        for name, value in combinations.contract_defaults(profile, transport).items():
            if name not in known:
                self._unknown_field(source, "contract", name, known)
                continue
            read = known[name].kind.read(value, self._reporter(source, name))
            if read is not NOTHING:
                usable[name] = read
        return usable

    def _reporter(self, entry: Entry, name: str) -> Any:
        def report(unfit: Unfit) -> None:
            found = f"{name} = {unfit.found}" if not unfit.inside else f"{unfit.found} in {name}"
            step = f"see {_REFERENCE}, [{entry.path[0]}]" if unfit.nearest is None else ""
            inside = unfit.inside if len(entry.path) == 2 else ()
            self._problem(entry.where(inside), found, unfit.expected, unfit.nearest, step)

        return report

    def _clashes(self, clashes: Iterable[Clash]) -> None:
        for clash in clashes:
            # What nobody wrote comes from a teacher's own profile, so that is where to look.
            entry = self.given.get((clash.table, clash.field)) or self.given["assignment", "profile"]
            inside = clash.inside if entry.path == (clash.table, clash.field) else ()
            self._problem(entry.where(inside), clash.found, clash.expected, clash.nearest, clash.next_step)

    def _problem(
        self, where: Where, found: str, expected: str, close: str | None = None, next_step: str = ""
    ) -> None:
        if close is not None and not next_step:
            next_step = f"write {close}"
        self.problems.append(Problem(where, found, expected, close, next_step))
