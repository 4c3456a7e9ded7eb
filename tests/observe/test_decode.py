"""Every kind of wait, of real programs that are blocked in it."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from harness.observe.census import owned_listeners
from harness.observe.quiescence import Look, LookKind
from harness.observe.settle import SettledKind
from harness.observe.wait import IN, OUT, Wait, WaitKind

from .conftest import Compile, Start

EVENT, TIMED = WaitKind.EVENT, WaitKind.TIMED

#: name in waits.c -> system call, kind, events of the awaited descriptors
UNTIMED = {
    "read": ("read", [IN]),
    "readv": ("readv", [IN]),
    "recv": ("recvfrom", [IN]),
    "recvfrom": ("recvfrom", [IN]),
    "recvmsg": ("recvmsg", [IN]),
    "recvmmsg": ("recvmmsg", [IN]),
    "accept": ("accept", [IN]),
    "splice": ("splice", [IN]),
    "write": ("write", [OUT]),
    "writev": ("writev", [OUT]),
    "send": ("sendto", [OUT]),
    "sendmsg": ("sendmsg", [OUT]),
    "poll": ("poll", [IN, IN]),
    "select": ("select", [IN, IN]),
    "epoll": ("epoll_wait", [IN]),
    "epoll_nested": ("epoll_wait", [IN]),
    "epoll_edge": ("epoll_wait", [IN]),
    "timerfd_disarmed": ("read", [IN]),
    "pause": ("pause", []),
    "sigsuspend": ("rt_sigsuspend", []),
    "sigwait": ("rt_sigtimedwait", []),
    "mutex": ("futex", []),
    "condition": ("futex", []),
    "flock": ("flock", [0]),
    "mq_receive": ("mq_timedreceive", [IN]),
}
#: On aarch64, libc has only the newer call.
SUCCESSORS = {"poll": "ppoll", "select": "pselect6", "epoll_wait": "epoll_pwait", "pause": "ppoll"}

#: name -> system call; all end after 100 s
TIMEOUTS = {
    "poll_timed": "poll",
    "ppoll_timed": "ppoll",
    "select_timed": "select",
    "pselect_timed": "pselect6",
    "epoll_timed": "epoll_wait",
    "epoll_pwait2_timed": "epoll_pwait2",
    "timerfd": "read",
    "timerfd_in_epoll": "epoll_wait",
    "receive_timeout": "recvfrom",
    "sigtimedwait": "rt_sigtimedwait",
    "nanosleep": "nanosleep",
    "clock_nanosleep": "clock_nanosleep",
    "realtime_sleep": "clock_nanosleep",
    "condition_timed": "futex",
}


def is_call(wait: Wait, call: str) -> bool:
    return wait.call in (call, SUCCESSORS.get(call, call))


@pytest.mark.parametrize("name", UNTIMED)
def test_untimed_waits_are_proven(start: Start, compiled: Compile, name: str) -> None:
    settled = start(compiled("waits"), name).settler.wait(lambda: False)
    assert settled.kind is SettledKind.QUIESCENT, (settled.look, settled.reasons())
    assert settled.look is not None
    (wait,) = settled.look.waits
    call, events = UNTIMED[name]
    assert is_call(wait, call)
    assert wait.kind is EVENT
    assert [descriptor.events for descriptor in wait.descriptors] == events


@pytest.mark.parametrize("name", TIMEOUTS)
def test_timed_waits_tell_when_they_end(start: Start, compiled: Compile, name: str) -> None:
    began = time.monotonic()
    scene = start(compiled("waits"), name)
    settled = scene.settler.wait(lambda: False)
    assert settled.kind is SettledKind.IDLE, (settled.look, settled.reasons())
    assert settled.look is not None
    (wait,) = settled.look.waits
    assert is_call(wait, TIMEOUTS[name])
    assert wait.kind is TIMED
    if wait.due is None:
        assert wait.period == pytest.approx(100, abs=0.01)
    else:
        assert began + 99.9 < wait.due < time.monotonic() + 100.1


def look_at(start: Start, compiled: Compile, name: str) -> Look:
    settled = start(compiled("waits"), name).settler.wait(lambda: False)
    assert settled.look is not None
    return settled.look


def test_a_posix_timer_is_a_timer_of_the_process(start: Start, compiled: Compile) -> None:
    look = look_at(start, compiled, "posix_timer")
    assert look.kind is LookKind.TIMED
    assert {wait.call for wait in look.waits} >= {"timer_create"}


def test_a_stopped_program_is_proven(start: Start, compiled: Compile) -> None:
    look = look_at(start, compiled, "stop")
    assert (look.kind, look.stopped) == (LookKind.PROVEN, True)


def test_a_child_and_a_zombie(start: Start, compiled: Compile) -> None:
    look = look_at(start, compiled, "waitpid")
    assert sorted(wait.call for wait in look.waits) in (["pause", "wait4"], ["ppoll", "wait4"])
    look = look_at(start, compiled, "zombie")
    assert {wait.kind for wait in look.waits} == {EVENT, WaitKind.DEAD}


def test_join_waits_without_timeout(start: Start, compiled: Compile) -> None:
    look = look_at(start, compiled, "join")
    assert look.kind is LookKind.PROVEN
    assert {wait.call for wait in look.waits} in ({"futex", "pause"}, {"futex", "ppoll"})


def test_a_program_that_runs_is_busy(start: Start, compiled: Compile) -> None:
    scene = start(compiled("waits"), "spin")
    assert {scene.oracle.look().kind for _ in range(20)} == {LookKind.BUSY}


def test_edge_triggered_leftovers_are_seen(start: Start, compiled: Compile) -> None:
    look = look_at(start, compiled, "epoll_edge")
    ((epoll,),) = (wait.descriptors for wait in look.waits)
    (target,) = epoll.targets
    assert target.edge_triggered
    assert target.socket is not None
    assert target.socket.receive_queue == 4


@pytest.mark.parametrize("borrow", [True, False])
def test_the_main_thread_has_ended(start: Start, compiled: Compile, borrow: bool) -> None:
    """Then /proc/PID/fd is empty, and other threads go on."""
    scene = start(compiled("main_thread_ends"), "accept", borrow=borrow)
    scene.tree.supervised = True
    settled = scene.settler.wait(lambda: False)
    assert settled.kind is SettledKind.QUIESCENT, settled
    dead, accepting = settled.reasons()
    assert dead == "thread 1 has ended, other threads go on"
    assert accepting.startswith("thread 2 is blocked in accept(3), which is listening on 0.0.0.0:")
    assert len(owned_listeners(scene.tree, scene.diag)) == 1


def test_a_descriptor_that_another_thread_has_closed(start: Start, compiled: Compile) -> None:
    scene = start(compiled("main_thread_ends"), "close")
    scene.settler.patience = 0.1
    settled = scene.settler.wait(lambda: False)
    assert settled.kind is SettledKind.IDLE
    assert "descriptor 3 was closed meanwhile by another thread" in str(settled.reasons())


def test_a_datagram_to_a_full_unix_socket(start: Start, tmp_path: Path) -> None:
    """sendto(2) waits for the receiver, of which poll(2) on the sender knows nothing."""
    path = str(tmp_path / "ours")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(path)
        code = f"s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nwhile True: s.sendto(b'x', {path!r})"
        settled = start(python=code).settler.wait(lambda: False)
        assert settled.kind is SettledKind.QUIESCENT, settled
