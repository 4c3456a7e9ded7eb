"""How a process ended, in the words of wait(2)."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WaitStatus:
    """A raw wait status, as wait(2) stores it: exact, never a shell's 128 + n."""

    raw: int

    @property
    def exited(self) -> bool:
        """Whether it ended by exit(3) or a return from main (WIFEXITED)."""
        return os.WIFEXITED(self.raw)

    @property
    def code(self) -> int | None:
        """The exit status, 0 to 255; None when a signal ended it (WEXITSTATUS)."""
        return os.WEXITSTATUS(self.raw) if self.exited else None

    @property
    def signal(self) -> signal.Signals | int | None:
        """The signal that ended it; None when it exited. A bare number for real-time signals (WTERMSIG)."""
        if not os.WIFSIGNALED(self.raw):
            return None
        number = os.WTERMSIG(self.raw)
        try:
            return signal.Signals(number)
        except ValueError:
            return number

    @property
    def core_dumped(self) -> bool:
        """Whether the kernel wrote a core dump (WCOREDUMP); never in our sandbox, which forbids them."""
        return os.WCOREDUMP(self.raw)

    @property
    def success(self) -> bool:
        """Whether it exited with status 0."""
        return self.code == 0

    @property
    def told(self) -> str:
        """The end of a sentence about the process: ``ended with exit status 0``, ``was killed by SIGPIPE (13)``."""
        return f"{'ended with' if self.exited else 'was'} {self}"

    def __str__(self) -> str:
        """For people: ``exit status 0``, ``killed by SIGPIPE (13)``."""
        by = self.signal
        if by is None:
            return f"exit status {self.code}"
        name = f"{by.name} ({int(by)})" if isinstance(by, signal.Signals) else f"signal {by}"
        return f"killed by {name}" + (", core dumped" if self.core_dumped else "")
