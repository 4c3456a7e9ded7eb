"""Compiling our pid 1 (``pid1/*.c``) on first use, into a private cache."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.subject.private_cache import is_ours, private_cache

SOURCES = Path(__file__).with_name("pid1")
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra")
COMPILERS = ("cc", "gcc", "clang")


class Pid1Unavailable(RuntimeError):
    """Our pid 1 cannot be compiled here; the message says what to install."""


@functools.cache
def pid1_binary() -> Path:
    """Path of the compiled program, built now if this version of it is not in the cache yet.

    The cache is ``$XDG_CACHE_HOME/sockspec/<hash of sources and flags>/pid1``, a directory that
    belongs to us and that nobody else can write. Raises `Pid1Unavailable`, `NoCache`.
    """
    sources = sorted(SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256("\0".join(FLAGS).encode())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    directory = private_cache() / digest.hexdigest()[:24]
    binary = directory / "pid1"
    if not is_ours(binary):
        directory.mkdir(mode=0o700, exist_ok=True)
        _compile([str(source) for source in sources if source.suffix == ".c"], binary)
    return binary


def _compile(sources: list[str], binary: Path) -> None:
    compiler = next((path for name in COMPILERS if (path := shutil.which(name))), None)
    if compiler is None:
        raise Pid1Unavailable("no C compiler found: install cc (gcc or clang) and the C library's headers")
    fd, unfinished = tempfile.mkstemp(dir=binary.parent)
    os.close(fd)
    said = ""
    # Static if possible: in the sandbox it then depends on nothing. Fedora, for one, has no static libc installed.
    for linking in (("-static",), ()):
        done = subprocess.run(
            [compiler, *FLAGS, *linking, "-o", unfinished, *sources],
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode == 0:
            os.chmod(unfinished, 0o755)
            os.replace(unfinished, binary)
            return
        said = done.stderr
    os.unlink(unfinished)
    raise Pid1Unavailable(f"{compiler} cannot compile sockspec's helper:\n{said[-2000:]}")
