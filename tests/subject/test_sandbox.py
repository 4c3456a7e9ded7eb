"""What a hostile program finds, and does not find."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

import harness
from harness.subject import landlock
from harness.subject.isolation import Level
from harness.subject.launch import Launcher
from harness.subject.network import Network

from .conftest import Start, until, until_ended


def shell(launcher: Launcher, script: str, **options: object) -> tuple[int | None, str]:
    with launcher.start(["/bin/sh", "-c", script], **options) as program:  # type: ignore[arg-type]
        until_ended(program)
    assert program.status is not None
    return program.status.code, (program.output.stdout + program.output.stderr).decode()


@pytest.fixture
def sandboxed(launcher: Launcher) -> Launcher:
    if not launcher.isolation.sandboxed:
        pytest.skip("no bubblewrap at this level")
    return launcher


@pytest.fixture
def confined(launcher: Launcher) -> Launcher:
    if launcher.isolation.level is Level.L5:
        pytest.skip("nothing is confined at L5")
    return launcher


def test_confined_to_its_files(confined: Launcher, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    secret = tmp_path / "hidden-tests"
    secret.write_text("answer=42")
    secret.chmod(0o644)
    for path in (secret, Path(harness.__file__), Path(__file__), Path.home() / ".profile"):
        code, said = shell(confined, f"cat {path}")
        assert code != 0 and "answer" not in said and "import" not in said, path


def test_confined_files_of_the_submission(confined: Launcher, tmp_path: Path) -> None:
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == os.geteuid() and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o011)
    tmp_path.chmod(0o777)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "page").write_text("content")
    (tmp_path / "data" / "page").chmod(0o666)
    code, said = shell(
        confined, "cat data/page && echo new > own && cat own && test -w . && ls", files=tmp_path
    )
    assert (code, said) == (0, "contentnew\ndata\nown\n")
    shell(confined, "echo changed > data/page; rm -f data/page; mkdir data/more", files=tmp_path)
    assert (tmp_path / "data" / "page").read_text() == "content" and os.listdir(tmp_path) == ["data"]


def test_the_system_cannot_be_written(sandboxed: Launcher) -> None:
    for path in ("/", "/usr", "/etc", "/dev", "/sbx", "/built", "/var/tmp"):
        code, _ = shell(sandboxed, f"echo x > {path}/pwn")
        assert code != 0, path


def test_the_disk_is_bounded(sandboxed: Launcher) -> None:
    for path in ("/tmp", "/app", "/dev/shm"):
        code, said = shell(sandboxed, f"cat /dev/zero > {path}/fill")
        assert code != 0 and "No space left" in said, path


def test_processes_of_others_are_invisible(sandboxed: Launcher) -> None:
    code, said = shell(
        sandboxed, f"kill -0 {os.getpid()} 2>/dev/null && echo seen; ls /proc | grep -c '^[0-9]'"
    )
    assert "seen" not in said
    if sandboxed.isolation.mounts_proc:
        assert int(said.split()[0]) <= 6 and code == 0


def test_confined_signals(start: Start, confined: Launcher) -> None:
    if not confined.isolation.sandboxed and landlock.version() < 6 and confined.uid is None:
        pytest.skip("this Landlock does not confine signals")
    program = start("kill-all")
    until(program, lambda: program.status is not None)
    program.close()
    assert program.output.stdout == b"alive\n"


def test_abstract_sockets_and_ports_of_others(sandboxed: Launcher, network: Network) -> None:
    if not network.private:
        pytest.skip("the network is shared")
    network.leave()
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind(f"\0sockspec-test-{os.getpid()}")
        network.enter()
        script = f"""
import socket
try: socket.socket(socket.AF_UNIX).connect("\\0sockspec-test-{os.getpid()}")
except OSError as error: print(error.strerror)
try: socket.create_connection(("198.51.100.1", 53), 5)
except OSError as error: print(error.strerror)
"""
        with sandboxed.start(["python3", "-c", script]) as program:
            until_ended(program)
    assert program.output.stdout.split(b"\n")[:2] == [b"Connection refused", b"Network is unreachable"]


def test_rendezvous_has_the_same_short_path_on_both_sides(launcher: Launcher) -> None:
    with launcher.rendezvous() as directory:
        assert len(str(directory)) < 40
        path = directory / "s"
        script = f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r}); s.listen(); s.accept()[0].send(b'hi')"
        with launcher.start(["python3", "-c", script], rendezvous=directory) as program:
            until(program, lambda: program.listened or not program.supervised)
            until(program, path.exists)

            def connected() -> bool:
                client = socket.socket(socket.AF_UNIX)
                try:
                    client.connect(str(path))
                except ConnectionRefusedError:
                    client.close()
                    return False
                with client:
                    assert client.recv(9) == b"hi"
                return True

            until(program, connected)
    assert not directory.exists()


def test_readable_files(launcher: Launcher, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == os.geteuid() and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o011)
    root.mkdir(mode=0o755)
    (root / "page").write_text("hello")
    assert shell(launcher, f"cat {root}/page", readable=[root]) == (0, "hello")
