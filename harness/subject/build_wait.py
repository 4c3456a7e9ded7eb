"""Waiting for a build, which may be hostile or simply never end."""

from __future__ import annotations

import select
import time
from pathlib import Path

from harness.observe.lowlevel import slurp
from harness.observe.procfs import threads_below
from harness.subject.built_files import size_of
from harness.subject.program import Program

#: Bytes that a build may leave behind.
MOST_BUILT = 1 << 30
#: Seconds without any activity (every thread asleep, no CPU time used) after which a build will not end any more.
IDLE = 15.0
#: Seconds between two looks at a build.
INTERVAL = 0.25


def wait_for_build(program: Program, directory: Path) -> str | None:
    """Until the build ends; None, or why it had to be ended."""
    idle_since, activity = time.monotonic(), b""
    while program.status is None:
        _sleep_until_news(program)
        program.refresh()
        if program.excess:
            return program.excess.removeprefix("it ")
        if size_of(directory) > MOST_BUILT:
            return f"left more than {MOST_BUILT >> 20} MB of files behind"
        now = _activity(program)
        if now is None or now != activity:
            idle_since, activity = time.monotonic(), now or b""
        elif time.monotonic() - idle_since > IDLE:
            return "does not end: it waits for something that does not come (does it start the program?)"
    return None


def _activity(program: Program) -> bytes | None:
    """Changes whenever the build does anything; None while a thread of it runs, or waits for a CPU or a disk."""
    seen = []
    for thread in threads_below(program.root):
        try:
            stat_line = slurp(f"/proc/{thread.pid}/task/{thread.tid}/stat", 1024).rsplit(b")", 1)[1].split()
        except (OSError, IndexError):
            return None
        if stat_line[0] in (b"R", b"D"):
            return None
        seen.append(b"%d %s %s" % (thread.tid, stat_line[11], stat_line[12]))
    return b";".join(seen) or b"-"


def _sleep_until_news(program: Program) -> None:
    poll = select.poll()
    for fd in program.wakers():
        poll.register(fd, select.POLLIN)
    poll.poll(INTERVAL * 1000)
