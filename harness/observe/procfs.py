"""Reading /proc/PID of the program's processes and threads: proc(5).

Files that are read twice in every look are kept open; ``pread`` makes the kernel generate
their content anew, which costs a quarter of open, read and close.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from typing import NamedTuple

from harness.observe.lowlevel import slurp

#: Files kept open at most; a look at more threads than that reopens some.
MOST_OPEN_FILES = 600

#: Pids allocated during one look, and readings of that number, after which `newcomer` gives up.
_MOST_NEWCOMERS, _MOST_ROUNDS = 100, 4

#: What ``ProcFs.syscall`` answers for a thread that we may not inspect (no ptrace access).
HIDDEN = b"hidden"


class Changed(Exception):
    """The program did something while we were looking: it is busy, look again."""


class Thread(NamedTuple):
    """One thread, by host pid of its process and its own host tid."""

    pid: int
    tid: int


def children(pid: int) -> list[int]:
    """Pids of the children of all threads of *pid*; empty when it is gone. Always readable, by anybody."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, slurp(f"/proc/{pid}/task/{task}/children").split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def threads_below(root: int) -> list[Thread]:
    """All threads of all descendants of *root*, zombies included, *root* itself not; sorted.

    The list is not a snapshot: who forks while we read may be missed. A caller that must be sure
    compares two lists and `last_pid` around them.
    """
    found: list[Thread] = []
    seen = {root}
    pending = children(root)
    while pending:
        pid = pending.pop()
        if pid in seen:
            continue
        seen.add(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                found.append(Thread(pid, int(task)))
                pending += map(int, slurp(f"/proc/{pid}/task/{task}/children").split())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return sorted(found)


def last_pid() -> int:
    """The pid that was allocated last, by anybody we can see: field 5 of /proc/loadavg.

    Unchanged means that no thread and no process was created meanwhile, anywhere in the tree.
    """
    return int(slurp("/proc/loadavg", 128).split()[-1])


def newcomer(root: int, since: int, known: Collection[int]) -> int | None:
    """A live thread below *root* whose pid was allocated after *since* and is not *known*; None if there is none.

    Raises Changed when too many pids were allocated to say, by whomever.
    """
    for _ in range(_MOST_ROUNDS):
        last = last_pid()
        if last == since:
            return None
        if not 0 < last - since <= _MOST_NEWCOMERS:
            break
        foreign: set[int] = set()
        for tid in range(since + 1, last + 1):
            if tid not in known and _descends(tid, root, foreign):
                return tid
        if last_pid() == last:
            return None
    raise Changed("many processes were created somewhere")


def _descends(tid: int, root: int, foreign: set[int]) -> bool:
    """Whether *tid* lives and its ancestors lead to *root*; *foreign* collects those that do not."""
    path = set()
    while tid not in foreign:
        if tid == root:
            return True
        path.add(tid)
        try:
            tid = int(slurp(f"/proc/{tid}/stat", 4096).rsplit(b")", 1)[1].split(None, 2)[1])
        except (FileNotFoundError, ProcessLookupError):
            if len(path) == 1:
                return False  # dead already
            raise Changed("a process somewhere was adopted") from None
        if tid == 0:
            break
    foreign |= path
    return False


def process_state(pid: int) -> str:
    """State letter of the process' leader (R, S, D, Z, T, t, X); "X" when it is gone."""
    try:
        return _state_in(slurp(f"/proc/{pid}/stat", 4096))
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _state_in(stat: bytes) -> str:
    # The command name, in parentheses, may itself contain blanks and parentheses.
    return stat.rsplit(b")", 1)[1].split(None, 1)[0].decode()


def descriptor_link(tid: int, fd: int) -> str | None:
    """What descriptor *fd* of thread *tid* refers to, for example ``socket:[4711]``; None when it is not open.

    By thread, not by process: when the main thread has ended in pthread_exit(3), /proc/PID/fd is empty.
    """
    try:
        return os.readlink(f"/proc/{tid}/fd/{fd}")
    except FileNotFoundError:
        return None


def descriptors(pid: int) -> dict[int, str]:
    """Every open descriptor of *pid* with what it refers to; empty for a zombie or without access."""
    for tid in _tasks(pid):
        table = {}
        # Gone; a zombie (EACCES for an unprivileged reader); no ptrace access.
        with contextlib.suppress(OSError):
            for fd in sorted(map(int, os.listdir(f"/proc/{tid}/fd"))):
                link = descriptor_link(tid, fd)
                if link is not None:
                    table[fd] = link
        if table:
            return table
    return {}


def _tasks(pid: int) -> Iterator[int]:
    """The main thread, then, if that one has ended, the others."""
    yield pid
    if process_state(pid) == "Z":
        with contextlib.suppress(OSError):
            yield from sorted(map(int, os.listdir(f"/proc/{pid}/task")))


def socket_inode(link: str) -> int | None:
    """Inode number in a link ``socket:[N]``; None for anything else."""
    return int(link[8:-1]) if link.startswith("socket:[") else None


def descriptor_info(tid: int, fd: int) -> list[str]:
    """Lines of fdinfo/FD of thread *tid*. Raises Changed when the descriptor was closed meanwhile."""
    try:
        return slurp(f"/proc/{tid}/fdinfo/{fd}").decode().splitlines()
    except FileNotFoundError:
        raise Changed(f"descriptor {fd} was closed") from None


def command_name(thread: Thread) -> str:
    """Name of the thread (``comm``, at most 15 characters); empty when it is gone."""
    try:
        return slurp(f"/proc/{thread.pid}/task/{thread.tid}/comm", 64).decode(errors="replace").strip()
    except OSError:
        return ""


def status_field(pid: int, name: str) -> str:
    """Value of a line of /proc/PID/status; empty when absent or the process is gone."""
    try:
        for line in slurp(f"/proc/{pid}/status").decode(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return value.strip()
    except (FileNotFoundError, ProcessLookupError):
        pass
    return ""


class ProcFs:
    """Per-thread files of /proc, kept open between reads.

    *trace* False forbids ``syscall``, as a kernel or a lack of ptrace access would.
    """

    def __init__(self, *, trace: bool = True) -> None:
        self._trace = trace and os.path.exists("/proc/self/syscall")
        self._open: dict[tuple[Thread, str], int] = {}
        self._counter = "schedstat" if _schedstat_counts() else "status"

    def close(self) -> None:
        """Close all kept files."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()

    def read(self, thread: Thread, name: str) -> bytes:
        """Content of /proc/PID/task/TID/*name*. Raises Changed when the thread is gone."""
        key = (thread, name)
        fd = self._open.get(key)
        try:
            if fd is None:
                if len(self._open) >= MOST_OPEN_FILES:
                    self.close()
                path = f"/proc/{thread.pid}/task/{thread.tid}/{name}"
                fd = self._open[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(fd, 4096, 0)
        except (ProcessLookupError, FileNotFoundError):
            stale = self._open.pop(key, None)
            if stale is not None:
                os.close(stale)
            raise Changed(f"thread {thread.tid} ended") from None

    def runs(self, thread: Thread) -> bytes:
        """How often the thread was put on a CPU, as an opaque value that changes at every switch-in.

        schedstat field 3; without CONFIG_SCHED_INFO the two context-switch counters of ``status``.
        """
        content = self.read(thread, self._counter)
        if self._counter == "schedstat":
            return content.split()[2]
        return content[content.index(b"voluntary_ctxt") :]

    def syscall(self, thread: Thread) -> bytes:
        """The line of ``syscall``: ``NR ARG0 .. ARG5 SP PC`` of a blocked thread, or ``running``.

        The kernel prints numbers only for a thread that is off its CPU and blocked, and that did
        not run while its registers were copied (``task_current_syscall``): such a line is an atomic
        fact. Without ptrace access: ``-1`` (dead), ``running``, or `HIDDEN` and the state letter.
        """
        if self._trace:
            with contextlib.suppress(PermissionError):
                return self.read(thread, "syscall")
        state = self.state(thread)
        if state in "ZX":
            return b"-1 0 0"
        return b"running" if state == "R" else HIDDEN + b" " + state.encode()

    def state(self, thread: Thread) -> str:
        """State letter of the thread: R, S, D, T (stopped), t (traced), Z, X, I. Readable by anybody."""
        return _state_in(self.read(thread, "stat"))


def _schedstat_counts() -> bool:
    """Whether this kernel counts runs in schedstat (CONFIG_SCHED_INFO): ours cannot be 0."""
    try:
        return slurp("/proc/self/schedstat", 128).split()[2] != b"0"
    except (OSError, IndexError):
        return False
