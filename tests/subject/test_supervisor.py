"""Calls that /proc does not show, reported by our pid 1."""

from __future__ import annotations

import os
import socket
import time

import pytest

from harness.subject.calls import CallKind
from harness.subject.network import Network
from harness.subject.program import Program

from .conftest import Start, until, until_ended, until_ready


@pytest.fixture
def supervised(start: Start) -> Start:
    if not start("exit", 0).supervised:
        pytest.skip("no seccomp user notification here")
    return start


def test_listen_and_bind(supervised: Start, network: Network) -> None:
    program = until_ready(supervised("listen", network.port()))
    assert program.bound and program.listened
    calls = {call.kind: call for call in program.events}
    assert calls[CallKind.LISTEN].pid == program.pid
    assert calls[CallKind.LISTEN].backlog == 7 and calls[CallKind.LISTEN].subject == 3


def test_the_report_is_there_before_the_call_returns(supervised: Start, network: Network) -> None:
    for _ in range(20):
        program = supervised("listen", network.port())
        program.output.refresh()
        while b"ready" not in program.output.stdout:
            program.output.refresh()
        program.refresh()
        assert program.listened
        program.close()


def expiry(program: Program) -> float:
    until(program, lambda: None not in program.interval_timers.values())
    (at,) = program.interval_timers.values()
    assert at is not None
    return at


@pytest.mark.parametrize(("mode", "argument", "seconds"), [("alarm", 100, 100.0), ("itimer", 900, 0.9)])
def test_timer(supervised: Start, mode: str, argument: int, seconds: float) -> None:
    before = time.monotonic()
    program = until_ready(supervised(mode, argument))
    assert list(program.interval_timers) == [program.pid]
    assert expiry(program) >= before + seconds


def test_a_timer_is_forgotten_only_when_it_has_expired(supervised: Start) -> None:
    program = supervised("itimer", 50)
    until(program, lambda: program.interval_timers)
    until(program, lambda: not program.interval_timers)
    until_ended(program)
    assert str(program.status) == "exit status 14"


def test_periodic_timer(supervised: Start) -> None:
    program = supervised("periodic", 900)
    until(program, lambda: program.interval_timers)
    assert program.interval_timers == {program.pid: None}


def test_disarmed_timer(supervised: Start) -> None:
    program = until_ready(supervised("disarm"))
    until(program, lambda: program.interval_timers == {})


def test_timers_of_the_dead_are_forgotten(supervised: Start) -> None:
    program = until_ready(supervised("alarm", 100))
    assert program.interval_timers
    program.kill()
    until_ended(program)
    until(program, lambda: not program.interval_timers)


def test_socket_timeout(supervised: Start) -> None:
    program = supervised("timeout")
    until(program, lambda: b"\n" in program.output.stdout)
    inodes = {
        os.stat(f"/proc/{program.pid}/fd/{fd}").st_ino
        for fd in os.listdir(f"/proc/{program.pid}/fd")
        if int(fd) > 2
    }
    assert program.timeout_sockets == inodes


def test_one_accept_fails(supervised: Start, network: Network) -> None:
    port = network.port()
    program = until_ready(supervised("accept", port, failing_accept=True))
    assert program.accept_failed
    with socket.create_connection(("127.0.0.1", port)):
        assert str(until_ended(program).status) == "exit status 0"


def test_no_accept_fails_unless_asked_for(supervised: Start, network: Network) -> None:
    port = network.port()
    program = supervised("accept", port)
    until(program, lambda: program.listened)
    assert not program.accept_failed


def test_a_program_that_calls_without_end_waits_for_us(supervised: Start) -> None:
    program = supervised("call-flood", 5000)
    until_ready(program)
    assert program.listened and len(program.events) == 1000
    os.stat(f"/proc/{program.root}")


def test_refused_calls(start: Start) -> None:
    for mode in ("iouring", "unshare", "vsock"):
        assert str(until_ended(start(mode)).status) == "exit status 0", mode
