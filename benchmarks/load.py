"""Making the machine too small: busy loops that end with whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Looks now and then whether its parent is still there: a proof that is killed leaves no loop behind.
_LOOP = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """Keep *number* of them running."""
    loops: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(number):
            loops.append(subprocess.Popen([sys.executable, "-c", _LOOP, str(os.getpid())]))
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
