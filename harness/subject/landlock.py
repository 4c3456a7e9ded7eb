"""Whether this kernel has Landlock, landlock(7); `pid1/landlock.c` is what uses it."""

from __future__ import annotations

import ctypes

_CREATE_RULESET = 444  # the same number on every architecture
_QUERY_VERSION = 1


def version() -> int:
    """The version of Landlock's interface, 0 if there is none (too old, or not enabled at boot)."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _QUERY_VERSION)
    return max(answer, 0)
