"""The words for one blocked thread: what it waits for, and what could end the wait."""

from __future__ import annotations

import select
from dataclasses import dataclass, field
from enum import StrEnum

from harness.observe.sock_diag import InetSocket, UnixSocket

#: poll(2) events a thread waits for.
IN, OUT = select.POLLIN, select.POLLOUT

#: `Wait.call` of a thread that we may not inspect.
UNSEEN_CALL = "?"


class WaitKind(StrEnum):
    """What can end a wait."""

    EVENT = "event"  # only an event from outside the thread
    TIMED = "timed"  # also a timer
    UNKNOWN = "unknown"  # we cannot tell
    STORAGE = "storage"  # a disk: will end by itself, soon
    STOPPED = "stopped"  # SIGCONT or SIGKILL
    DEAD = "dead"  # nothing: a zombie


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An awaited descriptor: *link* as in /proc/PID/fd, *events* as in poll(2).

    *socket* is what the kernel knows of it if it is one, *targets* what an epoll(7) descriptor
    watches; *edge_triggered* says that it is watched with EPOLLET.
    """

    fd: int
    link: str
    events: int
    socket: InetSocket | UnixSocket | None = None
    targets: tuple[Descriptor, ...] = ()
    edge_triggered: bool = False


@dataclass(slots=True)
class Wait:
    """What one thread is blocked in.

    *fds* maps each awaited descriptor to poll(2) events. *due* is the CLOCK_MONOTONIC second of
    the timeout if the kernel tells it, *period* the length in seconds of a relative timeout, and
    *wakes_at* the earliest CLOCK_MONOTONIC second at which a timer can end the wait (None: never).
    *runs* is the run counter of the thread: it identifies this very sleep. *internal*: a thread of
    a language runtime that runs no code of the program.
    """

    pid: int
    tid: int
    call: str
    kind: WaitKind = WaitKind.UNKNOWN
    fds: dict[int, int] = field(default_factory=dict)
    due: float | None = None
    period: float | None = None
    wakes_at: float | None = None
    note: str = ""
    #: A blocking call on one descriptor: SO_RCVTIMEO and SO_SNDTIMEO count.
    direct: bool = False
    #: It goes on when all of its descriptors are ready, not when one is: splice(2).
    needs_all: bool = False
    #: Address of the futex word: equal for threads that wait for the same lock.
    lock: int | None = None
    arguments: tuple[int, ...] = ()
    descriptors: list[Descriptor] = field(default_factory=list)
    runs: bytes = b""
    comm: str = ""
    internal: bool = False

    def may_end_at(self, due: float | None) -> None:
        """A timer ends this wait at *due* (CLOCK_MONOTONIC seconds; None: some time) at the latest."""
        if self.kind is WaitKind.EVENT:
            self.kind, self.due = WaitKind.TIMED, due
        elif self.kind is WaitKind.TIMED:
            known = due is not None and self.due is not None
            self.due = min(due, self.due) if known and due is not None and self.due is not None else None
            self.period = self.period if known else None

    def cannot_tell(self, note: str) -> None:
        """Something about this wait is beyond what we can see."""
        self.kind = WaitKind.UNKNOWN
        self.note = note
