"""Counting what a program holds."""

from __future__ import annotations

import os
import select
import signal
import socket
from pathlib import Path

from harness.observe import census
from harness.observe.quiescence import stopped
from harness.observe.tcp_info import TcpState

from .conftest import Compile, Scene, Start

LISTEN = "s = socket.create_server(('127.0.0.1', 0), backlog=2)\n"


def count(scene: Scene) -> census.Census:
    scene.settler.wait(lambda: False)
    return census.take(scene.tree, scene.diag)


def test_processes_threads_and_memory(start: Start) -> None:
    code = "[threading.Thread(target=signal.pause).start() for _ in range(2)]\nos.fork()\nsignal.pause()"
    counted = count(start(python=code))
    assert [(process.threads, process.state) for process in counted.processes] == [(3, "S"), (1, "S")]
    assert (counted.thread_count, counted.zombies) == (4, ())
    assert counted.memory > 1 << 20
    assert counted.cpu_ns > 0


def test_a_leak_shows_as_more_descriptors(start: Start) -> None:
    scene = start(python=LISTEN + "kept = []\nwhile True: kept.append(s.accept())")
    scene.address()
    before = count(scene)
    for _ in range(5):
        socket.create_connection(scene.address()).close()
    after = count(scene)
    assert after.descriptor_count - before.descriptor_count == 5
    forgotten = after.in_state(TcpState.CLOSE_WAIT)
    assert {owned.fd for owned in forgotten} == {4, 5, 6, 7, 8}
    assert {owned.pid for owned in forgotten} == {scene.tree.pid}


def test_zombies(start: Start, compiled: Compile) -> None:
    scene = start(compiled("waits"), "zombie")
    counted = count(scene)
    assert len(counted.zombies) == 1
    assert scene.tree.pid not in counted.zombies


def test_every_kind_of_listener_is_owned(start: Start, tmp_path: Path) -> None:
    code = f"""
a = socket.create_server(('127.0.0.1', 0))
b = socket.create_server(('::', 0), family=socket.AF_INET6, dualstack_ipv6=True)
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); c.bind(('127.0.0.1', 0))
d = socket.socket(socket.AF_UNIX); d.bind({str(tmp_path / "d")!r}); d.listen()
e = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); e.bind({str(tmp_path / "e")!r})
f = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); f.bind('\\0f-{os.getpid()}'); f.listen()
signal.pause()"""
    scene = start(python=code)
    scene.settler.wait(lambda: False)
    owned = census.owned_listeners(scene.tree, scene.diag)
    assert [(one.transport, one.fd) for one in sorted(owned, key=lambda one: one.fd or 0)] == [
        ("tcp", 3),
        ("tcp", 4),
        ("udp", 5),
        ("unix-stream", 6),
        ("unix-dgram", 7),
        ("unix-seqpacket", 8),
    ]
    by_fd = {one.fd: one for one in owned}
    assert by_fd[4].place == f"[::]:{by_fd[4].port}"
    assert by_fd[6].place == str(tmp_path / "d")
    find = census.find_listener
    assert find(scene.tree, scene.diag, by_fd[3].port) == by_fd[3]
    assert find(scene.tree, scene.diag, by_fd[4].port, address="127.0.0.1", transport="tcp-dual") == by_fd[4]
    assert find(scene.tree, scene.diag, by_fd[5].port, transport="udp") == by_fd[5]
    assert find(scene.tree, scene.diag, path=str(tmp_path / "e"), transport="unix-dgram") == by_fd[7]
    assert find(scene.tree, scene.diag, path=str(tmp_path / "nothing"), transport="unix-stream") is None


def test_somebody_elses_port(start: Start) -> None:
    scene = start(python="signal.pause()")
    with socket.create_server(("127.0.0.1", 0)) as ours:
        found = census.find_listener(scene.tree, scene.diag, ours.getsockname()[1])
        assert found is not None and found.pid is None
        assert census.owned_listeners(scene.tree, scene.diag) == []


def test_stopped(start: Start) -> None:
    scene = start(python="[threading.Thread(target=signal.pause).start() for _ in range(3)]\nsignal.pause()")
    scene.settler.wait(lambda: False)
    assert not stopped(scene.tree)
    scene.tree.signal(signal.SIGSTOP)
    settled = scene.settler.wait(lambda: stopped(scene.tree))
    assert settled.ready
    scene.tree.signal(signal.SIGCONT)
    scene.settler.wait(lambda: not stopped(scene.tree))


def test_sockets_of_connections_are_listed(start: Start) -> None:
    scene = start(python=LISTEN + "c, _ = s.accept()\nc.recv(1)")
    client = scene.connect()
    counted = count(scene)
    (owned,) = counted.in_state(TcpState.ESTABLISHED)
    assert owned.fd == 4
    client.send(b"x")
    select.select([client], [], [], 5)
