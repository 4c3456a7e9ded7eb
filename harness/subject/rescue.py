"""Reading from, writing to and closing a pipe that somebody else may hold locked.

splice(2) between a socket and a pipe holds the pipe's mutex while it waits for the socket (fs/splice.c). Whoever
reads, writes or closes the pipe meanwhile waits as well, O_NONBLOCK or not, and in state D: no signal and no time limit
reaches him. What does help is a signal to the one who splices; so somebody has to watch us.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

from harness.observe.procfs import process_state

#: Seconds between two looks of the thread that watches: at most, and when it has just helped, since that may be
#: needed for every byte. A call that lasts from one look to the next, in state D, is stuck.
_TICK, _SOON = 0.05, 0.002

#: Seconds, and how often, that we wait for the pipe after the program was stopped.
_MOMENT, _MOMENTS = 0.001, 500


class Rescue:
    """Reads and writes for one thread, and calls *stop* and then *go_on* when that gets stuck; *stop* is to end the wait of who locks the pipe."""

    def __init__(self, stop: Callable[[], None], go_on: Callable[[], None]) -> None:
        self._stop, self._go_on = stop, go_on
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()
        #: Held while the program is stopped by us, which nobody is to see.
        self._stopped = threading.Lock()
        self._calls = 0
        self._caller = 0

    def read(self, fd: int, most: int) -> bytes:
        """As os.read() of a non-blocking descriptor."""
        with self._watched():
            return os.read(fd, most)

    def write(self, fd: int, data: bytes | bytearray) -> int:
        """As os.write() to a non-blocking descriptor."""
        with self._watched():
            return os.write(fd, data)

    def close_end(self, fd: int) -> None:
        """As os.close(): the last close of one end of a pipe takes its mutex, too (pipe_release() in fs/pipe.c)."""
        with self._watched():
            os.close(fd)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        self._calls += 1
        self._caller = threading.get_native_id()
        try:
            yield
        finally:
            self._caller = 0
            with self._stopped:
                pass

    def close(self) -> None:
        """End the watch; idempotent."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None

    def _watch(self) -> None:
        seen, pause = 0, _TICK
        while not self._closing.wait(pause):
            pause = min(_TICK, pause * 1.2)
            caller, calls = self._caller, self._calls
            if caller and calls == seen:
                with self._stopped:
                    if self._caller and self._calls == calls and process_state(caller) == "D":
                        self._release(calls)
                        pause = _SOON
            seen = calls if caller else 0

    def _release(self, calls: int) -> None:
        self._stop()
        try:
            for _ in range(_MOMENTS):
                if self._caller == 0 or self._calls != calls or self._closing.wait(_MOMENT):
                    return
        finally:
            self._go_on()
