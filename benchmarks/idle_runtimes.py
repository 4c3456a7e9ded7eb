"""What verdict an idle server of each language runtime gets, and how long it takes to say "no reply will come".

``python -m benchmarks.idle_runtimes [--verdicts N] [--hogs M]``.  Each server has answered one request of a client that
stays connected; measured is the wait for an answer that nobody owes.  Then the same with M busy loops beside it.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections import Counter

from benchmarks.load import busy_loops
from benchmarks.measuring import circumstances, table
from harness import house, programs
from harness.run.options import Options
from harness.run.session import Session, open_session
from harness.stage.patience import PATIENCE
from harness.stage.stage import Stage
from harness.subject import network
from harness.subject.launch import Launcher
from harness.subject.network import Network

SERVERS = {
    "C, poll()": "echo_poll.c",
    "C, a thread for each client": "echo_threads.c",
    "Python, threads": "echo_threads.py",
    "Python, socketserver": "echo_socketserver.py",
    "Python, asyncio": "echo_asyncio.py",
    "Node.js": "echo.js",
    "Java, threads": "EchoThreads.java",
    "Java, NIO": "EchoNio.java",
    "Go": "echo.go",
    "Rust": "echo.rs",
}


def verdicts(session: Session, number: int) -> tuple[Counter[str], list[float]]:
    """The kinds of *number* verdicts, and the seconds they took."""
    launcher = Launcher(session.isolation, session.assignment.limits)
    kinds: Counter[str] = Counter()
    taken = []
    with Network(session.isolation, random.Random(1)) as net:
        stage = Stage(session.assignment, session.built, launcher, net, "1", session.memory)
        try:
            server = stage.serve()
            client = server.client()
            client.exchange()
            for _ in range(number):
                began = time.perf_counter()
                settled = server.settler(PATIENCE).wait(lambda: False, [client.peer.socket.fileno()])
                taken.append(time.perf_counter() - began)
                kinds[settled.kind.name] += 1
        finally:
            stage.close()
    return kinds, taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--verdicts", type=int, default=50, help="how many verdicts for each (default 50)")
    parser.add_argument("--hogs", type=int, default=2 * (os.cpu_count() or 1), help="busy loops")
    words = parser.parse_args()
    network.prepare_process()
    network.prepare_worker()
    rows = []
    for name, file in SERVERS.items():
        path = house.PROGRAMS / "reference" / file
        specimen = programs.read(path, None)
        if specimen.lacking:
            rows.append((name, f"{', '.join(specimen.lacking)} is not installed", "", "", "", ""))
            continue
        session = open_session(Options(str(path), profile="echo", build=specimen.build, run=specimen.run))
        try:
            idle = verdicts(session, words.verdicts)
            with busy_loops(words.hogs):
                loaded = verdicts(session, words.verdicts)
        finally:
            session.close()
        rows.append((name, *_columns(*idle), *_columns(*loaded)))
        print(rows[-1], flush=True)
    print(f"\n{circumstances()}; {words.verdicts} verdicts each, then with {words.hogs} busy loops\n")
    print(table(("", "idle", "median ms", "most ms", "loaded", "median ms", "most ms"), rows))


def _columns(kinds: Counter[str], taken: list[float]) -> tuple[str, str, str]:
    return (
        ", ".join(f"{kind} {number}" for kind, number in kinds.items()),
        f"{1000 * statistics.median(taken):.2f}",
        f"{1000 * max(taken):.2f}",
    )


if __name__ == "__main__":
    main()
