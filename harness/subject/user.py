"""The user that programs run as when we are root: one that no other harness on this machine uses at the same time.

A program without a pid namespace of its own can signal whatever runs under its user id (kill(2)), and RLIMIT_NPROC
counts by user id (getrlimit(2)): two harnesses must not share one.
"""

from __future__ import annotations

import fcntl
import functools
import os

from harness.subject.isolation import FIRST_UID

#: So many user ids from `FIRST_UID` on are ours to choose from.
_UIDS = 1000

_LOCKS = "/run/sockspec"


@functools.cache
def own_uid() -> int:
    """A user id that is this process's for as long as it lives; any of ours if locks cannot be made."""
    first = os.getpid() % _UIDS
    try:
        os.makedirs(_LOCKS, mode=0o700, exist_ok=True)
        for offset in range(_UIDS):
            uid = FIRST_UID + (first + offset) % _UIDS
            lock = os.open(f"{_LOCKS}/uid-{uid}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
            else:
                return uid  # the descriptor stays open, and with it the lock, until this process ends
    except OSError:
        pass
    return FIRST_UID + first
