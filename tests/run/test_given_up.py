"""A client that was given up by contract, because we had been silent for so long, costs no point."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import cast

import pytest

from harness.peers.stream import StreamPeer
from harness.stage import findings
from harness.stage.client import Client
from harness.verdict.timeline import Timeline


def client_of(peer: object, *, timeout: float, status: object = None) -> Client:
    server = SimpleNamespace(contract=SimpleNamespace(idle_timeout=timeout), status=status)
    return cast(Client, SimpleNamespace(name="client 1", peer=peer, server=server))


@pytest.mark.parametrize(
    ("pause", "timeout", "over", "status", "excused"),
    [
        (1.9, 2, True, None, True),  # its clock may have begun before ours
        (1.5, 2, True, None, False),  # too early
        (9.0, 0, True, None, False),  # no timeout was agreed
        (9.0, 2, False, None, False),  # it did not give up
        (9.0, 2, True, "exit status 1", False),  # it is dead, which no timeout excuses
    ],
)
def test_excuse(pause: float, timeout: float, over: bool, status: str | None, excused: bool) -> None:
    peer = SimpleNamespace(over=over, longest_pause=pause)
    excuse = findings.given_up(client_of(peer, timeout=timeout, status=status))
    assert (excuse is not None) is excused
    if excuse is not None:
        assert "client 1" in excuse.observed and "contract.idle_timeout" in excuse.observed


def test_pause_is_measured_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("harness.peers.stream.time", SimpleNamespace(monotonic=lambda: now))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        peer = StreamPeer("client 1", ours, Timeline(), lambda chunk: None)
        now = 100.5
        peer.queue(b"x")
        peer.push()
        assert peer.longest_pause == pytest.approx(0.5)
        now = 103.0
        theirs.close()
        peer.pull()
        assert peer.over
        assert peer.longest_pause == pytest.approx(3.0)  # we have read nothing since we connected
