"""The program's standard input, output and error, both ends."""

from __future__ import annotations

import contextlib
import os


class Pipes:
    """Three descriptors for the program (`theirs`) and up to three of ours (None: not a pipe).

    What is not to be a pipe is /dev/null.
    """

    def __init__(self, with_input: bool, with_output: bool) -> None:
        self._open: list[int] = []
        self.stdin: int | None = None
        self.stdout: int | None = None
        self.stderr: int | None = None
        try:
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            self._open.append(null)
            self.theirs = [null, null, null]
            if with_input:
                self.theirs[0], self.stdin = self._pipe()
            if with_output:
                self.stdout, self.theirs[1] = self._pipe()
                self.stderr, self.theirs[2] = self._pipe()
        except BaseException:
            self.close()
            raise

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open += ends
        return ends

    def close_theirs(self) -> None:
        """Forget the program's ends, once it has them: end of file must not depend on us."""
        for fd in set(self._open) - {self.stdin, self.stdout, self.stderr}:
            os.close(fd)
            self._open.remove(fd)

    def close(self) -> None:
        """Close everything (when nobody took our ends over)."""
        for fd in self._open:
            with contextlib.suppress(OSError):
                os.close(fd)
        self._open.clear()
