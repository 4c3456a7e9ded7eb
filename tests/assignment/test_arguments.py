"""What a program is started with if nobody says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.assignment.arguments import default_arguments
from harness.assignment.profiles import find_profile
from harness.assignment.transport import Transport


@pytest.mark.parametrize(
    ("name", "transport", "words"),
    [
        ("echo", "tcp", "{port}"),
        ("echo", "unix-stream", "{path}"),
        ("http-file", "tcp6", "{port} {root}"),
        ("line-client", "tcp", "{peer_host} {peer_port}"),
        ("line-client", "unix-stream", "{path}"),
        ("udp-int32", "udp", "{peer_port}"),
        ("resolver", "tcp", "{peer_host} {service}"),
        ("socketpair", "unix-stream", ""),
    ],
)
def test_default_arguments(name: str, transport: str, words: str) -> None:
    assert " ".join(default_arguments(find_profile(name, Path()), Transport(transport))) == words
