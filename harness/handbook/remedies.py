"""What stands in the way of a better isolation or of a better sight, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.subject.isolation import Level
from harness.subject.probe import Findings


@dataclass(frozen=True)
class _Switch:
    """A setting of the kernel that forbids something, and how to change it."""

    path: str
    forbids: Callable[[int], bool]
    remedy: str


_SWITCHES = (
    _Switch(
        "/proc/sys/kernel/unprivileged_userns_clone",
        lambda value: value == 0,
        "user namespaces are switched off (Debian's kernel.unprivileged_userns_clone): "
        "sysctl kernel.unprivileged_userns_clone=1",
    ),
    _Switch(
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        lambda value: value == 1,
        "AppArmor keeps user namespaces to itself (Ubuntu since 23.10): "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root",
    ),
    _Switch(
        "/proc/sys/user/max_user_namespaces",
        lambda value: value == 0,
        "no user namespaces are allowed: sysctl user.max_user_namespaces=10000",
    ),
    _Switch(
        "/proc/sys/kernel/yama/ptrace_scope",
        lambda value: value >= 2,
        "Yama forbids looking at other processes, our own children included: sysctl kernel.yama.ptrace_scope=1",
    ),
)


def remedies(findings: Findings) -> list[str]:
    """What would help, the likeliest first; empty if nothing is missing."""
    return list(_remedies(findings))


def _remedies(findings: Findings) -> Iterator[str]:
    missing = {feature.name for feature in findings.features if not feature.works}
    if "bubblewrap" in missing and "not installed" in _answer(findings, "bubblewrap"):
        yield "install bubblewrap (Debian and Ubuntu: apt install bubblewrap)"
    if "pid 1 compiled" in missing or "cc" in missing:
        yield "install a C compiler and the C library's headers (Debian and Ubuntu: apt install gcc libc6-dev)"
    if "strace" in missing:
        yield "install strace (Debian and Ubuntu: apt install strace)"
    for switch in _SWITCHES:
        if (value := _setting(switch.path)) is not None and switch.forbids(value):
            yield switch.remedy
    if findings.isolation.refused and not findings.isolation.level.reaches(Level.L1) and _in_container():
        yield (
            "this is a container: it must allow namespaces (docker run --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined --security-opt systempaths=unconfined, or --privileged)"
        )


def _answer(findings: Findings, name: str) -> str:
    return next((feature.detail for feature in findings.features if feature.name == name), "")


def _setting(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def _in_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
