"""The programs that prove the checks: what the header comment of each says about it.

``fixtures/programs/reference/NAME.EXT`` are right, ``fixtures/programs/broken/FAMILY/SLUG[--VARIANT].EXT``
have one bug each.  A program is a file or a directory; in a directory exactly one file has the
header.  The keys are described in docs/architecture.md.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from harness import house
from harness.assignment import manifest
from harness.assignment.assignment import Assignment
from harness.assignment.problem import AssignmentError, Problem, Where, nearest
from harness.assignment.profiles import ProfileError, find_profile
from harness.assignment.transport import Transport
from harness.catalogue import Listed

#: Key of the header -> whether a program must, may or must not have it: (right, broken).
KEYS: Mapping[str, tuple[str, str]] = {
    "right": ("must", "must not"),
    "broken": ("must not", "must"),
    "fails": ("must not", "must"),
    "consequences": ("must not", "may"),
    "advised": ("may", "must not"),
    "profile": ("must", "must"),
    "transport": ("must", "must"),
    "also-profiles": ("may", "must not"),
    "set": ("may", "may"),
    "build": ("may", "may"),
    "run": ("may", "may"),
    "needs": ("may", "may"),
}

#: How far into a file a header may be: a few lines and what stands above it (``#!``, a licence).
_LOOK_AT = 4096


class HeaderError(ValueError):
    """The header of a program cannot be used; *problems* holds every mistake found, with file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Play:
    """One way in which a specimen is checked."""

    profile: str
    transport: Transport

    def __str__(self) -> str:
        return f"{self.profile} over {self.transport}"


@dataclass(frozen=True, slots=True)
class Specimen:
    """A program that is known to be right, or to be broken in one known way."""

    path: Path
    right: bool
    sentence: str
    fails: str | None
    consequences: tuple[str, ...]
    #: Checks of level ADVICE whose advice a right program does not follow.
    advised: tuple[str, ...]
    profile: str
    transports: tuple[Transport, ...]
    also_profiles: tuple[str, ...]
    sets: tuple[str, ...]
    build: str | None
    run: str | None
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """``reference/echo_poll.c``: the place below the directory of all programs."""
        return self.path.relative_to(_root_of(self.path)).as_posix()

    @property
    def plays(self) -> tuple[Play, ...]:
        """Its own profile over each of its transports, and each other profile over those that profile has."""
        plays = [Play(self.profile, transport) for transport in self.transports]
        for name in self.also_profiles:
            possible = find_profile(name, Path()).transports
            plays += [Play(name, transport) for transport in self.transports if transport in possible]
        return tuple(plays)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The tools it needs that this machine does not have."""
        return tuple(tool for tool in self.needs if shutil.which(tool) is None)

    def covers(self, check_id: str) -> bool:
        """Whether failing *check_id* is expected of it."""
        return check_id == self.fails or any(fnmatchcase(check_id, glob) for glob in self.consequences)

    def check_arguments(self, play: Play) -> list[str]:
        """What follows ``sockspec check`` in order to check it in this way."""
        words = [str(self.path), "--profile", play.profile, "--transport", play.transport.value]
        for option, value in (("--build", self.build), ("--run", self.run)):
            if value is not None:
                words += [option, value]
        for value in self.sets:
            words += ["--set", value]
        return words

    def assignment(self, play: Play) -> Assignment:
        """The assignment it is checked against.  Raises AssignmentError."""
        return manifest.from_options(
            profile=play.profile,
            transport=play.transport.value,
            build=self.build,
            run=shlex.split(self.run) if self.run is not None else None,
            sets=self.sets,
        )


def programs(root: Path = house.PROGRAMS) -> Iterator[Path]:
    """Every program below ``reference/`` and ``broken/FAMILY/`` of *root*, in order of place."""
    homes = [root / "reference", *sorted(path for path in (root / "broken").glob("*") if path.is_dir())]
    for home in homes:
        for path in sorted(home.glob("[!._]*")):
            if path.suffix != ".md":
                yield path


def specimens(checks: Mapping[str, Listed] | None, root: Path = house.PROGRAMS) -> list[Specimen]:
    """All of them; *checks* as for `read`.  Raises HeaderError with every mistake in every header."""
    found, problems = [], []
    for path in programs(root):
        try:
            found.append(read(path, checks))
        except HeaderError as error:
            problems += error.problems
    if problems:
        raise HeaderError(problems)
    return found


def read(path: Path, checks: Mapping[str, Listed] | None) -> Specimen:
    """What the header of *path* says.  Raises HeaderError.

    *checks* are all checks there are, by id; with None, ids are not looked up.
    """
    return _Reader(path, checks).specimen()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key of the header, its value in one line, and the number of the line where it begins."""

    key: str
    value: str
    line: int


class _Reader:
    """One reading of one header; collects the mistakes it meets."""

    def __init__(self, path: Path, checks: Mapping[str, Listed] | None) -> None:
        self.path = path
        self.checks = checks
        self.problems: list[Problem] = []
        self.entries: dict[str, _Entry] = {}
        self.file = path

    def specimen(self) -> Specimen:
        self._read_entries()
        right = "right" in self.entries
        self._check_keys(right)
        self._stop_if_wrong()
        specimen = Specimen(
            path=self.path,
            right=right,
            sentence=self._value("right" if right else "broken") or "",
            fails=self._value("fails"),
            consequences=self._list("consequences"),
            advised=self._list("advised"),
            profile=self._value("profile") or "",
            transports=self._transports(),
            also_profiles=self._list("also-profiles"),
            sets=self._list("set"),
            build=self._value("build"),
            run=self._value("run"),
            needs=self._list("needs"),
        )
        self._check_profiles(specimen)
        self._check_ids(specimen)
        self._stop_if_wrong()
        for play in specimen.plays:
            self._check_play(specimen, play)
        self._stop_if_wrong()
        return specimen

    def _stop_if_wrong(self) -> None:
        if self.problems:
            raise HeaderError(self.problems)

    def _problem(self, key: str, found: str, expected: str, close: str | None = None, step: str = "") -> None:
        entry = self.entries.get(key)
        where = Where(str(self.file), entry.line if entry is not None else 1)
        self.problems.append(Problem(where, found, expected, close, step))

    def _value(self, key: str) -> str | None:
        return self.entries[key].value if key in self.entries else None

    def _list(self, key: str) -> tuple[str, ...]:
        return tuple(_split(self._value(key) or ""))

    # -- reading -----------------------------------------------------------------------------

    def _read_entries(self) -> None:
        headers = {}
        files = sorted(p for p in self.path.rglob("*") if p.is_file()) if self.path.is_dir() else [self.path]
        for file in files:
            lines = header_lines(file.read_bytes()[:_LOOK_AT].decode(errors="replace"))
            if any(re.match(r"(right|broken):", line) for _, line in lines):
                headers[file] = lines
        if len(headers) != 1:
            found = " and ".join(str(file) for file in headers) or "no header"
            self._problem(
                "", found, 'one comment that begins with "right:" or "broken:" (docs/architecture.md)'
            )
            self._stop_if_wrong()
        ((self.file, lines),) = headers.items()
        self._take(lines)

    def _take(self, lines: Sequence[tuple[int, str]]) -> None:
        last: str | None = None
        for number, line in lines:
            if line.startswith(" "):  # goes on from the line before
                if last is not None:
                    entry = self.entries[last]
                    self.entries[last] = _Entry(last, f"{entry.value} {line.strip()}".strip(), entry.line)
                continue
            match = re.match(r"([a-z-]+):\s*(.*)", line)
            key = match[1] if match else line.partition(":")[0]
            if match is None or key not in KEYS:
                where = Where(str(self.file), number)
                step = "a value that goes on is indented by three spaces"
                self.problems.append(
                    Problem(where, f'"{line}"', f"one of {', '.join(KEYS)}", nearest(key, KEYS), step)
                )
                last = None
            elif key in self.entries:
                self.problems.append(Problem(Where(str(self.file), number), f"{key}: again", f"one {key}:"))
                last = None
            else:
                last = key
                self.entries[key] = _Entry(key, match[2].strip(), number)

    # -- what the values must be -------------------------------------------------------------

    def _check_keys(self, right: bool) -> None:
        kind = "right" if right else "broken"
        for key, rules in KEYS.items():
            rule = rules[0 if right else 1]
            if rule == "must" and not self._value(key):
                self._problem(key, f"a {kind} program without {key}:", f"a line {key}: ...")
            elif rule == "must not" and key in self.entries:
                self._problem(key, f"{key}: in a {kind} program", f"none (a {kind} program has no {key}:)")
        home = self.path.parent.name if right else self.path.parent.parent.name
        if home != ("reference" if right else "broken"):
            place = "reference/" if right else "broken/FAMILY/"
            self._problem(kind, f"a {kind} program at this place", f"it in fixtures/programs/{place}")

    def _transports(self) -> tuple[Transport, ...]:
        transports = []
        for name in self._list("transport"):
            try:
                transports.append(Transport(name))
            except ValueError:
                known = [transport.value for transport in Transport]
                expected = f"one of {', '.join(known)}"
                self._problem("transport", f'the transport "{name}"', expected, nearest(name, known))
        return tuple(transports)

    def _check_profiles(self, specimen: Specimen) -> None:
        for key, name in (
            ("profile", specimen.profile),
            *(("also-profiles", n) for n in specimen.also_profiles),
        ):
            try:
                profile = find_profile(name, Path())
            except ProfileError as error:
                self._problem(key, error.found, error.expected, error.nearest)
                continue
            if not set(profile.transports) & set(specimen.transports):
                self._problem(key, f"{name} with none of these transports", ", ".join(profile.transports))

    def _check_ids(self, specimen: Specimen) -> None:
        if specimen.fails is not None:
            self._check_id("fails", specimen.fails)
            named = f"{specimen.path.parent.name}/{specimen.path.name.split('.')[0].split('--')[0]}"
            if specimen.fails != named:
                self._problem("fails", f"fails: {specimen.fails} in a program named after {named}", named)
        for glob in specimen.consequences:
            if glob == specimen.fails:
                self._problem("consequences", f"{glob}, which is what it fails", "what follows from that")
            self._check_id("consequences", glob)
        for glob in specimen.advised:
            self._check_id("advised", glob)

    def _check_id(self, key: str, glob: str) -> None:
        if self.checks is not None and not any(fnmatchcase(check_id, glob) for check_id in self.checks):
            self._problem(key, f"no check {glob}", "the id of a check", nearest(glob, self.checks))

    def _check_play(self, specimen: Specimen, play: Play) -> None:
        try:
            assignment = specimen.assignment(play)
        except AssignmentError as error:
            for problem in error.problems:
                self._problem("set", f"{play}: {problem.found}", problem.expected, problem.nearest)
            return
        listed = self.checks.get(specimen.fails or "") if self.checks is not None else None
        if listed is not None and (reason := listed.check.why_not(assignment)):
            self._problem("fails", f"{specimen.fails} is not asked for with {play}", f"otherwise: {reason}")


def header_lines(text: str) -> list[tuple[int, str]]:
    """The comment that *text* begins with: line numbers, and lines without their ``*``, ``#`` or ``//``.

    It ends at the first line that is empty or is not part of the comment.
    """
    lines: list[tuple[int, str]] = []
    mark = ""  # a comment goes on with the mark it began with: #include is no part of one of // lines
    for number, line in enumerate(text.splitlines(), start=1):
        if not lines and (line.startswith("#!") or not line.strip()):
            continue
        match = re.match(r"/\*+|//+|#+|\s\*(?!/)", line)
        if match is None or mark not in ("", match[0].strip()[0]):
            break
        in_block = "*" in match[0]
        mark = "*" if in_block else match[0][0]
        body, end, _ = line[match.end() :].removeprefix(" ").partition("*/" if in_block else "\n")
        if body.strip():
            lines.append((number, body.rstrip()))
        elif lines:
            break
        if end:
            break
    return lines


def _split(value: str) -> Iterator[str]:
    """The items of a list: at commas outside of braces, brackets and quotes (which may stand in either)."""
    for item in re.findall(r"""(?:\{(?:"[^"]*"|[^}"])*\}|\[(?:"[^"]*"|[^\]"])*\]|"[^"]*"|[^,])+""", value):
        if item.strip():
            yield item.strip()


def _root_of(path: Path) -> Path:
    """The directory that holds ``reference/`` or ``broken/``."""
    return path.parent.parent if path.parent.name == "reference" else path.parent.parent.parent
