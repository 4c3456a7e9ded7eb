"""Names for threads and processes in sentences: the numbers that the program itself would see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.observe.procfs import status_field
from harness.observe.wait import Wait, WaitKind


class Who:
    """Threads are counted from 1 within their process; processes go by their innermost pid."""

    def __init__(self, waits: Iterable[Wait]) -> None:
        self._tids: dict[int, list[int]] = {}
        alive: set[int] = set()
        for wait in waits:
            tids = self._tids.setdefault(wait.pid, [])
            if wait.tid not in tids:
                tids.append(wait.tid)
            if wait.kind is not WaitKind.DEAD:
                alive.add(wait.pid)
        self._one_process = len(self._tids) == 1

    def name(self, wait: Wait) -> str:
        """``thread 2``, ``process 7`` or ``thread 2 of process 7``."""
        tids = sorted(self._tids[wait.pid])
        thread = f"thread {tids.index(wait.tid) + 1}"
        if self._one_process:
            return thread
        process = f"process {inside_pid(wait.pid)}"
        return process if len(tids) == 1 else f"{thread} of {process}"

    def names(self, waits: Sequence[Wait]) -> str:
        """The subject of a sentence about several threads: ``threads 2, 3 and 4``."""
        names = list(dict.fromkeys(self.name(wait) for wait in waits))
        if len(names) == 1:
            return names[0]
        noun, _, _ = names[0].partition(" ")
        if all(name.startswith(f"{noun} ") and name.count(" ") == 1 for name in names):
            numbers = [name.partition(" ")[2] for name in names]
            return f"{noun}{'es' if noun == 'process' else 's'} {_and(numbers)}"
        return _and(names)


def inside_pid(pid: int) -> int:
    """The pid as the process itself sees it: the last number of the line NSpid."""
    inside = status_field(pid, "NSpid").split()
    return int(inside[-1]) if inside else pid


def _and(words: list[str]) -> str:
    if len(words) > 6:
        words = [*words[:5], f"{len(words) - 5} more"]
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else words[0]
