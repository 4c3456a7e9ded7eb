"""The command line that shuts a program in: bubblewrap where it works, Landlock through our pid 1 elsewhere.

What a program sees: the system's programs and libraries, read-only; a few harmless files of /etc;
its own files; a private /tmp; nothing of anybody's home, of the harness, of its checks.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from harness.subject.etc import etc_directory
from harness.subject.isolation import AS_ROOT, Isolation, bwrap_path
from harness.subject.toolchains import toolbox

#: Where a program finds its files, and itself: symbolic links in a writable directory to read-only files.
WORK = "/app"
BUILT = "/built"
PID1 = "/sbx/pid1"
UID_INSIDE = 1000

_MEGABYTE = 1 << 20
_MADE_ANYWAY = ("/", "/usr", "/tmp", "/etc")
_SYSTEM_LINKS = ("lib", "lib32", "lib64", "libx32", "bin", "sbin")
#: With more files than this at the top of its directory, a program gets them read-only, without the links.
MOST_LINKS = 1000


@dataclass(frozen=True)
class View:
    """What one program is given besides the system: host paths, visible at the same paths unless said otherwise."""

    #: The built submission, or None. Its entries appear in the working directory.
    files: Path | None = None
    #: `files` itself is the working directory, and writable (to build in it).
    in_place: bool = False
    readable: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    tmp_mb: int = 16
    #: A file to show as /etc/hosts (hosts(5)); None: the sandbox's own. Only in a sandbox of bubblewrap.
    hosts: Path | None = None
    #: No network at all, not even the current one (to build).
    no_network: bool = False


def environment(view: View, home: str) -> dict[str, str]:
    """The environment of the program: clean, and what the assignment adds."""
    usual = {"PATH": toolbox(view.in_place).search_path, "HOME": home, "LANG": "C.UTF-8", "TMPDIR": home}
    return {**usual, **view.environment}


def bwrap_command(isolation: Isolation, view: View, pid1: Path) -> list[str]:
    """The words before our pid 1's own arguments. Raises OSError if bubblewrap is not installed."""
    words = [*_fixed_part(isolation), "--ro-bind", str(pid1), PID1]
    for variable, value in environment(view, "/tmp").items():
        words += ["--setenv", variable, value]
    if view.no_network:
        words += ["--unshare-net"]
    words += ["--size", str(view.tmp_mb * _MEGABYTE), "--perms", "1777", "--tmpfs", "/tmp"]
    for prefix in toolbox(view.in_place).prefixes:
        words += [*_parents(prefix), "--ro-bind", prefix, prefix]
    for prefix in ("/usr", *toolbox(view.in_place).prefixes):
        for path in hidden_paths():
            if path.is_relative_to(prefix):
                words += ["--tmpfs", str(path)]
    if view.hosts is not None:
        words += ["--ro-bind", str(view.hosts), "/etc/hosts"]
    words += _files(view)
    for path in view.readable:
        words += [*_parents(path), "--ro-bind", str(path), str(path)]
    for path in view.writable:
        words += [*_parents(path), "--bind", str(path), str(path)]
    return [*words, "--remount-ro", "/", "--remount-ro", "/dev", "--", PID1]


@functools.cache
def hidden_paths() -> tuple[Path, ...]:
    """The harness, wherever it is: a submission has no business with its checks and programs."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent
    return (checkout,) if (checkout / "pyproject.toml").exists() else (package,)


def _files(view: View) -> list[str]:
    if view.files is None:
        return _private_directory(view)
    if view.in_place:
        return ["--bind", str(view.files), WORK]
    names = sorted(os.listdir(view.files))
    if len(names) > MOST_LINKS:
        return ["--ro-bind", str(view.files), WORK]
    words = [*_private_directory(view), "--ro-bind", str(view.files), BUILT]
    for name in names:
        words += ["--symlink", f"{BUILT}/{name}", f"{WORK}/{name}"]
    return words


def _private_directory(view: View) -> list[str]:
    return ["--size", str(view.tmp_mb * _MEGABYTE), "--perms", "0777", "--tmpfs", WORK]


@functools.cache
def _fixed_part(isolation: Isolation) -> tuple[str, ...]:
    """What is the same for all programs."""
    words = [bwrap_path()]
    if isolation.changes_user:
        words += AS_ROOT
    else:
        words += ["--unshare-user", "--uid", str(UID_INSIDE), "--gid", str(UID_INSIDE)]
    words += [
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--as-pid-1",
        "--new-session",
    ]
    words += ["--hostname", "sandbox", "--clearenv", "--ro-bind", "/usr", "/usr"]
    if os.path.isdir("/usr/local"):
        words += ["--tmpfs", "/usr/local"]
    for name in _SYSTEM_LINKS:
        if os.path.islink(f"/{name}"):
            words += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            words += ["--ro-bind", f"/{name}", f"/{name}"]
    words += ["--ro-bind", str(etc_directory()), "/etc", *_parents(PID1)]
    if isolation.mounts_proc:
        words += ["--proc", "/proc"]
    words += ["--dev", "/dev", "--size", str(16 * _MEGABYTE), "--perms", "1777", "--tmpfs", "/dev/shm"]
    return (*words, "--size", "4096", "--perms", "0755", "--tmpfs", "/run")


def _parents(path: str | Path) -> list[str]:
    """Create the directories above a mount point; left to itself, bubblewrap lets only root into them."""
    above = [str(parent) for parent in reversed(Path(path).parents) if str(parent) not in _MADE_ANYWAY]
    return [word for directory in above for word in ("--perms", "0755", "--dir", directory)]


def landlock_arguments(view: View, own: Set[Path]) -> list[str]:
    """Arguments of our pid 1 that confine the program to its files where there is no bubblewrap."""
    system = [
        "/usr",
        *(f"/{name}" for name in _SYSTEM_LINKS),
        "/etc",
        "/proc",
        "/dev",
        "/sys/devices/system/cpu",
    ]
    readable = [*system, *toolbox(view.in_place).prefixes, *map(str, view.readable)]
    if view.files is not None and not view.in_place:
        readable.append(str(view.files))
    words = [word for path in readable for word in ("--readable", path)]
    for path in (
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/tty",
        "/dev/shm",
        *map(str, own),
        *map(str, view.writable),
    ):
        words += ["--writable", path]
    return words
