"""How well a program can be shut in on this machine: six levels, found out by trying.

| level | who | what a program gets |
|---|---|---|
| L0 | root (CAP_SYS_ADMIN) | own network, sandbox, another user id; builds in a memory control group |
| L1 | anybody, with user namespaces | own network, sandbox |
| L2 | the same, /proc cannot be mounted (containers) | own network, sandbox without /proc |
| L3 | only bubblewrap may make namespaces | sandbox; the network is shared |
| L4 | nobody may, but Landlock works | files, signals confined; network and processes shared |
| L5 | nothing | nothing: trusted code only |

Versions are never asked: distributions patch kernels, containers forbid calls. The environment
variable ``SOCKSPEC_ISOLATION`` asks for a lower level than the best one (to see that it works).
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import os
import resource
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from harness.subject import landlock, namespaces
from harness.subject.trial import attempt, attempt_command

FORCE = "SOCKSPEC_ISOLATION"
FOUND = "SOCKSPEC_ISOLATION_FOUND"
_FLAGS = ("changes_user", "needs_user_namespace", "counts_foreign_processes")

#: User and group id of a program that root starts; nobody's, above those of distributions.
FIRST_UID = 60001

SANDBOX_VIEW = ("--ro-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--new-session")
AS_ROOT = (
    "--cap-drop",
    "ALL",
    "--cap-add",
    "CAP_SETUID",
    "--cap-add",
    "CAP_SETGID",
    "--cap-add",
    "CAP_SYS_PTRACE",
)


class Level(enum.StrEnum):
    """How well a program is shut in; earlier is better. The values are public (results schema)."""

    L0 = "L0"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"
    L5 = "L5"

    def reaches(self, other: Level) -> bool:
        """Whether this level is as good as *other* or better."""
        return self.value <= other.value


class IsolationError(ValueError):
    """`FORCE` asks for something that does not exist or is not to be had here."""


_LOST: Mapping[Level, str] = {
    Level.L0: "nothing is lost.",
    Level.L1: "the memory of builds is watched, not limited by the kernel.",
    Level.L2: "the program sees no /proc (leak checkers and some runtimes miss it).",
    Level.L3: "all checks share the machine's network: they run one after the other, on ports that are free; "
    "nothing is seen on the wire.",
    Level.L4: "all checks share the machine's network and processes: they run one after the other, on ports that "
    "are free; the program can reach the network; it is confined to its files by Landlock only.",
    Level.L5: "nothing confines the program: it can read, kill and connect to whatever you can. "
    "Use this for programs that you trust, only.",
}


@dataclass(frozen=True)
class Isolation:
    """What is used on this machine, and why it is not more."""

    level: Level
    #: Real root with another user id to spare: programs run as `FIRST_UID` and following.
    changes_user: bool
    #: An ordinary user must first become root of a user namespace (`prepare_process`).
    needs_user_namespace: bool = False
    #: RLIMIT_NPROC counts the processes of the user elsewhere on the machine too.
    counts_foreign_processes: bool = False
    #: Why the better levels are out of reach: level -> the system's answer.
    refused: Mapping[Level, str] = field(default_factory=dict, compare=False)

    @property
    def private_network(self) -> bool:
        """Whether every check has a network of its own."""
        return self.level.reaches(Level.L2)

    @property
    def sandboxed(self) -> bool:
        """Whether programs run in bubblewrap, with processes and files of their own."""
        return self.level.reaches(Level.L3)

    @property
    def mounts_proc(self) -> bool:
        """Whether programs see a /proc (of their own processes, in the sandbox)."""
        return self.level is not Level.L2

    def inside(self) -> Isolation:
        """The same, seen from inside our own user namespace."""
        return dataclasses.replace(self, needs_user_namespace=False)

    @property
    def lost(self) -> str:
        """One sentence: what is weaker at this level than at the best one."""
        return _LOST[self.level]

    def __str__(self) -> str:
        return f"{self.level}: {self.lost}"


def detect() -> Isolation:
    """The best level that works here, or the one that `FORCE` names; found once per process.

    Costs about 10 ms. Raises `IsolationError` for an unusable value of `FORCE`.
    """
    return _inherited(os.environ.get(FOUND, "")) or _detect(os.environ.get(FORCE, ""))


def hand_down(found: Isolation) -> None:
    """Spare our child processes (the workers of pytest-xdist) the trials: they find what we have found.

    They have a second thread already when they could try, and must not fork then.
    """
    os.environ[FOUND] = " ".join([found.level, *(name for name in _FLAGS if getattr(found, name))])


def _inherited(text: str) -> Isolation | None:
    if not text:
        return None
    level, *flags = text.split()
    user, namespace, foreign = (name in flags for name in _FLAGS)
    return Isolation(Level(level), user, namespace, foreign)


@functools.cache
def _detect(forced: str) -> Isolation:
    changes_user = os.geteuid() == 0 and attempt(_change_user) is None
    levels = list(_levels(forced, changes_user))
    outside = not changes_user and attempt(lambda: namespaces.unshare(namespaces.NEW_NET)) is not None
    refused: dict[Level, str] = {}
    for level in levels:
        problem = attempt(functools.partial(_TRIALS[level], changes_user, outside))
        if problem is not None:
            refused[level] = problem
            continue
        foreign = not changes_user and (not level.reaches(Level.L3) or _counts_foreign_processes())
        return Isolation(level, changes_user, outside and level.reaches(Level.L2), foreign, refused)
    raise IsolationError(f"not even {levels[-1]} works here: {refused[levels[-1]]}")


def _levels(forced: str, changes_user: bool) -> Iterator[Level]:
    """The levels to try, best first: L0 is root's, L1 everybody else's."""
    if forced and forced not in list(Level):
        raise IsolationError(f"{FORCE}={forced}: there are only {', '.join(Level)}")
    if forced == Level.L1 and changes_user:
        raise IsolationError(f"{FORCE}=L1 is for ordinary users; root has L0, L2, L3, L4 and L5")
    for level in Level:
        not_ours = Level.L1 if changes_user else Level.L0
        if level is not not_ours and (not forced or Level(forced).reaches(level)):
            yield level


def _counts_foreign_processes() -> bool:
    """Whether RLIMIT_NPROC means the user's processes everywhere; since Linux 5.14 each user namespace counts apart.

    Tried with a limit of two, which this process, its parent and its children exceed together.
    """

    def fork_as_second_process() -> None:
        namespaces.unshare(namespaces.NEW_USER)
        resource.setrlimit(resource.RLIMIT_NPROC, (2, 2))
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    return attempt(fork_as_second_process) is not None


def _change_user() -> None:
    os.setgroups([])
    os.setresgid(FIRST_UID, FIRST_UID, FIRST_UID)
    os.setresuid(FIRST_UID, FIRST_UID, FIRST_UID)


def bwrap_path() -> str:
    """Where bubblewrap is. Raises OSError when it is not installed."""
    found = shutil.which("bwrap")
    if found is None:
        raise OSError(0, "bubblewrap (bwrap) is not installed")
    return found


def _bwrap(changes_user: bool, *options: str) -> list[str]:
    identity = AS_ROOT if changes_user else ("--unshare-user", "--uid", "1000", "--gid", "1000")
    return [bwrap_path(), *identity, *SANDBOX_VIEW, *options, "--", "/bin/sh", "-c", ":"]


def _own_network(outside: bool) -> None:
    if outside:
        namespaces.become_root_of_own_user_namespace()
    namespaces.unshare(namespaces.NEW_NET)
    namespaces.raise_loopback()


def _network_and_sandbox(changes_user: bool, outside: bool) -> None:
    _own_network(outside)
    attempt_command(_bwrap(changes_user, "--proc", "/proc"))


def _network_and_sandbox_without_proc(changes_user: bool, outside: bool) -> None:
    _own_network(outside)
    attempt_command(_bwrap(changes_user))


def _sandbox_only(changes_user: bool, outside: bool) -> None:
    attempt_command(_bwrap(changes_user, "--proc", "/proc"))


def _landlock(changes_user: bool, outside: bool) -> None:
    if landlock.version() < 1:
        raise OSError(0, "this kernel has no Landlock")


def _nothing(changes_user: bool, outside: bool) -> None:
    """L5 always works."""


_TRIALS: Mapping[Level, Callable[[bool, bool], None]] = {
    Level.L0: _network_and_sandbox,
    Level.L1: _network_and_sandbox,
    Level.L2: _network_and_sandbox_without_proc,
    Level.L3: _sandbox_only,
    Level.L4: _landlock,
    Level.L5: _nothing,
}
