"""Who takes it when a program burns the CPU for nothing.

Nearly every check waits at some point for the program to come to rest, so one busy loop would fail dozens of them.
It is one fault: only the checks that are about it take it, and all others are blocked by them (docs/decisions/0003).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.assignment.assignment import Assignment
from harness.assignment.role import Role
from harness.verdict.result import CheckResult

_SERVER = ("stream/idle-costs-nothing", "accept/empty-connection", "accept/descriptor-exhaustion")
_CLIENT = ("client/idle-costs-nothing",)
_DATAGRAM_CLIENT = ("udp-client/idle-costs-nothing",)


def takers(assignment: Assignment) -> tuple[str, ...]:
    """The checks that a spinning program of such an assignment fails, the most general one first."""
    if assignment.profile.role is not Role.CLIENT:
        return _SERVER
    return _DATAGRAM_CLIENT if assignment.transport.is_datagram else _CLIENT


def blame(results: Iterable[CheckResult], assignment: Assignment, failed: set[str]) -> list[CheckResult]:
    """The *results*, with the most general of the takers that *failed* as the one that blocks."""
    names = takers(assignment)
    culprit = next((name for name in names if name in failed), names[0])
    return [replace(r, blocked_by=culprit) if r.blocked_by == names[0] else r for r in results]
