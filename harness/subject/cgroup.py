"""A memory limit that the kernel enforces, for root: one control group for each build, cgroups(7).

Version 1 is exercised; version 2 needs the memory controller delegated to where we are. Where
neither works `harness.subject.memory` watches instead.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_NAME = "sockspec-"
_number = itertools.count()


@dataclass(frozen=True)
class _Hierarchy:
    """Where we may make groups, and what the files are called there."""

    parent: Path
    limit: str
    events: str


_V1 = ("memory.limit_in_bytes", "memory.oom_control")
_V2 = ("memory.max", "memory.events")


class MemoryGroup:
    """A control group with a limit of *limit* bytes; raises OSError if there can be none."""

    def __init__(self, hierarchy: _Hierarchy, limit: int) -> None:
        self._hierarchy = hierarchy
        self._directory = hierarchy.parent / f"{_NAME}{os.getpid()}-{next(_number)}"
        self._directory.mkdir()
        try:
            self._write(hierarchy.limit, str(limit))
        except OSError:
            self.remove()
            raise

    @classmethod
    def make(cls, limit: int) -> MemoryGroup | None:
        """A new group, None if that is not possible here."""
        hierarchy = _find_hierarchy()
        if hierarchy is not None:
            with contextlib.suppress(OSError):
                return cls(hierarchy, limit)
        return None

    def add(self, pid: int) -> None:
        """Put a process in; its children will be in it too. Raises OSError."""
        self._write("cgroup.procs", str(pid))

    @property
    def has_killed(self) -> bool:
        """Whether the kernel has killed a process of the group because of the limit."""
        with contextlib.suppress(OSError):
            for line in (self._directory / self._hierarchy.events).read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    return int(value) > 0
        return False

    def remove(self) -> None:
        """Remove the group, which must be empty by now."""
        with contextlib.suppress(OSError):
            self._directory.rmdir()

    def _write(self, name: str, value: str) -> None:
        (self._directory / name).write_text(value)


@functools.cache
def _find_hierarchy() -> _Hierarchy | None:
    """Our own group in either version, if groups with a limit can be made below it; leftovers are removed."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            found = _Hierarchy(_ROOT / "memory" / path.lstrip("/"), *_V1)
        elif number == "0" and (_ROOT / "cgroup.controllers").exists():
            found = _Hierarchy(_ROOT / path.lstrip("/"), *_V2)
        else:
            continue
        with contextlib.suppress(OSError):
            _remove_leftovers(found.parent)
            MemoryGroup(found, 1 << 30).remove()
            return found
    return None


def _remove_leftovers(parent: Path) -> None:
    """Groups of harness processes that were killed."""
    for group in parent.glob(f"{_NAME}*"):
        pid = group.name.removeprefix(_NAME).split("-")[0]
        if not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                group.rmdir()
