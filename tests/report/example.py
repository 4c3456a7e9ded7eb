"""A run in which everything occurs once, with text as hostile as a program can print it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harness.verdict.outcome import Level, Outcome
from harness.verdict.result import Asked, Build, CheckResult, Results, Rule, Submission, Tool
from harness.verdict.timeline import Event

#: Escape sequences, NUL, a lone surrogate, a non-character, bidi override, CI commands, XML and YAML.
HOSTILE = (
    "\x1b[2Jgone\x00 \udc80 \ufffe \u202e\r::error::no\n##[error]no ##vso[task.x]\n"
    "]]> <b> & \"' \\ # {} : -\x85\u2028"
)


def result(id_: str, outcome: Outcome, **fields: Any) -> CheckResult:
    """A MUST of two points unless *fields* say otherwise; a pass has all its points."""
    fields = {"level": Level.MUST, "title": f"The title of {id_}.", "max_points": 2} | fields
    if outcome is Outcome.PASS:
        fields.setdefault("points", fields["max_points"])
    return CheckResult(id=id_, outcome=outcome, **fields)


FAILURE = result(
    "half-close/reply-after-fin",
    Outcome.FAIL,
    case="64 KiB",
    did='connected; sent 5 bytes "hello"; finished sending; waited for the answer',
    rule=Rule(
        "A client that has finished sending\nstill gets its whole answer.", ("shutdown(2)", "RFC 9293")
    ),
    observed=f"closed the connection\nexpected: aaa\nreceived: aab\n            ^ byte 2\n{HOSTILE}",
    cause="read() == 0 taken as 'the client is gone'",
    reproduce="printf hello | nc -N 127.0.0.1 8080   # and a line that is longer than a terminal is wide",
    timeline=(Event(0.0012, "peer", "connected"), Event(0.002, "kernel", HOSTILE)),
    program_output=HOSTILE * 5,
)

RUN = Results(
    checks=(
        result("bind/port-from-argument", Outcome.PASS, seconds=0.004),
        result("bind/any", Outcome.NOT_APPLICABLE, observed="the contract binds localhost", max_points=0),
        FAILURE,
        replace(FAILURE, case="1 byte", observed="nothing arrived"),
        result("half-close/data-with-fin", Outcome.BLOCKED, blocked_by=FAILURE.id),
        result(
            "signals/sigaction", Outcome.FAIL, level=Level.ADVICE, max_points=0, observed="used signal(2)"
        ),
        result("ipv6/v6only", Outcome.INCONCLUSIVE, observed="IPv6 is off here"),
        result("resources/descriptors", Outcome.HARNESS_ERROR, observed="KeyError: 'inode'"),
        result("security/format-string", Outcome.FAIL, hidden=True, observed="the secret", did="the secret"),
    ),
    tool=Tool("0.1.0", "3.11.7", "6.1.0", "L1", ("no TUN device, so no wire checks",), 7),
    assignment=Asked("homework 1", "echo", "tcp", {"bind": "localhost"}),
    submission=Submission("/home/student/server.c", ("./server", "{port}"), Build(True, 0.25, "")),
    seconds=1.25,
    started=datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
)

UNBUILT = replace(
    RUN, checks=(), submission=Submission("/x", (), Build(False, 0.5, "server.c:1: error\x1b[K"))
)
INTERRUPTED = replace(RUN, checks=RUN.checks[:1], complete=False)
EMPTY = replace(RUN, checks=())

ALL = {"run": RUN, "unbuilt": UNBUILT, "interrupted": INTERRUPTED, "empty": EMPTY}
