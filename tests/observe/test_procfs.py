"""Lists of threads that cannot be outrun, and files of threads that end."""

from __future__ import annotations

import os

import pytest

from harness.observe.procfs import (
    Changed,
    ProcFs,
    Thread,
    children,
    descriptors,
    last_pid,
    newcomer,
    threads_below,
)

from .conftest import Start

#: Attempts at what needs a moment in which nobody on this machine starts many processes.
TRIES = 50


def test_a_stranger_is_no_newcomer(start: Start) -> None:
    scene = start(python="signal.pause()")
    scene.settler.wait(lambda: False)
    for _ in range(TRIES):
        since = last_pid()
        pid = os.fork()  # ours, but not below the root
        if pid == 0:
            os._exit(0)
        try:
            assert newcomer(scene.tree.root, since, set()) is None
            return
        except Changed:
            continue  # other tests have started too much meanwhile
        finally:
            os.waitpid(pid, 0)
    pytest.skip("this machine starts too many processes to look at any in peace")


def test_a_new_process_or_thread_is_found(start: Start) -> None:
    for code in ("os.fork()", "threading.Thread(target=signal.pause).start()"):
        scene = start(python=f"sys.stdin.read(1)\n{code}\nsignal.pause()")
        since = scene.tree.pid
        scene.settle()
        first, second = (thread.tid for thread in threads_below(scene.tree.root))
        if second - since < 50:
            assert newcomer(scene.tree.root, since, {first}) == second
            assert newcomer(scene.tree.root, since, {first, second}) is None


def test_too_many_newcomers(start: Start) -> None:
    scene = start(python="signal.pause()")
    with pytest.raises(Changed):
        newcomer(scene.tree.root, last_pid() - 1000, set())


def test_a_thread_that_ended() -> None:
    files = ProcFs()
    with pytest.raises(Changed):
        files.runs(Thread(2**22 - 1, 2**22 - 1))
    assert children(2**22 - 1) == []
    assert descriptors(2**22 - 1) == {}
    files.close()


def test_run_counters_of_ourselves() -> None:
    files = ProcFs()
    me = Thread(os.getpid(), os.getpid())
    assert files.runs(me) != b"0"
    assert files.state(me) == "R"
    files.close()
