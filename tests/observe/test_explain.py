"""The sentences that a student reads, for the classic mistakes."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
from pathlib import Path

from harness.observe.insight import insight
from harness.observe.settle import SettledKind

from .conftest import Compile, Start

LISTEN = "s = socket.create_server(('127.0.0.1', 0), backlog=2)\n"
ITERATIVE = LISTEN + "while True:\n c, _ = s.accept()\n while d := c.recv(100): c.sendall(d)\n c.close()"


def readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


def test_accept_names_the_listener_and_its_backlog(start: Start) -> None:
    scene = start(python=ITERATIVE)
    host, port = scene.address()
    assert scene.settle() == [
        f"thread 1 is blocked in accept(3), which is listening on {host}:{port} (backlog 0 of 2)"
    ]


def test_iterative_server_with_a_second_client(start: Start) -> None:
    scene = start(python=ITERATIVE)
    first = scene.connect("the first client")
    second = scene.connect("the second client")
    second.send(b"hello")
    settled = scene.settler.wait(lambda: readable(second), [second.fileno()])
    assert settled.kind is SettledKind.QUIESCENT
    assert first in scene.oracle.peers
    assert settled.reasons() == [
        "thread 1 is blocked in recv(4), connection with the first client",
        "the connection of the second client (with 5 bytes to read) waits to be accepted",
    ]


def test_unread_bytes_are_counted_per_descriptor(start: Start) -> None:
    scene = start(python=LISTEN + "a, _ = s.accept()\nb, _ = s.accept()\na.recv(1)")
    scene.connect("client A")
    scene.connect("client B").send(b"x" * 12)
    assert "12 bytes from client B wait unread on descriptor 5" in scene.settle()


def test_unix_clients_wait_too(start: Start, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    scene = start(
        python=f"s = socket.socket(socket.AF_UNIX)\ns.bind({path!r})\ns.listen()\nc, _ = s.accept()\ns2 = c.dup()\nsignal.pause()"
    )
    scene.settle()
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        for client, name in ((first, "client A"), (second, "client B")):
            client.connect(path)
            client.send(b"abc")
            scene.oracle.peers.add(client)
            scene.oracle.names[client] = name
        sentences = scene.settle()
        scene.oracle.peers.clear()
    assert "3 bytes from client A wait unread on descriptor 4" in sentences
    assert any(s.startswith("the connection of client B (with") for s in sentences), sentences


def test_server_blocked_in_send(start: Start) -> None:
    scene = start(python=LISTEN + "c, _ = s.accept()\nc.sendall(b'x' * 50_000_000)")
    scene.connect()
    (sentence,) = scene.settle()
    assert re.match(
        r"thread 1 is blocked in send\(4\), its connection with 127.* while \d+ bytes wait to be sent, since the other",
        sentence,
    )


def test_deadlock_of_two_mutexes(start: Start, compiled: Compile) -> None:
    sentences = start(compiled("deadlock")).settle()
    assert sentences[0] == (
        "deadlock: thread 1 waits for a mutex that thread 2 holds, thread 2 waits for a mutex that thread 1 holds"
    )


def test_a_deadlock_is_told_once_and_known(start: Start, compiled: Compile) -> None:
    scene = start(compiled("deadlock"))
    sentences = scene.settle()
    assert not any("waits for a mutex" in sentence for sentence in sentences[1:]), sentences
    assert insight(scene.oracle.look()) == {"deadlock": True}


def test_a_pipe_that_nobody_empties_is_known(start: Start) -> None:
    scene = start(python="import os\nr, w = os.pipe()\nwhile True: os.write(w, b'x' * 4096)")
    scene.settle()
    assert insight(scene.oracle.look()) == {"pipe_full": True}


def test_the_only_thread_stuck_in_write_is_known(start: Start) -> None:
    scene = start(python=LISTEN + "c, _ = s.accept()\nc.sendall(b'x' * 50_000_000)")
    scene.connect()
    scene.settle()
    assert insight(scene.oracle.look()) == {"stuck_writing": True}


def test_mutex_locked_twice(start: Start, compiled: Compile) -> None:
    sentences = start(compiled("waits"), "mutex").settle()
    assert sentences[0] == "deadlock: thread 1 waits for a mutex that it itself already holds"


def test_join(start: Start, compiled: Compile) -> None:
    assert "thread 1 waits for thread 2 to end (pthread_join)" in start(compiled("waits"), "join").settle()


def terminate(start: Start, handler: str) -> list[str]:
    scene = start(python=f"signal.signal(signal.SIGTERM, {handler})\n" + ITERATIVE)
    scene.address()
    scene.settler.wait(lambda: False)
    scene.tree.signal(signal.SIGTERM)
    settled = scene.settler.wait(lambda: scene.tree.status is not None, scene.tree.wakers())
    assert settled.kind is SettledKind.QUIESCENT
    return settled.reasons(sent=signal.SIGTERM)


def test_ignored_sigterm(start: Start) -> None:
    sentences = terminate(start, "signal.SIG_IGN")
    assert sentences[-1] == "it ignores SIGTERM (SIG_IGN)"
    assert sentences[0].startswith("thread 1 is blocked in accept(3)")


def test_sigterm_handler_that_does_not_end_the_wait(start: Start) -> None:
    sentences = terminate(start, "lambda *a: None")
    assert sentences[-1].startswith("its handler for SIGTERM has run or is installed")


def test_blocked_sigterm(start: Start) -> None:
    scene = start(python="signal.pthread_sigmask(signal.SIG_BLOCK, [15])\n" + ITERATIVE)
    scene.address()
    scene.tree.signal(signal.SIGTERM)
    assert scene.settle()[-1] == "SIGTERM is blocked (sigprocmask) and still pending"


def test_default_sigterm_ends_it(start: Start) -> None:
    scene = start(python=ITERATIVE)
    scene.address()
    scene.tree.signal(signal.SIGTERM)
    settled = scene.settler.wait(lambda: False)
    assert (settled.kind, scene.tree.status) == (SettledKind.GONE, signal.SIGTERM)


def test_spinning_on_end_of_file(start: Start) -> None:
    scene = start(python=LISTEN + "c, _ = s.accept()\nwhile True: c.recv(100)")
    client = scene.connect("our client")
    client.shutdown(socket.SHUT_WR)
    scene.settler.spin_cpu_seconds = 0.2
    settled = scene.settler.wait(lambda: readable(client), [client.fileno()])
    assert settled.kind is SettledKind.SPINNING
    first, second = settled.reasons()
    assert re.match(r"thread 1 has used 0\.\d s of CPU time without waiting for anything", first)
    assert second == ("it has read the end of file from our client, but keeps descriptor 4 open (CLOSE_WAIT)")


def test_zombies(start: Start) -> None:
    scene = start(python="[os.fork() or os._exit(0) for _ in range(3)]\nsignal.pause()")
    sentences = scene.settle()
    assert any(
        re.match(
            r"processes \d+, \d+ and \d+ are zombies \(they ended, nobody has called wait for them\)",
            sentence,
        )
        for sentence in sentences
    ), sentences


def test_one_zombie(start: Start, compiled: Compile) -> None:
    sentences = start(compiled("waits"), "zombie").settle()
    assert any(
        re.match(r"process \d+ is a zombie \(it ended, nobody has called wait for it\)", s) for s in sentences
    )


def test_stopped(start: Start, compiled: Compile) -> None:
    assert start(compiled("waits"), "stop").settle() == [
        "the program is stopped by a signal (SIGSTOP or Ctrl-Z)"
    ]


def test_asleep(start: Start, compiled: Compile) -> None:
    (sentence,) = start(compiled("waits"), "clock_nanosleep").settle()
    assert re.match(r"thread 1 is asleep, for another \d+\.\d s at most", sentence)


def test_epoll_names_what_it_watches_and_the_lost_edge(start: Start, compiled: Compile) -> None:
    (sentence,) = start(compiled("waits"), "epoll_edge").settle()
    assert "4 bytes unread, edge-triggered: no new event for what is already there" in sentence


def test_standard_input(start: Start) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    os.close(write_end)
    (sentence,) = start(python="a, b = os.pipe()\nos.dup2(a, 0)\nos.read(0, 1)").settle()
    assert sentence == "thread 1 is blocked in read(0), its standard input"


def test_many_threads_are_folded(start: Start) -> None:
    code = "e = threading.Event()\nfor _ in range(30): threading.Thread(target=e.wait).start()\n"
    sentences = start(python=code + "signal.pause()").settle()
    assert len(sentences) <= 3, sentences
    assert any(
        re.match(r"threads 2, 3, 4, 5, 6 and \d+ more wait for a lock or condition variable", s)
        for s in sentences
    ), sentences
