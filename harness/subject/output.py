"""What the program writes to stdout and stderr: taken in without blocking, bounded, counted."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable

#: Bytes taken in at one go; more than a pipe holds, so that a look that follows sees an empty pipe.
_PER_REFRESH = 1 << 20
_PER_READ = 1 << 16


class Stream:
    """One pipe: the first three quarters of *limit* bytes and the last quarter are kept."""

    def __init__(self, fd: int | None, limit: int) -> None:
        self._fd = fd
        if fd is not None:
            os.set_blocking(fd, False)
        self._head_limit = limit - limit // 4
        self._tail_limit = limit // 4
        self._head = bytearray()
        self._tail = bytearray()
        self._shown: bytes | None = b""
        self._taps: list[Callable[[bytes], None]] = []
        #: As os.read().
        self.read: Callable[[int, int], bytes] = os.read
        #: Bytes that were written, kept or not.
        self.total = 0

    @property
    def at_eof(self) -> bool:
        """Whether nobody can write any more: every copy of the other end is closed."""
        return self._fd is None

    @property
    def fd(self) -> int | None:
        """The descriptor to wait on, None at end of file."""
        return self._fd

    @property
    def dropped(self) -> int:
        """Bytes that were not kept."""
        return self.total - len(self._head) - len(self._tail)

    def refresh(self, most: int = _PER_REFRESH) -> None:
        """Take in what is there, at most *most* bytes."""
        taken = 0
        # Asked first, since poll(2) does not take the lock of the pipe: see `harness.subject.rescue`.
        while self._fd is not None and taken < most and _has_something(self._fd):
            try:
                data = self.read(self._fd, _PER_READ)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                return
            taken += len(data)
            self._keep(data)

    def tap(self, take: Callable[[bytes], None]) -> None:
        """Hand everything that is taken in from now on to *take* as well, nothing left out."""
        self._taps.append(take)

    def _keep(self, data: bytes) -> None:
        self.total += len(data)
        for take in self._taps:
            take(data)
        self._shown = None
        room = self._head_limit - len(self._head)
        self._head += data[:room]
        if len(data) > room:
            self._tail += data[room:]
            del self._tail[: -self._tail_limit]

    def content(self) -> bytes:
        """What was kept, with a note in between if something was dropped."""
        if self._shown is None:
            note = b"\n[... %d bytes left out ...]\n" % self.dropped if self.dropped else b""
            self._shown = bytes(self._head) + note + bytes(self._tail)
        return self._shown

    def close(self) -> None:
        """Stop reading; idempotent."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = None


def _has_something(fd: int) -> bool:
    """Whether a read(2) would find data or the end of file."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))


class Output:
    """Both streams of a program."""

    def __init__(self, stdout: int | None, stderr: int | None, limit: int) -> None:
        self._stdout = Stream(stdout, limit)
        self._stderr = Stream(stderr, limit)
        self._limit = limit

    def read_by(self, read: Callable[[int, int], bytes]) -> None:
        """Use *read* for os.read()."""
        self._stdout.read = self._stderr.read = read

    @property
    def stdout(self) -> bytes:
        """What came on standard output so far."""
        return self._stdout.content()

    @property
    def stderr(self) -> bytes:
        """What came on standard error so far."""
        return self._stderr.content()

    @property
    def total(self) -> int:
        """Bytes written to both, kept or not."""
        return self._stdout.total + self._stderr.total

    @property
    def flooded(self) -> bool:
        """Whether something had to be dropped."""
        return bool(self._stdout.dropped or self._stderr.dropped)

    @property
    def stdout_at_eof(self) -> bool:
        """Whether standard output was closed by everybody who had it (at once if it never was a pipe)."""
        return self._stdout.at_eof

    @property
    def stderr_at_eof(self) -> bool:
        """The same for standard error."""
        return self._stderr.at_eof

    def tap(self, name: str, take: Callable[[bytes], None]) -> None:
        """Hand what comes on *name* (stdout or stderr) from now on to *take*, in the chunks in which it is taken in."""
        {"stdout": self._stdout, "stderr": self._stderr}[name].tap(take)

    def ended(self, name: str) -> bool:
        """Whether nobody can write to *name* (stdout or stderr) any more."""
        return {"stdout": self._stdout, "stderr": self._stderr}[name].at_eof

    def fds(self) -> list[int]:
        """The descriptors to wait on."""
        return [stream.fd for stream in (self._stdout, self._stderr) if stream.fd is not None]

    def refresh(self) -> None:
        """Take in what is there, a bounded amount."""
        self._stdout.refresh()
        self._stderr.refresh()

    def finish(self) -> None:
        """Take in the rest, when everybody who could write is dead, and close."""
        for stream in (self._stdout, self._stderr):
            stream.refresh()  # a pipe holds 64 KiB, at most 1 MiB: one round is all
            stream.close()


class Input:
    """Our end of the program's standard input. Never blocks: what the pipe does not take waits here."""

    def __init__(self, fd: int | None) -> None:
        #: As os.write().
        self.write_by: Callable[[int, bytes | bytearray], int] = os.write
        #: As os.close().
        self.close_by: Callable[[int], None] = os.close
        self._fd = fd
        if fd is not None:
            os.set_blocking(fd, False)
        self._waiting = bytearray()
        self._close_when_written = False

    @property
    def pending(self) -> int:
        """Bytes that the pipe has not taken yet."""
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether our end is closed: by us, or because nobody reads any more."""
        return self._fd is None

    @property
    def inode(self) -> int | None:
        """The inode of the pipe, by which a program's end of it can be told; None when our end is closed."""
        return None if self._fd is None else os.fstat(self._fd).st_ino

    def write(self, data: bytes) -> None:
        """Write *data*, now as far as possible and the rest in later refreshes; dropped if nobody reads any more."""
        if self._fd is not None:
            self._waiting += data
            self.refresh()

    def close(self) -> None:
        """End of file, after what still waits."""
        self._close_when_written = True
        self.refresh()

    def refresh(self) -> None:
        """Write on."""
        while self._fd is not None and self._waiting:
            try:
                written = self.write_by(self._fd, self._waiting)
            except BlockingIOError:
                return
            except OSError:  # EPIPE
                self._waiting.clear()
                self.abandon()
                return
            del self._waiting[:written]
        if self._close_when_written:
            self.abandon()

    def abandon(self) -> None:
        """Close at once, whatever waits; idempotent."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                self.close_by(self._fd)
            self._fd = None
