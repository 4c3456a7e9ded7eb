"""Looking at the files of a submission and of its build: never following a link, never opening a FIFO."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path


def find_executables(directory: Path) -> list[str]:
    """Regular executable files below *directory*, relative to it: programs and scripts, not shared libraries."""
    return sorted(
        name
        for name, (_, mode) in regular_files(directory).items()
        if _can_be_started(directory / name, mode)
    )


def _can_be_started(path: Path, mode: int) -> bool:
    if not mode & 0o111 or path.suffix in (".so", ".o", ".a", ".dll") or ".so." in path.name:
        return False
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(4).startswith((b"\x7fELF", b"#!"))
    return False


def regular_files(directory: Path) -> dict[str, tuple[int, int]]:
    """Path -> (time of last change in ns, mode), symbolic links neither listed nor followed."""
    found: dict[str, tuple[int, int]] = {}
    for above, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(above, name))
                if stat.S_ISREG(status.st_mode):
                    relative = os.path.relpath(os.path.join(above, name), directory)
                    found[relative] = (status.st_mtime_ns, status.st_mode)
    return found


def size_of(directory: Path) -> int:
    """Bytes on disk of all files below *directory*."""
    total = 0
    for above, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(above, name)).st_blocks * 512
    return total


def give_away(directory: Path, give: Callable[[str], None]) -> None:
    """Call *give* for everything in *directory* and for itself."""
    give(str(directory))
    for above, directories, names in os.walk(directory):
        for name in (*directories, *names):
            give(os.path.join(above, name))


def make_readable(directory: Path) -> None:
    """Whatever umask or modes the build had: the program, perhaps another user, must be able to read it."""
    for above, _, names in os.walk(directory):
        os.chmod(above, 0o755)
        for name in names:
            path = os.path.join(above, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                os.chmod(path, 0o755 if mode & 0o111 else 0o644)


def without_wrapping(directory: Path) -> Path:
    """The directory with the files: archives often hold a single directory that holds everything."""
    for _ in range(3):
        entries = [entry for entry in os.scandir(directory) if not entry.name.startswith(".")]
        if len(entries) != 1 or not entries[0].is_dir(follow_symlinks=False):
            break
        directory = Path(entries[0].path)
    return directory
