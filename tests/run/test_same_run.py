"""One way in: the command, pytest, and several workers give the same results."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.run.running import REPOSITORY, sockspec

ECHO = "fixtures/programs/reference/echo_poll.c"
LEAKS = "fixtures/programs/broken/half-close/answers-fin-with-fin--never-closes.c"
SELECT = ("--select", "half-close/*", "--select", "accept/*")


def _outcomes(results: dict[str, object] | None) -> list[tuple[str, str, str]]:
    assert results is not None
    return [(entry["id"], entry["case"], entry["outcome"]) for entry in results["checks"]]  # type: ignore[index,attr-defined]


def test_pytest_the_command_and_workers_agree(tmp_path: Path) -> None:
    options = (LEAKS, "--profile", "echo", *SELECT)
    command = sockspec(*options, tmp_path=tmp_path)
    workers = sockspec(*options, "-n", "2", tmp_path=tmp_path)
    pytest = sockspec("--submission", *options, tmp_path=tmp_path, command=("-m", "pytest", "suites/"))
    assert command.status == workers.status == pytest.status == 1
    assert _outcomes(command.results) == _outcomes(workers.results) == _outcomes(pytest.results)


def test_a_right_program_meets_the_assignment(tmp_path: Path) -> None:
    ran = sockspec(ECHO, "--profile", "echo", *SELECT, tmp_path=tmp_path)
    assert ran.status == 0, ran.printed
    assert ran.results is not None and ran.results["summary"]["verdict"] == "pass"


def test_a_teachers_own_test_uses_the_fixtures(tmp_path: Path) -> None:
    own = tmp_path / "test_own.py"
    own.write_text(
        "from harness.checks import MUST, check\n\n"
        '@check("own/greets", MUST, "the lecture")\n'
        "def test_greets(server):\n"
        '    """The server echoes a greeting."""\n'
        "    client = server.client()\n"
        '    client.send(b"hello\\n")\n'
        "    client.expect_reply()\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            str(own),
            "-p",
            "harness.plugin",
            "--submission",
            str(REPOSITORY / ECHO),
            "--profile",
            "echo",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "own" in done.stdout


def test_an_interrupted_run_still_writes_its_report(tmp_path: Path) -> None:
    target = tmp_path / "results.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "check", ECHO, "--profile", "echo", "--json", str(target)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    seen = b""
    while b".." not in seen:  # two checks have passed
        piece = os.read(process.stdout.fileno(), 4096)
        assert piece, seen
        seen += piece
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 3
    assert '"complete": false' in target.read_text()
