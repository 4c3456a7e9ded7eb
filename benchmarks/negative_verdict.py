"""How long it takes to say "no reply will come" about a server that is silent, against waiting for a second.

``python -m benchmarks.negative_verdict [--verdicts N]``.  Each verdict is about a fresh server in a fresh
network; measured is only the wait, from the request that is sent to the violation that is raised.
"""

from __future__ import annotations

import argparse
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import HOUSE, circumstances, compiled, table
from harness.run.options import Options
from harness.run.session import Session, open_session
from harness.stage.stage import Stage
from harness.subject import network
from harness.subject.launch import Launcher
from harness.subject.network import Network
from harness.verdict.outcome import Violation

SERVER = HOUSE / "benchmarks" / "silent_server.c"

#: What one waits elsewhere, in seconds, before one believes that nothing will come.
TIMEOUT = 1.0


def wait_for_verdict(stage: Stage) -> float:
    """Seconds until our verdict."""
    client = stage.serve().client()
    client.ask()
    began = time.perf_counter()
    try:
        client.expect_reply()
    except Violation:
        return time.perf_counter() - began
    raise AssertionError("a silent server has answered")


def wait_for_timeout(stage: Stage) -> float:
    """Seconds until recv(2) gives up."""
    address = stage.serve().address
    with socket.create_connection((address.host, address.port)) as client:
        client.sendall(b"a request\n")
        client.settimeout(TIMEOUT)
        began = time.perf_counter()
        try:
            client.recv(1)
        except TimeoutError:
            return time.perf_counter() - began
    raise AssertionError("a silent server has answered")


def times(session: Session, measure: Callable[[Stage], float], number: int) -> list[float]:
    """*number* measurements, each on a stage of its own."""
    launcher = Launcher(session.isolation, session.assignment.limits)
    taken = []
    for seed in range(number):
        with Network(session.isolation, random.Random(seed)) as net:
            stage = Stage(session.assignment, session.built, launcher, net, str(seed), session.memory)
            try:
                taken.append(measure(stage))
            finally:
                stage.close()
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--verdicts", type=int, default=50, help="how many verdicts (default 50)")
    number: int = parser.parse_args().verdicts
    network.prepare_process()
    with tempfile.TemporaryDirectory(prefix="sockspec-bench-") as directory:
        session = open_session(Options(str(compiled(SERVER, Path(directory))), profile="echo"))
        network.prepare_worker()
        try:
            ours = times(session, wait_for_verdict, number)
            theirs = times(session, wait_for_timeout, 3)
        finally:
            session.close()
    rows = [
        (name, f"{1000 * min(t):.2f}", f"{1000 * statistics.median(t):.2f}", f"{1000 * max(t):.2f}")
        for name, t in (("verdict from the kernel's state", ours), (f"timeout of {TIMEOUT:.0f} s", theirs))
    ]
    print(f"{circumstances()}; {number} verdicts\n")
    print(table(("", "least ms", "median ms", "most ms"), rows))
    print(f"\n1 : {statistics.median(theirs) / statistics.median(ours):.0f}")


if __name__ == "__main__":
    main()
