"""Nobody sleeps, and nobody decides by a clock, but those named here, each with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

#: Who may call a sleep.
SLEEPERS = {"harness/observe/barriers.py": "a microsecond on every CPU: what had expired before has then run"}

#: Who may read a clock.
CLOCKS = {
    "harness/observe/cpu_meter.py": "how often CPU time is read",
    "harness/observe/decode.py": "kernel deadlines are absolute",
    "harness/observe/explain.py": "what is left of a timer, for a sentence",
    "harness/observe/ledger.py": "idle time by accounting",
    "harness/observe/quiescence.py": "when a look began and ended",
    "harness/observe/runtimes.py": "what is left of a timer",
    "harness/observe/settle.py": "the one place that waits: idle time, and the fuse",
    "harness/observe/timers.py": "kernel deadlines are absolute",
    "harness/peers/stream.py": "whether we were silent for longer than a contract about time allows",
    "harness/plugin.py": "how long a check took, for the report",
    "harness/run/gather.py": "how long the run took, for the report",
    "harness/stage/speaking.py": "whether this machine kept up with a contract about time",
    "harness/subject/build.py": "how long the build took, for the report",
    "harness/subject/build_wait.py": "a build that neither computes nor ends",
    "harness/subject/calls.py": "whether a reported timer has expired",
    "harness/subject/channel.py": "the fuse of our own pid 1",
    "harness/subject/memory.py": "how often memory is looked at",
    "harness/subject/program.py": "the fuse of our own pid 1",
    "harness/subject/scratch.py": "the age of directories that a killed run has left",
    "harness/verdict/timeline.py": "when an event was seen, for the report",
}

_CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time_ns"}


def sources() -> Iterator[Path]:
    for room in ("harness", "suites", "fixtures"):
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            if "programs" not in path.relative_to(REPOSITORY).parts[:2]:
                yield path


def attributes(path: Path) -> Iterator[str]:
    """``module.name`` of every attribute that is looked up on a plain name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def found(wanted: set[str]) -> set[str]:
    return {str(path.relative_to(REPOSITORY)) for path in sources() if wanted & set(attributes(path))}


def test_nobody_sleeps() -> None:
    sleeps = {f"{module}.sleep" for module in ("time", "asyncio", "trio", "anyio")}
    assert found(sleeps) == set(SLEEPERS)


def test_nobody_reads_a_clock_without_a_reason() -> None:
    clocks = {f"time.{name}" for name in _CLOCKS} | {"time.time"}
    assert found(clocks) == set(CLOCKS)


def test_no_suite_knows_of_time() -> None:
    for path in sorted((REPOSITORY / "suites").glob("*.py")):
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not names & {"time", "socket", "os", "select"}, path.name
