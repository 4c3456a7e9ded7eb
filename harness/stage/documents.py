"""The directory that a server of files hands out, and what lies beside it.

Made anew for each check. It belongs to us and not to the program, which sees it read-only where there is a sandbox;
files are made when a check first wants them, also while the program runs.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.subject.scratch import Scratch

#: What a traversal is after; it lies beside the root, readable for everybody.
SECRET = "secret.txt"
#: A directory beside the root, whose name begins with the root's.
NEIGHBOUR = "www-private"


class DocumentRoot:
    """``www`` (the root), beside it ``secret.txt`` and ``www-private/``; the program sees all of it, at the same path."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self.above = self._scratch.path
        self.above.chmod(0o755)
        self.root = self.above / "www"
        self._files: dict[str, bytes] = {}
        self._make_directory(self.root)

    def close(self) -> None:
        """Remove it with everything in it; idempotent."""
        self._scratch.remove()

    # -- harness.assignment.profiles._files.Shelf ----------------------------------------------

    def put(self, name: str, content: bytes, *, mode: int = 0o644) -> None:
        """Let there be a file *name* (below the root) with this *content*; idempotent."""
        if self._files.get(name) != content:
            self._files[name] = content
            _write(self.root / name, content, mode)

    def get(self, name: str) -> bytes | None:
        """The content of a file that was put there, None if there was none of that name."""
        return self._files.get(name)

    # -- other inhabitants of a directory ------------------------------------------------------

    def directory(self, name: str) -> None:
        """A directory, with nothing in it."""
        self._make_directory(self.root / name)

    def fifo(self, name: str) -> Path:
        """A FIFO (mkfifo(3)), that everybody may read and write."""
        path = self.root / name
        os.mkfifo(path)
        path.chmod(0o666)
        return path

    def link(self, name: str, target: str) -> None:
        """A symbolic link to *target*."""
        (self.root / name).symlink_to(target)

    def script(self, name: str, text: str) -> None:
        """An executable file of sh(1); ``{root}`` in *text* is the root's path."""
        _write(self.root / name, f"#!/bin/sh\n{self.fill(text)}\n".encode(), 0o755)

    def executable(self, name: str, content: bytes) -> None:
        """A file that is marked executable, whatever is in it."""
        _write(self.root / name, content, 0o755)

    def fill(self, text: str) -> str:
        """*text* with the root's path for ``{root}``."""
        return text.replace("{root}", str(self.root))

    def truncate(self, name: str) -> None:
        """Cut a file to nothing, while it may be in use."""
        os.truncate(self.root / name, 0)

    # -- what lies beside it ---------------------------------------------------------------------

    def hide(self, secret: bytes) -> None:
        """Put *secret* beside the root, in a file that the program could read."""
        self._make_directory(self.above / NEIGHBOUR)
        for path in (self.above / SECRET, self.above / NEIGHBOUR / SECRET):
            _write(path, secret, 0o644)

    def hide_script(self, name: str, text: str) -> None:
        """Put an executable script beside the root."""
        _write(self.above / name, f"#!/bin/sh\n{text}\n".encode(), 0o755)

    @staticmethod
    def _make_directory(path: Path) -> None:
        path.mkdir()
        path.chmod(0o755)  # whatever our umask is


def _write(path: Path, content: bytes, mode: int) -> None:
    path.write_bytes(content)
    path.chmod(mode)
