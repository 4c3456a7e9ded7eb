"""The processes below our pid 1: listing them, signalling them all, and finding the one that goes on as a daemon."""

from __future__ import annotations

import contextlib
import os
import signal

from harness.observe.procfs import children, process_state, status_field


def is_zombie(pid: int) -> bool:
    """Ended, and not just its first thread (pthread_exit(3) in main leaves a zombie leader of a live process)."""
    if process_state(pid) not in "ZX":
        return False
    try:
        return len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return True


def inner_pid(pid: int) -> int:
    """The pid that process *pid* has in its own pid namespace (proc(5), NSpid); 0 when it is gone."""
    return int((status_field(pid, "NSpid") or "0").split()[-1])


class Tree:
    """All processes below *root*, but for *stranger*, which is ours (0: there is none)."""

    def __init__(self, root: int = 0, stranger: int = 0) -> None:
        self.root = root
        self.stranger = stranger

    def members(self) -> list[int]:
        """Pids of the live processes, zombies not included; in no particular order."""
        return [pid for pid in self._all() if not is_zombie(pid)]

    def zombies(self) -> list[int]:
        """Pids of the processes that have ended and that their parent, a process of the program, has not waited for."""
        return [pid for pid in self._all() if is_zombie(pid)]

    def heir(self) -> int:
        """The live process that was orphaned first: what a daemon is when those who started it have ended. 0: none."""
        orphans = [pid for pid in children(self.root) if pid != self.stranger and not is_zombie(pid)]
        return min(orphans, default=0)

    def signal(self, number: int) -> None:
        """Signal every member once, those too that are forked meanwhile."""
        done: set[int] = set()
        for _ in range(1000):
            new = [pid for pid in self.members() if pid not in done]
            if not new:
                return
            for pid in new:
                done.add(pid)
                with contextlib.suppress(OSError):
                    pidfd = os.pidfd_open(pid)
                    try:
                        if self._holds(pid):  # the number still means the process that we listed
                            signal.pidfd_send_signal(pidfd, number)
                    finally:
                        os.close(pidfd)

    def _holds(self, pid: int) -> bool:
        while pid > 1:
            if pid == self.root:
                return True
            pid = int(status_field(pid, "PPid") or 0)
        return False

    def _all(self) -> list[int]:
        if not self.root:
            return []
        found: dict[int, None] = {}
        pending = [pid for pid in children(self.root) if pid != self.stranger]
        while pending:
            pid = pending.pop()
            if pid not in found:
                found[pid] = None
                pending += children(pid)
        return list(found)
