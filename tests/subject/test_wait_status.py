"""The words for a wait status, and that it is exact through the sandbox."""

from __future__ import annotations

import signal

import pytest

from harness.subject.wait_status import WaitStatus

from .conftest import Start, until_ended, until_ready


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (0, "exit status 0"),
        (143 << 8, "exit status 143"),
        (15, "killed by SIGTERM (15)"),
        (13, "killed by SIGPIPE (13)"),
        (6 | 0x80, "killed by SIGABRT (6), core dumped"),
        (40, "killed by signal 40"),
    ],
)
def test_words(raw: int, words: str) -> None:
    assert str(WaitStatus(raw)) == words


def test_fields() -> None:
    exited, killed = WaitStatus(3 << 8), WaitStatus(9)
    assert (exited.exited, exited.code, exited.signal, exited.success) == (True, 3, None, False)
    assert (killed.exited, killed.code, killed.signal) == (False, None, signal.SIGKILL)
    assert WaitStatus(0).success


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (("exit", 0), "exit status 0"),
        (("exit", 143), "exit status 143"),
        (("exit", 255), "exit status 255"),
        (("raise", 15), "killed by SIGTERM (15)"),
        (("raise", 11), "killed by SIGSEGV (11)"),
        (("abort",), "killed by SIGABRT (6)"),
        (("sigpipe",), "killed by SIGPIPE (13)"),
    ],
)
def test_exact_through_the_sandbox(start: Start, mode: tuple[object, ...], words: str) -> None:
    assert str(until_ended(start(*mode)).status) == words


@pytest.mark.parametrize(
    ("mode", "words"), [("pause", "killed by SIGTERM (15)"), ("handler", "exit status 15")]
)
def test_a_signal_from_us_reaches_the_program(start: Start, mode: str, words: str) -> None:
    program = until_ready(start(mode))
    assert program.signal(signal.SIGTERM)
    assert str(until_ended(program).status) == words
    assert not program.signal(signal.SIGTERM)
