"""Threads of language runtimes that wake up regularly without running code of the program.

An idle JVM or Go program is never free of timers. This list is deliberately narrow: timed *futex*
waits only, of threads that the runtime itself started, known by name (JVM) or by an interval that
no other thread uses (Go). Thread.sleep() and every other timed wait of the program counts.
"""

from __future__ import annotations

import os
import time

from harness.observe.procfs import Thread, command_name
from harness.observe.wait import Wait, WaitKind

#: Names (cut to 15 characters by the kernel) of HotSpot's own threads, JDK 11 to 21.
_JVM_THREADS = frozenset(
    {
        "VM Periodic Tas",
        "VM Thread",
        "G1 Service",
        "Monitor Deflati",
        "C1 CompilerThre",
        "C2 CompilerThre",
        "Sweeper thread",
        "Common-Cleaner",
        "Cleaner-0",
        "Signal Dispatch",
        "process reaper",
        "Attach Listener",
    }
)
#: The thread that carries out operations of the whole JVM, its end among them.
_VM_THREAD = "VM Thread"
#: Idle, it wakes once a second (GuaranteedSafepointInterval). While the JVM ends it waits in steps of 10 ms for the
#: compilers (VM_Exit::wait_for_threads_in_native_to_block), and everybody else waits for it.
_VM_STEP = 0.05
#: Go's sysmon sleeps exactly this long when no Go timer is due earlier: so it also proves that none is.
_SYSMON_SECONDS = 60.0
#: Where an address sanitizer maps its shadow memory on x86-64, linked statically or not (kLowShadowBeg of its source).
_ASAN_SHADOW = "7fff7000-"


class Runtimes:
    """Recognises runtime-internal waits; remembers what each process executes."""

    def __init__(self) -> None:
        self._language: dict[tuple[int, str], str] = {}

    def is_internal(self, wait: Wait) -> bool:
        """Whether the timeout of *wait* wakes only the runtime."""
        if wait.kind is not WaitKind.TIMED or wait.call != "futex":
            return False
        language = self._of_process(wait.pid)
        if language == "java":
            wait.comm = wait.comm or command_name(Thread(wait.pid, wait.tid))
            return wait.comm in _JVM_THREADS and not _near_the_end(wait)
        return language == "go" and wait.period == _SYSMON_SECONDS

    def _of_process(self, pid: int) -> str:
        try:
            path = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return ""
        key = (pid, path)  # the pid may execute something else by now
        if key not in self._language:
            self._language[key] = _language_of(pid, path)
        return self._language[key]


def _near_the_end(wait: Wait) -> bool:
    """Whether the VM Thread may be in one of its short waits, after which the program goes on (or ends)."""
    if wait.comm != _VM_THREAD:
        return False
    if wait.due is not None:
        return wait.due - time.monotonic() < _VM_STEP
    return wait.period is None or wait.period < _VM_STEP


def language_of(pid: int) -> str:
    """``java`` or ``go`` if process *pid* runs under that runtime, otherwise empty."""
    try:
        return _language_of(pid, os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def has_sanitizer(pid: int) -> bool:
    """Whether process *pid* was built with an address sanitizer (-fsanitize=address), which keeps what is freed for a while."""
    try:
        with open(f"/proc/{pid}/maps") as regions:
            return any(line.startswith(_ASAN_SHADOW) or "/libasan." in line for line in regions)
    except OSError:
        return False


def _language_of(pid: int, path: str) -> str:
    if os.path.basename(path) == "java":
        return "java"
    try:
        with open(f"/proc/{pid}/exe", "rb") as executable:
            # The name of the ELF note that holds Go's build id, in the first page of every Go program.
            return "go" if b"Go\0\0" in executable.read(4096) else ""
    except OSError:
        return ""
