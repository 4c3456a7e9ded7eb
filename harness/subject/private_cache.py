"""A directory of our own that outlives a run: the compiled pid 1 and the sandbox's /etc are kept there."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from harness.subject.namespaces import uid_outside


class NoCache(RuntimeError):
    """There is no directory that we could write to and nobody else can."""


def private_cache() -> Path:
    """``$XDG_CACHE_HOME/sockspec``, ``~/.cache/sockspec`` or, failing these, one below /tmp; created if need be.

    It belongs to us and nobody else may write to it. Raises `NoCache`.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    usual = Path(home) if home.startswith("/") else Path.home() / ".cache"
    for candidate in (usual / "sockspec", Path(tempfile.gettempdir()) / f"sockspec-{uid_outside()}"):
        try:
            candidate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            candidate.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            continue
        if is_ours(candidate):
            return candidate
    raise NoCache("there is no directory for compiled helpers: make $XDG_CACHE_HOME or ~/.cache writable")


def is_ours(path: Path) -> bool:
    """Whether *path* is a file or directory that belongs to us and that nobody else can write."""
    try:
        status = path.lstat()
    except OSError:
        return False
    real = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return real and status.st_uid == os.geteuid() and not status.st_mode & 0o022
