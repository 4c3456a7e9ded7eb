"""Programs to look at: small C and Python programs below a reaper of ours."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.observe.census import owned_listeners
from harness.observe.quiescence import Oracle
from harness.observe.settle import Settler
from harness.observe.sock_diag import InetSocket, SockDiag

from .tree import Tree

PROGRAMS = Path(__file__).parent / "programs"
Compile = Callable[[str], str]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """``compiled(name)``: the path of programs/NAME.c, compiled once."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    directory = tmp_path_factory.mktemp("programs")
    done: dict[str, str] = {}

    def compile_(name: str) -> str:
        if name not in done:
            target = str(directory / name)
            flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread"]
            subprocess.run([compiler, *flags, "-o", target, str(PROGRAMS / f"{name}.c")], check=True)
            done[name] = target
        return done[name]

    return compile_


class Scene:
    """One program, the oracle that looks at it, and our peers."""

    def __init__(self, argv: list[str], stack: ExitStack, *, borrow: bool = True, trace: bool = True) -> None:
        self._stack = stack
        self.tree = stack.enter_context(Tree(argv))
        self.diag = stack.enter_context(SockDiag())
        self.oracle = Oracle(self.tree, self.diag, borrow=borrow, trace=trace)
        stack.callback(self.oracle.close)
        self.settler = Settler(self.oracle)

    def address(self) -> tuple[str, int]:
        """Where the program listens, as soon as it does."""
        settled = self.settler.wait(lambda: bool(owned_listeners(self.tree, self.diag)))
        assert settled.ready, settled.reasons()
        found = owned_listeners(self.tree, self.diag)[0].socket
        assert isinstance(found, InetSocket)
        return found.local

    def connect(self, name: str = "") -> socket.socket:
        """A TCP client of ours, connected."""
        client = self._stack.enter_context(socket.create_connection(self.address()))
        self.oracle.peers.add(client)
        if name:
            self.oracle.names[client] = name
        return client

    def settle(self) -> list[str]:
        """The reasons, once nothing more happens."""
        return self.settler.wait(lambda: False).reasons()


Start = Callable[..., Scene]


@pytest.fixture
def start() -> Iterator[Start]:
    """``start(*argv)`` or ``start(python="code")``: a running program."""
    with ExitStack() as stack:

        def start_(*argv: str, python: str = "", borrow: bool = True, trace: bool = True) -> Scene:
            words = [sys.executable, "-c", "import os, signal, socket, sys, threading, time\n" + python]
            return Scene(list(argv) or words, stack, borrow=borrow, trace=trace)

        yield start_
