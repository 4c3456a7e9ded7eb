"""What this machine lets us see, for ``sockspec doctor``: tried, not guessed."""

from __future__ import annotations

import os
import platform
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum

from harness.observe.borrowed import Forbidden, borrowed
from harness.observe.lowlevel import read_memory, slurp
from harness.observe.sock_diag import SockDiag
from harness.observe.syscalls import Calls


class Rung(IntEnum):
    """How exact verdicts are. Lower is better; each rung is chosen by itself, at run time."""

    FULL = 1  #: proven idle, in a millisecond
    NO_BORROWING = 2  #: the same, as long as the supervisor reports socket timeouts
    STATES_ONLY = 3  #: asleep or not: every negative verdict costs the patience, in idle time
    NOTHING = 4  #: not a Linux /proc


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Each field: whether it works here, for a program of the same user.

    *children*: CONFIG_PROC_CHILDREN. *syscall*: what a blocked thread waits for. *memory*: its
    arguments in memory. *borrow*: pidfd_getfd(2). *timers*: POSIX timers are visible
    (CONFIG_CHECKPOINT_RESTORE). *tcp*, *udp*, *unix*: sock_diag(7). *table*: system call numbers of
    this architecture are known. *direct_loopback*: packets are not moved to other CPUs (RPS).
    """

    children: bool
    syscall: bool
    memory: bool
    borrow: bool
    timers: bool
    tcp: bool
    udp: bool
    unix: bool
    table: bool
    direct_loopback: bool

    @property
    def rung(self) -> Rung:
        """The exactness to expect."""
        if not self.children:
            return Rung.NOTHING
        if not (self.syscall and self.memory and self.table):
            return Rung.STATES_ONLY
        return Rung.FULL if self.borrow else Rung.NO_BORROWING

    def missing(self) -> list[str]:
        """Names of what does not work, for a table."""
        return [field.name for field in fields(self) if not getattr(self, field.name)]


def capabilities() -> Capabilities:
    """Try everything on a child of ours that is blocked in read(2)."""
    theirs, ours = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            os.read(theirs, 1)
        finally:
            os._exit(0)
    try:
        _wait_until_asleep(pid)
        with SockDiag() as diag:
            return Capabilities(
                children=_works(lambda: slurp(f"/proc/{pid}/task/{pid}/children")),
                syscall=_works(lambda: slurp(f"/proc/{pid}/syscall")),
                memory=_works(lambda: read_memory(pid, _stack_pointer(pid), 8)),
                borrow=_works(lambda: _borrow(pid, theirs)),
                timers=_works(lambda: slurp(f"/proc/{pid}/timers")),
                tcp=_works(lambda: _finds_listener(diag)),
                udp=_works(lambda: _finds_datagram_socket(diag)),
                unix=_works(lambda: _finds_unix_socket(diag)),
                table=Calls(platform.machine()).supported,
                direct_loopback=_loopback_is_direct(),
            )
    finally:
        os.close(theirs)
        os.close(ours)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _works(attempt: Callable[[], object]) -> bool:
    try:
        return attempt() is not False
    except (OSError, Forbidden, ValueError, IndexError):
        return False


def _wait_until_asleep(pid: int) -> None:
    while b") S " not in slurp(f"/proc/{pid}/stat", 4096):
        os.sched_yield()


def _stack_pointer(pid: int) -> int:
    return int(slurp(f"/proc/{pid}/syscall").split()[-2], 16)


def _borrow(pid: int, fd: int) -> None:
    with borrowed(pid, fd):
        pass


def _finds_listener(diag: SockDiag) -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return diag.listener(*server.getsockname()) is not None


def _finds_datagram_socket(diag: SockDiag) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return any(found.local == sock.getsockname() for found in diag.udp_sockets())


def _finds_unix_socket(diag: SockDiag) -> bool:
    with socket.socket(socket.AF_UNIX) as sock:
        return diag.unix(os.fstat(sock.fileno()).st_ino) is not None


def _loopback_is_direct() -> bool:
    """Receive packet steering is off on lo: Documentation/networking/scaling.rst."""
    try:
        mask = slurp("/sys/class/net/lo/queues/rx-0/rps_cpus").decode().strip()
    except OSError:
        return True
    return not mask.replace(",", "").strip("0")
