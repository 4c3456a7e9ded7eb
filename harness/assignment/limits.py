"""What a program may use up, and the last fuse."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.assignment.kinds import Number
from harness.assignment.setting import setting


@dataclass(frozen=True)
class Limits:
    """The table ``[limits]``: resource limits of the program in one check (setrlimit(2))."""

    cpu_seconds: int = field(
        default=10,
        metadata=setting(Number(1, unit="seconds"), "Processor time each process may use in one check."),
    )
    memory_mb: int = field(
        default=256, metadata=setting(Number(1, unit="MiB"), "Memory the program may use in one check.")
    )
    processes: int = field(
        default=256, metadata=setting(Number(1), "Processes and threads the program may have at a time.")
    )
    descriptors: int = field(
        default=1024,
        metadata=setting(
            Number(16), "Descriptors each process may have open; it may raise that itself to 4096 or more."
        ),
    )
    output_mb: int = field(
        default=8,
        metadata=setting(
            Number(1, unit="MiB"),
            "Standard output and error that are kept; what exceeds it is dropped and said so.",
        ),
    )
    wall_seconds: float = field(
        default=60,
        metadata=setting(
            Number(1, unit="seconds", fractions=True),
            "The last fuse of one check; it ends as harness-error or inconclusive, never as fail.",
        ),
    )
