"""Who waits for whom: locks, joins, and the circles that are deadlocks.

glibc keeps the owner of a mutex in its memory (pthread_mutex_t: lock word, count, owner), so that
"thread 1 waits for the mutex that thread 2 holds" can be read from outside. With another libc or
another kind of lock nothing matches, and the sentence stays general.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from harness.observe.lowlevel import read_memory, slurp
from harness.observe.wait import Wait
from harness.observe.who import Who

_FUTEX_PRIVATE = 128
#: The lock word of a glibc mutex for which somebody waits; the waiter passes it as the expected value.
_CONTENDED = 2


@dataclass(frozen=True, slots=True)
class Circle:
    """Threads that wait for one another: their tids, and the sentence ``thread 1 waits for a mutex that ...``."""

    tids: frozenset[int]
    chain: str

    def __str__(self) -> str:
        return f"deadlock: {self.chain}"


class Locks:
    """The futex waits of one look."""

    def __init__(self, waits: Sequence[Wait], who: Who) -> None:
        self._who = who
        self._by_inside_tid = {}
        self._waits_for: dict[int, tuple[Wait, str]] = {}
        futexes = [wait for wait in waits if wait.lock is not None]
        if futexes:
            for wait in waits:
                self._by_inside_tid[wait.pid, _inside_tid(wait)] = wait
        for wait in futexes:
            self._find_owner(wait)

    def _find_owner(self, wait: Wait) -> None:
        address, operation, expected = wait.arguments[0], wait.arguments[1], wait.arguments[2] & 0xFFFFFFFF
        if not operation & _FUTEX_PRIVATE:
            joined = self._by_inside_tid.get((wait.pid, expected))
            if joined is not None:
                self._waits_for[wait.tid] = (joined, "waits for {} to end (pthread_join)")
            return
        if expected != _CONTENDED:
            return
        try:
            word, _, owner = struct.unpack("=III", read_memory(wait.tid, address, 12))
        except (OSError, struct.error):
            return
        holder = self._by_inside_tid.get((wait.pid, owner))
        if word == _CONTENDED and holder is not None:
            self._waits_for[wait.tid] = (holder, "waits for a mutex that {} holds")

    def phrase(self, wait: Wait) -> str:
        """What *wait* waits for, "" if it is no lock."""
        if wait.tid in self._waits_for:
            other, sentence = self._waits_for[wait.tid]
            holder = "it itself already" if other is wait else self._who.name(other)
            return sentence.format(holder)
        return "waits for a lock or condition variable" if wait.lock is not None else ""

    def holders(self) -> list[Wait]:
        """What the threads do that hold a mutex for which others wait."""
        return [holder for holder, sentence in self._waits_for.values() if "mutex" in sentence]

    def cycles(self) -> list[Circle]:
        """Each circle of threads that wait for one another."""
        found: list[Circle] = []
        done: set[int] = set()
        for start in self._waits_for:
            path: list[int] = []
            tid = start
            while tid in self._waits_for and tid not in path and tid not in done:
                path.append(tid)
                tid = self._waits_for[tid][0].tid
            if tid in path:
                circle = path[path.index(tid) :]
                found.append(Circle(frozenset(circle), ", ".join(map(self._link, circle))))
            done.update(path)
        return found

    def _link(self, tid: int) -> str:
        holder, _ = self._waits_for[tid]
        waiter = next(wait for wait in self._by_inside_tid.values() if wait.tid == tid)
        return f"{self._who.name(waiter)} {self.phrase(waiter)}" if holder is not None else ""


def _inside_tid(wait: Wait) -> int:
    """The thread's id as the program itself sees it."""
    try:
        status = slurp(f"/proc/{wait.pid}/task/{wait.tid}/status").decode(errors="replace")
    except OSError:
        return wait.tid
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    return wait.tid
