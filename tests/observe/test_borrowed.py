"""Looking at a program's socket through a duplicate, and letting go of it."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest

from harness.observe.borrowed import as_socket, borrowed, socket_options
from harness.observe.procfs import Changed, descriptors

from .conftest import Start


def test_options_of_a_listener(start: Start) -> None:
    scene = start(python="s = socket.create_server(('127.0.0.1', 0), backlog=3)\nsignal.pause()")
    scene.address()
    options = socket_options(scene.tree.pid, 3)
    assert (options.domain, options.type, options.protocol) == (socket.AF_INET, socket.SOCK_STREAM, 6)
    assert options.listening and options.reuse_address and not options.reuse_port
    assert options.backlog == 3
    assert options.close_on_exec and not options.nonblocking
    assert (options.linger, options.receive_timeout, options.v6_only) == (None, 0.0, None)


def test_options_of_a_datagram_socket(start: Start) -> None:
    code = """
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, (2).to_bytes(8, 'little') + (500000).to_bytes(8, 'little'))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (1).to_bytes(4, 'little') + (9).to_bytes(4, 'little'))
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setblocking(False)
signal.pause()"""
    scene = start(python=code)
    scene.settler.wait(lambda: False)
    options = socket_options(scene.tree.pid, 3)
    assert (options.receive_timeout, options.linger, options.broadcast) == (2.5, 9, True)
    assert options.nonblocking
    assert (options.no_delay, options.v6_only, options.backlog) == (None, False, None)


def test_a_missing_descriptor_has_changed(start: Start) -> None:
    scene = start(python="signal.pause()")
    with pytest.raises(Changed), borrowed(scene.tree.pid, 77):
        pass
    with pytest.raises(Changed), borrowed(2**22 - 1, 0):
        pass


def test_nothing_stays_open(start: Start) -> None:
    scene = start(python="s = socket.create_server(('127.0.0.1', 0))\nsignal.pause()")
    scene.address()
    before = descriptors(os.getpid())
    with contextlib.suppress(ZeroDivisionError), borrowed(scene.tree.pid, 3) as duplicate:
        with as_socket(duplicate) as sock:
            assert sock.getsockname()[0] == "127.0.0.1"
        raise ZeroDivisionError
    assert descriptors(os.getpid()) == before
