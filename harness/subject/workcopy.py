"""A private copy of a submission: what was handed in is never touched, and nothing outside of it gets in."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MOST_BYTES = 256 << 20
MOST_FILES = 20_000
_LEFT_OUT = (".git", ".hg", ".svn", "__pycache__")
_CHUNK = 1 << 20


class SubmissionError(ValueError):
    """What was handed in cannot be a program, or cannot be built on this machine: an error of usage, not of the program."""


def copy_submission(source: Path, target: Path) -> None:
    """Copy the file or directory *source* into the existing directory *target*.

    Symbolic links are kept if they lead to somewhere inside, and left out otherwise; so are sockets,
    FIFOs, devices and version control. Times are kept (make(1) looks at them), permissions are
    reduced to readable and executable. Raises `SubmissionError` if there is nothing or too much.
    """
    try:
        status = source.stat()
    except OSError as error:
        raise SubmissionError(f"{source}: {error.strerror}") from None
    copy = _Copy(source.resolve())
    if stat.S_ISDIR(status.st_mode):
        copy.directory(source, target)
    elif stat.S_ISREG(status.st_mode):
        copy.file(source, target / source.name)
    else:
        raise SubmissionError(f"{source} is neither a file nor a directory")
    if copy.files == 0:
        raise SubmissionError(f"{source} is an empty directory: there is no program in it")


class _Copy:
    def __init__(self, top: Path) -> None:
        self._top = top
        self.files = 0
        self._bytes = 0

    def directory(self, source: Path, target: Path) -> None:
        try:
            entries = sorted(os.scandir(source), key=lambda entry: entry.name)
        except OSError as error:
            raise SubmissionError(f"{source}: {error.strerror}") from None
        for entry in entries:
            path, copy = Path(entry.path), target / entry.name
            if entry.is_symlink():
                self._link(path, copy)
            elif entry.is_dir():
                if entry.name not in _LEFT_OUT:
                    copy.mkdir(mode=0o755)
                    self.directory(path, copy)
            elif entry.is_file():
                self.file(path, copy)

    def _link(self, source: Path, target: Path) -> None:
        leads_to = source.resolve()
        if leads_to.is_relative_to(self._top):
            target.symlink_to(os.path.relpath(leads_to, source.parent.resolve()))

    def file(self, source: Path, target: Path) -> None:
        self.files += 1
        if self.files > MOST_FILES:
            raise SubmissionError(f"the submission has more than {MOST_FILES} files")
        try:
            with open(os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as original:
                status = os.fstat(original.fileno())
                with open(target, "xb") as copy:
                    while data := original.read(_CHUNK):
                        self._bytes += len(data)
                        if self._bytes > MOST_BYTES:
                            raise SubmissionError(f"the submission is larger than {MOST_BYTES >> 20} MB")
                        copy.write(data)
        except OSError as error:
            raise SubmissionError(f"{source}: {error.strerror}") from None
        os.chmod(target, 0o755 if status.st_mode & 0o111 else 0o644)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
