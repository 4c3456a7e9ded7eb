"""Language runtimes with threads and timers of their own are proven idle too, and their sleeps are seen."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.observe.settle import SettledKind

from .conftest import PROGRAMS, Start

REQUESTS = 10


def command(language: str, directory: Path) -> list[str]:
    """How to run the echo server of *language*; skips the test without the language."""
    tools = {"python": [sys.executable], "node": ["node"], "java": ["javac", "java"], "go": ["go"]}[language]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    if language == "java":
        subprocess.run(["javac", "-d", str(directory), str(PROGRAMS / "Echo.java")], check=True)
        return ["java", "-cp", str(directory), "Echo"]
    if language == "go":
        caches = {"GOCACHE": str(directory / "cache"), "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
        target = str(directory / "echo")
        subprocess.run(
            ["go", "build", "-o", target, str(PROGRAMS / "echo.go")], check=True, env={**os.environ, **caches}
        )
        return [target]
    return [*tools, str(PROGRAMS / {"python": "echo.py", "node": "echo.js"}[language])]


@pytest.mark.parametrize("language", ["python", "node", "java", "go"])
def test_silence_is_proven_and_sleep_is_not_silence(start: Start, tmp_path: Path, language: str) -> None:
    scene = start(*command(language, tmp_path))
    # Go catches every signal; without a supervisor, whoever catches SIGALRM may have set an alarm.
    scene.tree.supervised = True
    scene.settler.spin_cpu_seconds = 10
    address = scene.address()
    with socket.create_connection(("127.0.0.1", address[1])) as client:
        scene.oracle.peers.add(client)

        def ask(request: bytes) -> SettledKind:
            client.send(request)
            settled = scene.settler.wait(
                lambda: bool(select.select([client], [], [], 0)[0]), [client.fileno()]
            )
            if settled.ready:
                assert client.recv(100) == request
            return settled.kind

        for _ in range(REQUESTS):
            assert ask(b"echo") is SettledKind.READY
            assert ask(b"!silence") is SettledKind.QUIESCENT
        assert ask(b"?late") is SettledKind.READY
        scene.oracle.peers.discard(client)
