"""What a program that spins calls over and over."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.subject.recorder import Called, Recorder, turn_of
from harness.subject.stepper import CannotStep


def called(*calls: tuple[str, str]) -> list[Called]:
    return [Called(name, None, outcome) for name, outcome in calls]


POLL, READ = ("poll", "1"), ("read", "0")


def test_a_turn_is_the_shortest_that_repeats() -> None:
    assert turn_of(called(*[READ] * 6)) == called(READ)
    assert turn_of(called(*[POLL, READ] * 5)) == called(POLL, READ)


def test_a_turn_is_told_from_its_wait() -> None:
    assert turn_of(called(READ, *[POLL, READ] * 4)) == called(POLL, READ)
    assert turn_of(called(*[POLL, READ] * 4, POLL)) == called(POLL, READ)


def test_counts_are_alike_and_the_end_is_not() -> None:
    assert turn_of(called(*[("clone", str(n)) for n in range(1, 20)])) == called(("clone", "19"))
    assert turn_of(called(("read", "5"), ("read", "0"), ("read", "5"))) == []


def test_what_does_not_repeat_is_no_turn() -> None:
    names = ["read", "write", "close", "poll", "stat", "open", "dup", "pipe", "accept"]
    assert turn_of(called(*[(name, "1") for name in names])) == []
    assert turn_of([]) == []


@contextmanager
def spinning(code: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            child.stdout.read(1)
            yield child
        finally:
            child.send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("while True: os.read(f, 1)", "read(3), which returns 0"),
        ("while True:\n  try: os.read(-1, 9)\n  except OSError: pass",
         "read(-1), which fails with EBADF (Bad file descriptor)"),
        ("s = socket.socket(); s.setblocking(False); s.bind(('127.0.0.1', 0)); s.listen()\n"
         "while True:\n  try: s.accept()\n  except OSError: pass", "accept(4), which fails with EAGAIN (Resource temporarily unavailable)"),
    ],
)  # fmt: skip
def test_the_calls_of_a_loop_are_seen(code: str, told: str) -> None:
    beginning = "import os, socket\nf = os.open('/dev/null', os.O_RDONLY)\nos.write(1, b'.')\n"
    with spinning(beginning + code) as child:
        try:
            with Recorder(child.pid) as recorder:
                while not recorder.has_enough():
                    pass
        except CannotStep as error:
            pytest.skip(str(error))
        assert ", then ".join(map(str, recorder.turn())) == told
        assert child.poll() is None
