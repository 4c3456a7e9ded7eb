"""The results of a run, as every report reads them: schema ``sockspec/1``."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from harness import __version__
from harness.verdict.outcome import Level, Outcome
from harness.verdict.summary import Bar, Summary, summarise, tidy
from harness.verdict.timeline import Event

SCHEMA = "sockspec/1"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked, in a sentence, and the documents that ask it (man pages, RFCs, POSIX)."""

    text: str
    authority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check (and one *case* of it: a signal, a size, a moment) ended.

    *did*, *rule*, *observed*, *cause* are the four parts of the story; *reproduce*
    is a command line for a shell.  For an outcome that is not ``fail``, *observed*
    is the reason.  *seconds* is wall time and never decides anything.  *hidden*: run
    and counted, not explained to the student.
    """

    id: str
    level: Level
    title: str
    outcome: Outcome
    case: str | None = None
    points: float = 0
    max_points: float = 0
    seconds: float = 0.0
    did: str = ""
    rule: Rule = Rule("")
    observed: str = ""
    cause: str = ""
    reproduce: str = ""
    timeline: tuple[Event, ...] = ()
    program_output: str = ""
    blocked_by: str | None = None
    hidden: bool = False

    @property
    def family(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]

    @property
    def label(self) -> str:
        """The id, with the case in brackets if there is one."""
        return self.id if self.case is None else f"{self.id}[{self.case}]"

    @property
    def advice(self) -> bool:
        """Whether this is reported only: advice without points."""
        return self.level is Level.ADVICE and self.max_points <= 0

    def for_student(self) -> CheckResult:
        """This result without its story if the check is hidden, unchanged otherwise."""
        if not self.hidden:
            return self
        return replace(
            self,
            title="",
            did="",
            rule=Rule(""),
            observed="This check is hidden: it counts, but it is not explained here.",
            cause="",
            reproduce="",
            timeline=(),
            program_output="",
        )

    def to_json(self) -> dict[str, Any]:
        """One entry of ``checks``."""
        return {
            "id": self.id,
            "case": self.case,
            "level": self.level.value,
            "title": self.title,
            "outcome": self.outcome.value,
            "points": tidy(self.points),
            "max_points": tidy(self.max_points),
            "seconds": round(self.seconds, 6),
            "did": self.did,
            "rule": {"text": self.rule.text, "authority": list(self.rule.authority)},
            "observed": self.observed,
            "cause": self.cause,
            "reproduce": self.reproduce,
            "timeline": [{"t": e.t, "who": e.who, "what": e.what} for e in self.timeline],
            "program_output": self.program_output,
            "blocked_by": self.blocked_by,
            "hidden": self.hidden,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> CheckResult:
        """Read one entry of ``checks``; raises KeyError or ValueError if it is not one."""
        plain = dict(entry)
        plain["level"] = Level(entry["level"])
        plain["outcome"] = Outcome(entry["outcome"])
        plain["rule"] = Rule(entry["rule"]["text"], tuple(entry["rule"]["authority"]))
        plain["timeline"] = tuple(Event(e["t"], e["who"], e["what"]) for e in entry["timeline"])
        return cls(**{name: value for name, value in plain.items() if name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Tool:
    """What ran the checks; *lost* names, in sentences, what this isolation level cannot do."""

    version: str = __version__
    python: str = field(default_factory=platform.python_version)
    kernel: str = field(default_factory=platform.release)
    isolation: str = ""
    lost: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the program: the assignment, its contract and what it takes to pass."""

    name: str = ""
    profile: str = ""
    transport: str = ""
    contract: Mapping[str, object] = field(default_factory=dict)
    bar: Bar = field(default_factory=Bar)


@dataclass(frozen=True, slots=True)
class Build:
    """How building the submission went; *output* is what the compiler said, bounded, *guess* what we chose ourselves."""

    ok: bool = True
    seconds: float = 0.0
    output: str = ""
    guess: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in, and how it was started."""

    path: str = ""
    run: tuple[str, ...] = ()
    build: Build = Build()


@dataclass(frozen=True)
class Results:
    """One run over one submission: the whole document.

    *complete* is false after an interrupt or ``--fail-fast``; *started* is UTC.
    """

    checks: tuple[CheckResult, ...] = ()
    tool: Tool = field(default_factory=Tool)
    assignment: Asked = field(default_factory=Asked)
    submission: Submission = field(default_factory=Submission)
    seconds: float = 0.0
    complete: bool = True
    started: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @cached_property
    def summary(self) -> Summary:
        """Counts, score and verdict, computed from the checks."""
        return summarise(
            self.checks, self.assignment.bar, complete=self.complete, built=self.submission.build.ok
        )

    @property
    def exit_status(self) -> int:
        """0 met, 1 not met, 3 undecided."""
        return self.summary.verdict.exit_status

    def families(self) -> dict[str, list[CheckResult]]:
        """The checks by family, both in the order of the run."""
        families: dict[str, list[CheckResult]] = {}
        for check in self.checks:
            families.setdefault(check.family, []).append(check)
        return families

    def to_json(self) -> dict[str, Any]:
        """The document, of plain types; ``harness/report/sockspec-1.schema.json`` describes it."""
        tool, asked, submission = self.tool, self.assignment, self.submission
        return {
            "schema": SCHEMA,
            "tool": {
                "version": tool.version,
                "python": tool.python,
                "kernel": tool.kernel,
                "isolation": tool.isolation,
                "lost": list(tool.lost),
                "seed": tool.seed,
            },
            "assignment": {
                "name": asked.name,
                "profile": asked.profile,
                "transport": asked.transport,
                "contract": dict(asked.contract),
                "pass_at": tidy(asked.bar.pass_at),
                "required": list(asked.bar.required),
            },
            "submission": {
                "path": submission.path,
                "run": list(submission.run),
                "build": {
                    "ok": submission.build.ok,
                    "seconds": round(submission.build.seconds, 6),
                    "output": submission.build.output,
                    "guess": submission.build.guess,
                },
            },
            "checks": [check.to_json() for check in self.checks],
            "summary": self.summary.to_json(),
            "seconds": round(self.seconds, 6),
            "complete": self.complete,
            "started": self.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Results:
        """Read a document; the summary is computed anew.

        Raises ValueError if it is not of schema ``sockspec/1``, KeyError if a part is missing.
        """
        if document.get("schema") != SCHEMA:
            raise ValueError(f"not a {SCHEMA} document: schema is {document.get('schema')!r}")
        tool, asked, submission = document["tool"], document["assignment"], document["submission"]
        return cls(
            checks=tuple(CheckResult.from_json(entry) for entry in document["checks"]),
            tool=Tool(
                tool["version"],
                tool["python"],
                tool["kernel"],
                tool["isolation"],
                tuple(tool.get("lost", ())),
                tool["seed"],
            ),
            assignment=Asked(
                asked["name"],
                asked["profile"],
                asked["transport"],
                asked["contract"],
                Bar(asked.get("pass_at", 100), tuple(asked.get("required", ()))),
            ),
            submission=Submission(submission["path"], tuple(submission["run"]), Build(**submission["build"])),
            seconds=document["seconds"],
            complete=document.get("complete", True),
            started=datetime.fromisoformat(document["started"])
            if "started" in document
            else datetime.fromtimestamp(0, UTC),
        )
