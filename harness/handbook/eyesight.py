"""What the observer may look at on this machine, tried on a child process: for ``sockspec doctor``."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.observe.lowlevel import read_memory, slurp
from harness.observe.sock_diag import SockDiag
from harness.observe.syscalls import Calls
from harness.subject import namespaces
from harness.subject.probe import Feature
from harness.subject.trial import attempt


@dataclass(frozen=True)
class _Trial:
    name: str
    use: str
    feature: Callable[[], object]


@contextmanager
def _child() -> Iterator[int]:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _waits() -> None:
    with _child() as pid:
        slurp(f"/proc/{pid}/task/{pid}/syscall", 256)


def _memory() -> None:
    word = ctypes.create_string_buffer(b"sockspec")
    with _child() as pid:  # a forked child has the same addresses as we have
        read_memory(pid, ctypes.addressof(word), 8)


def _timers() -> None:
    slurp("/proc/self/timers", 64)


def _machine() -> None:
    if not Calls().supported:
        raise OSError(0, f"none for {platform.machine()}")


def _sockets() -> None:
    with SockDiag() as diag:
        diag.listeners()
        diag.udp_sockets()
        diag.unix_sockets()


def _ipv6() -> None:
    try:
        namespaces.unshare(namespaces.NEW_NET)
        namespaces.raise_loopback()
    except OSError:  # no network of our own: then that of the machine counts
        pass
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.bind(("::1", 0))


#: Without it nothing is ever ready and nothing is ever seen in flight.
SOCK_DIAG = "sock_diag"

_TRIALS = (
    _Trial(SOCK_DIAG, "seeing that a program listens, and what is in flight", _sockets),
    _Trial("/proc/PID/syscall", "proving what each thread waits for", _waits),
    _Trial("system call tables", "decoding what a thread waits for", _machine),
    _Trial("process_vm_readv", "reading what poll() and select() wait for", _memory),
    _Trial("/proc/PID/timers", "knowing of POSIX timers", _timers),
    _Trial("IPv6", "the transports tcp6, tcp-dual and udp6", _ipv6),
)


def eyesight() -> tuple[Feature, ...]:
    """Try each in a child process of its own."""
    found = []
    for trial in _TRIALS:
        problem = attempt(trial.feature)
        found.append(Feature(trial.name, problem is None, problem or "", trial.use))
    return tuple(found)
