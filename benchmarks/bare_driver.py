"""What a run costs without us: start a server, wait until it listens, exchange, stop it; so many times.

``python benchmarks/bare_driver.py PROGRAM STARTS`` uses the standard library only.  It asks for one
exchange and an orderly end for each start, no network of its own, no look at anything.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_REQUEST = b"a request of thirty-two bytes...\n"
_LISTEN = "0A"


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_listener(port: int) -> None:
    """Until /proc/net/tcp shows a listening socket on *port*, looking again and again."""
    wanted = f":{port:04X} 00000000:0000 {_LISTEN} "
    while wanted not in Path("/proc/net/tcp").read_text():
        time.sleep(0)  # lets the server have this processor


def once(program: str) -> None:
    """One start, one exchange, one end."""
    port = free_port()
    server = subprocess.Popen([program, str(port)])
    wait_for_listener(port)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(_REQUEST)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer == _REQUEST, answer
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0


if __name__ == "__main__":
    for _ in range(int(sys.argv[2])):
        once(sys.argv[1])
