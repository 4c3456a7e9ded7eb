"""What the tests of this room share: a prepared process, a launcher, a network, a program of many behaviours."""

from __future__ import annotations

import random
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.subject.isolation import Isolation, detect
from harness.subject.launch import Launcher
from harness.subject.network import Network, prepare_process
from harness.subject.program import Program

FUSE = 30.0


@pytest.fixture(scope="session")
def isolation() -> Isolation:
    found = detect()
    return prepare_process() if found.needs_user_namespace else found


@pytest.fixture(scope="session")
def behave(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the executable ``behave``."""
    directory = tmp_path_factory.mktemp("behave")
    for above in (directory, *directory.parents):
        if above.owner() and above.stat().st_uid == directory.stat().st_uid:
            above.chmod(above.stat().st_mode | 0o011)
    source = Path(__file__).with_name("programs") / "behave.c"
    command = ["cc", "-std=c11", "-O1", "-Wall", "-pthread", "-o", str(directory / "behave"), str(source)]
    subprocess.run(command, check=True)
    return directory


@pytest.fixture
def network(isolation: Isolation) -> Iterator[Network]:
    with Network(isolation, random.Random(7)) as entered:
        yield entered


@pytest.fixture
def launcher(isolation: Isolation, network: Network) -> Launcher:
    return Launcher(isolation)


Start = Callable[..., Program]


@pytest.fixture
def start(launcher: Launcher, behave: Path) -> Iterator[Start]:
    """Start ``behave`` in a mode; everything is closed at the end."""
    started: list[Program] = []

    def start_mode(*words: object, **options: object) -> Program:
        program = launcher.start(["./behave", *map(str, words)], files=behave, **options)  # type: ignore[arg-type]
        started.append(program)
        return program

    yield start_mode
    for program in started:
        program.close()


def until(program: Program, happened: Callable[[], object]) -> None:
    """Refresh the program until *happened*; a fuse makes a hanging test fail."""
    deadline = time.monotonic() + FUSE
    program.refresh()
    while not happened():
        assert time.monotonic() < deadline, (
            f"did not happen; status {program.status}, output {program.output.stdout[:200]!r}"
        )
        poll = select.poll()
        for fd in program.wakers():
            poll.register(fd, select.POLLIN)
        poll.poll(20)
        program.refresh()


def until_ended(program: Program) -> Program:
    until(program, lambda: program.status is not None)
    return program


def until_ready(program: Program) -> Program:
    until(program, lambda: b"ready\n" in program.output.stdout)
    return program


def is_gone(pid: int) -> bool:
    """Whether the process has ended, or does not exist any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
