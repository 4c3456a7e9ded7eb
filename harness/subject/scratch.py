"""Temporary directories that do not outlive us, even if we are killed: the next run removes what it finds unlocked."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path

#: Seconds for which a directory is left alone in any case: its maker may not have locked it yet.
_YOUNG = 60.0
#: Where, and how the names begin. UNIX sockets need short paths (sun_path has 108 bytes), whatever TMPDIR says.
_SHORT = Path("/tmp")
_SHORT_PREFIX, _PREFIX = "ss-", "sockspec-tmp-"


class Scratch:
    """A directory of our own, locked (flock(2)) as long as we live and use it."""

    def __init__(self, *, short: bool = False) -> None:
        _remove_leftovers()
        where = _SHORT if short else Path(tempfile.gettempdir())
        self.path = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX if short else _PREFIX, dir=where))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the directory with everything in it; idempotent."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


@functools.cache
def _remove_leftovers() -> None:
    """Once per process: directories of ours that nobody locks; their harness was killed."""
    for where, prefix in ((_SHORT, _SHORT_PREFIX), (Path(tempfile.gettempdir()), _PREFIX)):
        for path in where.glob(f"{prefix}*"):
            with contextlib.suppress(OSError):
                _remove_if_unused(path)


def _remove_if_unused(path: Path) -> None:
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(lock)
        # Root gives some of them away to the user that its programs run as.
        if time.time() - status.st_ctime < _YOUNG or os.geteuid() not in (0, status.st_uid):
            return
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
