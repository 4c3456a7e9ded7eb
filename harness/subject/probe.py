"""What this machine offers, feature by feature, for ``sockspec doctor``."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

from harness.observe.lowlevel import duplicate_from
from harness.subject import landlock, namespaces
from harness.subject.cgroup import MemoryGroup
from harness.subject.isolation import Isolation, bwrap_path, detect
from harness.subject.launch import Launcher
from harness.subject.pid1_binary import pid1_binary
from harness.subject.toolchains import find_tool
from harness.subject.trial import attempt, attempt_command

TOOLS = ("cc", "c++", "make", "cmake", "python3", "node", "go", "javac", "java", "rustc", "cargo", "strace")


@dataclass(frozen=True)
class Feature:
    """One thing that the harness can make use of."""

    name: str
    works: bool
    #: The system's answer if it does not work; where it is, if it is a program.
    detail: str
    #: What it is good for.
    use: str


@dataclass(frozen=True)
class Findings:
    """The answer of `probe`."""

    isolation: Isolation
    features: tuple[Feature, ...]


def probe() -> Findings:
    """Try everything, each feature in a child process; takes about a tenth of a second.

    To be asked in a process that is not prepared for running checks. Raises IsolationError.
    """
    isolation = detect()
    features = [_tried(name, use, feature) for name, use, feature in _TRIALS]
    features += [_supervision(isolation), *map(_tool, TOOLS)]
    return Findings(isolation, tuple(features))


def _tried(name: str, use: str, feature: Callable[[], object]) -> Feature:
    problem = attempt(feature)
    return Feature(name, problem is None, problem or "", use)


def _tool(name: str) -> Feature:
    tool = find_tool(name) if name != "strace" else None
    path = tool.path if tool else shutil.which(name) if name == "strace" else None
    use = "traces for a failed check" if name == "strace" else "building and running submissions"
    return Feature(name, path is not None, path or "not installed", use)


def _supervision(isolation: Isolation) -> Feature:
    name, use = "seccomp user notification", "alarms and listen() are reported as they happen"
    try:
        with Launcher(isolation).start(["/bin/true"]) as program:
            works = program.supervised
            return Feature(
                name, works, "" if works else "refused (another supervisor, or Linux before 5.5)", use
            )
    except (OSError, RuntimeError) as error:
        return Feature(name, False, str(error), use)


def _own_namespaces() -> None:
    try:
        namespaces.unshare(namespaces.NEW_NET)
    except OSError:
        namespaces.become_root_of_own_user_namespace()
    namespaces.raise_loopback()


def _user_namespace() -> None:
    namespaces.unshare(namespaces.NEW_USER)


def _sandbox(*options: str) -> None:
    identity = [] if os.geteuid() == 0 else ["--unshare-user"]
    attempt_command(
        [
            bwrap_path(),
            *identity,
            "--unshare-pid",
            "--ro-bind",
            "/",
            "/",
            *options,
            "--",
            "/bin/sh",
            "-c",
            ":",
        ]
    )


def _packets() -> None:
    _own_namespaces()
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


def _tun() -> None:
    os.close(os.open("/dev/net/tun", os.O_RDWR))


def _borrow() -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    pidfd = os.pidfd_open(child)
    try:
        os.close(duplicate_from(pidfd, 0))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _subreaper() -> None:
    set_child_subreaper = 36
    if ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0):
        raise OSError(0, "refused")


def _landlock() -> None:
    if landlock.version() < 1:
        raise OSError(0, "not in this kernel, or not enabled at boot")


def _group() -> None:
    group = MemoryGroup.make(1 << 30)
    if group is None:
        raise OSError(0, "no control group may be made here")
    group.remove()


_TRIALS: tuple[tuple[str, str, Callable[[], object]], ...] = (
    ("network namespace", "a private network for each check", _own_namespaces),
    ("user namespace", "the same without being root", _user_namespace),
    ("bubblewrap", "the sandbox", lambda: _sandbox()),
    (
        "/proc in the sandbox",
        "leak checkers and runtimes find themselves",
        lambda: _sandbox("--proc", "/proc"),
    ),
    ("pid 1 compiled", "exact wait status; everything ends with its check", pid1_binary),
    ("subreaper", "sweeping up without a pid namespace", _subreaper),
    ("Landlock", "confinement of files without namespaces", _landlock),
    ("memory control group", "a memory limit that the kernel enforces", _group),
    ("pidfd_getfd", "reading the options of the program's sockets", _borrow),
    ("packet capture", "seeing what goes over the wire", _packets),
    ("TUN device", "a peer that speaks raw TCP", _tun),
)
