"""A running program: its tree, its output, its input, its end."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.assignment.limits import Limits
from harness.observe.procfs import process_state
from harness.subject.launch import Launcher

from .conftest import Start, is_gone, until, until_ended, until_ready


def test_exec_that_fails_tells_errno(launcher: Launcher, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with launcher.start(["./text"], files=tmp_path) as program:
        assert program.exec_errno == 13
    with launcher.start(["./nothing"], files=tmp_path) as program:
        assert program.exec_errno == 2
        until_ended(program)
        assert program.status is not None and program.status.code == 127


def test_exec_that_works_has_no_errno(start: Start) -> None:
    program = start("exit", 127)
    assert program.exec_errno is None
    assert str(until_ended(program).status) == "exit status 127"
    assert program.rusage is not None and program.rusage.max_rss_kb > 0


def test_pids_are_ours(start: Start) -> None:
    program = until_ready(start("pause"))
    assert os.readlink(f"/proc/{program.pid}/cwd") and program.members() == [program.pid]
    assert Path(f"/proc/{program.root}/comm").read_text().strip() == "pid1"
    assert program.root != program.pid


def test_clean_start(start: Start, launcher: Launcher) -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        program = until_ready(start("pause"))
        status = Path(f"/proc/{program.pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert int(fields["SigBlk"], 16) == int(fields["SigIgn"], 16) == int(fields["SigCgt"], 16) == 0
        assert fields["NoNewPrivs"] == "1" and int(fields["CapEff"], 16) == int(fields["CapInh"], 16) == 0
        assert sorted(os.listdir(f"/proc/{program.pid}/fd")) == ["0", "1", "2"]
        victim = Path(f"/proc/{program.pid}/oom_score_adj").read_text().strip()
        assert victim == "1000" or not launcher.isolation.mounts_proc
        assert os.getsid(program.pid) == os.getpgid(program.pid) == program.pid
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        os.close(reader)
        os.close(writer)


def test_environment_is_clean(launcher: Launcher) -> None:
    os.environ["SECRET_OF_THE_HARNESS"] = "42"
    try:
        with launcher.start(["/usr/bin/env"], env={"PORT": "17", "PATH": "/usr/bin"}) as program:
            until_ended(program)
    finally:
        del os.environ["SECRET_OF_THE_HARNESS"]
    names = {line.split(b"=")[0] for line in program.output.stdout.splitlines()}
    assert names <= {b"PATH", b"HOME", b"LANG", b"TMPDIR", b"PORT", b"PWD"}
    assert b"PORT=17" in program.output.stdout


def test_closed_stdio(start: Start) -> None:
    assert str(until_ended(start("first-descriptor", closed_stdio=True)).status) == "exit status 0"
    assert str(until_ended(start("first-descriptor", stdin="closed")).status) == "exit status 0"
    assert str(until_ended(start("first-descriptor")).status) == "exit status 3"
    assert str(until_ended(start("descriptors")).status) == "exit status 3"
    assert str(until_ended(start("descriptors", closed_stdio=True)).status) == "exit status 0"


def test_input_is_copied_and_ends(start: Start) -> None:
    program = start("copy")
    text = b"0123456789" * 20_000  # more than two pipes hold
    program.stdin.write(text)
    program.stdin.close()
    until_ended(program)
    program.close()
    assert program.output.stdout == text and program.status is not None and program.status.success


def test_input_of_a_dead_program(start: Start) -> None:
    program = until_ended(start("exit", 0))
    program.stdin.write(b"x" * 100_000)
    program.refresh()
    assert program.stdin.closed


@pytest.mark.parametrize("how", ["end of file", "end of the run"])
def test_input_is_closed_while_somebody_splices_from_it(start: Start, how: str) -> None:
    """Nobody reads what it writes, so splice(2) holds the pipe's mutex for ever, and close(2) wants it (fs/pipe.c)."""
    program = until_ready(start("splice"))
    waits_in = Path(f"/proc/{program.pid}/wchan")
    while b"sock" not in waits_in.read_bytes():
        program.stdin.write(bytes(1 << 12))
        until(program, lambda: any(word in waits_in.read_bytes() for word in (b"pipe_wait", b"sock")))
    if how == "end of file":
        program.stdin.close()
        assert program.stdin.closed and program.status is None
    program.close()


def test_null_input_is_at_its_end(start: Start) -> None:
    assert str(until_ended(start("copy", stdin="null")).status) == "exit status 0"


def test_flood_is_bounded_and_ended(start: Start) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    program = start("flood", limits=Limits(output_mb=1))
    until(program, lambda: program.output.flooded)
    assert program.excess is None
    until_ended(program)
    assert program.excess is not None and "8 MB" in program.excess
    assert len(program.output.stdout) < (1 << 20) + 100 and b"bytes left out" in program.output.stdout
    assert program.output.total > 8 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def test_memory_is_bounded(start: Start) -> None:
    program = until_ended(start("memory", limits=Limits(memory_mb=64)))
    program.refresh()
    assert program.excess is not None and "64 MB of memory" in program.excess
    assert program.status is not None and program.status.signal == signal.SIGKILL


def test_cpu_is_bounded(launcher: Launcher) -> None:
    with launcher.start(["/bin/sh", "-c", "while :; do :; done"], limits=Limits(cpu_seconds=1)) as program:
        assert str(until_ended(program).status) == "killed by SIGXCPU (24)"


def test_daemon_is_a_member_and_gone_after_close(start: Start) -> None:
    program = until_ended(until_ready(start("daemon")))
    assert str(program.status) == "exit status 0"
    until(program, lambda: len(program.members()) == 1)
    (daemon,) = program.members()
    until(program, lambda: program.stdout_at_eof)
    assert daemon != program.pid and not program.all_gone
    program.close()
    assert is_gone(daemon)


def test_ignoring_all_signals_does_not_help(start: Start) -> None:
    program = until_ready(start("ignore"))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        program.signal(number)
    program.refresh()
    assert program.status is None
    pid, root = program.pid, program.root
    program.close()
    program.close()
    assert is_gone(pid) and is_gone(root)


def test_a_fork_bomb_is_bounded_and_ends(start: Start) -> None:
    program = until_ready(start("bomb", limits=Limits(processes=40)))
    until(program, lambda: len(program.members()) >= 20)
    members = program.members()
    assert len(members) <= 40
    program.close()
    assert all(map(is_gone, members))


def test_a_hydra_ends(start: Start) -> None:
    program = start("hydra", limits=Limits(processes=40))
    until_ended(program)
    root = program.root
    program.close()
    assert is_gone(root)


def test_zombies_are_told_from_members(start: Start) -> None:
    program = until_ready(start("zombie"))
    assert program.members() == [program.pid] and len(program.zombies()) == 1


def test_a_process_without_its_first_thread_is_a_member(start: Start) -> None:
    program = until_ready(start("leaderless"))
    until(program, lambda: process_state(program.pid) == "Z")
    assert program.members() == [program.pid] and program.zombies() == []


def test_stop_and_continue_all(start: Start) -> None:
    program = until_ready(start("children", 5))
    members = program.members()
    assert len(members) == 6
    program.stop_all()
    assert program.frozen
    until(program, lambda: all(process_state(pid) == "T" for pid in members))
    program.continue_all()
    assert not program.frozen
    until(program, lambda: all(process_state(pid) == "S" for pid in members))


def test_signal_to_the_group(start: Start) -> None:
    program = until_ready(start("children", 3))
    assert program.signal_group(signal.SIGINT)
    until(program, lambda: not program.members())
    assert str(until_ended(program).status) == "killed by SIGINT (2)"
    assert not program.signal_group(signal.SIGINT)


def test_kill_reaches_everybody(start: Start) -> None:
    program = until_ready(start("children", 5))
    program.kill()
    until(program, lambda: not program.members())


def test_everything_gone_is_reported(start: Start) -> None:
    program = start("exit", 0)
    if not program.supervised:
        return
    until(program, lambda: program.all_gone)


def test_nothing_is_left_when_the_harness_is_killed(behave: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from harness.subject.launch import Launcher
from harness.subject.network import prepare_process
launcher = Launcher(prepare_process())
programs = [launcher.start(["./behave", mode], files=Path({str(behave)!r})) for mode in ("ignore", "daemon", "children")]
while (programs[1].status is None or b"ready" not in programs[1].output.stdout) and programs[1].members():
    programs[1].refresh()
print(*(pid for p in programs for pid in (p.root, *p.members())), flush=True)
sys.stdin.read()
"""
    harness = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert harness.stdout is not None
    pids = [int(word) for word in harness.stdout.readline().split()]
    assert len(pids) >= 6 and not any(map(is_gone, pids))
    pidfds = [os.pidfd_open(pid) for pid in pids]
    harness.kill()
    harness.communicate()
    for pidfd in pidfds:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        assert poll.poll(10_000), "a process has outlived the harness"
        os.close(pidfd)


@pytest.mark.parametrize(("mode", "orphans"), [("zombies", 60), ("no-zombies", 0)])
def test_children_that_nobody_waited_for(start: Start, mode: str, orphans: int) -> None:
    program = until_ended(start(mode, 60, orphans=True))
    until(program, lambda: len(program.orphans) >= orphans)
    assert len(program.orphans) == orphans
    assert program.ignored_children in (mode == "no-zombies", None)
