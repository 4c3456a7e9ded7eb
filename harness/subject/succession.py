"""Who is the program, when a daemon leaves the processes behind that have started it."""

from __future__ import annotations

from harness.subject.wait_status import WaitStatus

#: Ends of orphans that are remembered: one may be reported before we follow it.
_REMEMBERED = 32


class Succession:
    """One process of the program is followed at a time; when it has ended, another one may be.

    Processes go by their inner pids, as pid 1 reports them; those of one namespace are not used again so soon.
    """

    def __init__(self) -> None:
        self._followed = 0
        self._statuses: dict[int, WaitStatus] = {}

    def died(self, inner_pid: int, status: WaitStatus) -> None:
        """Pid 1 has waited for *inner_pid*."""
        self._statuses[inner_pid] = status
        if len(self._statuses) > _REMEMBERED:
            self._statuses.pop(next(pid for pid in self._statuses if pid != self._followed))

    def follow(self, inner_pid: int) -> bool:
        """Follow *inner_pid* from now on; False if it is 0 (gone already) or the one that we follow."""
        if inner_pid in (0, self._followed):
            return False
        self._statuses.pop(self._followed, None)
        self._followed = inner_pid
        return True

    @property
    def ended(self) -> WaitStatus | None:
        """How the followed process ended; None while nothing is known of that."""
        return self._statuses.get(self._followed)
