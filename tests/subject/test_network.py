"""A network of one's own, and ports in it."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.observe.attempts import connections_tried, datagrams_sent
from harness.subject.isolation import Isolation, Level
from harness.subject.namespaces import uid_outside
from harness.subject.network import Network

ROOT = Path(__file__).parents[2]


def network_id() -> str:
    return os.readlink("/proc/thread-self/ns/net")


@pytest.fixture
def private(network: Network) -> Network:
    if not network.private:
        pytest.skip("no network namespaces here")
    return network


def test_enter_and_leave(isolation: Isolation) -> None:
    home = network_id()
    network = Network(isolation, random.Random(1))
    with network:
        assert (network_id() != home) is network.private
    assert network_id() == home
    network.leave()
    assert network_id() == home


def test_two_networks_have_the_same_port(isolation: Isolation) -> None:
    kept = []
    for _ in range(2):
        with Network(isolation, random.Random(1)) as network:
            if not network.private:
                pytest.skip("no network namespaces here")
            listener = socket.create_server(("127.0.0.1", 8080))
            kept.append(listener)
            socket.create_connection(("127.0.0.1", 8080)).close()
    for listener in kept:
        listener.close()


def test_settings(private: Network) -> None:
    assert Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip() == "reno"
    socket.create_server(("127.0.0.1", 80)).close()
    assert private.set("ipv4/tcp_fin_timeout", "7")
    assert not private.set("ipv4/there_is_no_such_thing", "7")


def test_both_families_work(private: Network) -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.create_server((host, private.port()), family=family) as listener:
            socket.create_connection(listener.getsockname()[:2]).close()


def test_further_addresses(private: Network) -> None:
    for family, host in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        private.add_address(host)
        with socket.create_server((host, 4000), family=family) as listener:
            socket.create_connection(listener.getsockname()[:2]).close()


def test_ports_are_free_different_and_not_ephemeral(network: Network) -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ports = [network.port() for _ in range(50)]
    assert len(set(ports)) == 50
    for port in ports:
        assert 1024 <= port <= 65535 and not low <= port <= high
        socket.create_server(("", port)).close()


def test_ports_depend_on_the_seed_only(isolation: Isolation) -> None:
    ports = []
    for seed in (1, 1, 2):
        with Network(isolation, random.Random(seed)) as network:
            if not network.private:
                pytest.skip("a shared network has foreign ports")
            ports.append([network.port() for _ in range(5)])
    assert ports[0] == ports[1] != ports[2]


def test_a_shared_network_gives_ports_that_are_free() -> None:
    with Network(Isolation(Level.L5, changes_user=False), random.Random(3)) as network:
        port = network.port()
    with (
        socket.create_server(("", port)),
        Network(Isolation(Level.L5, changes_user=False), random.Random(3)) as network,
    ):
        assert network.port() != port


def test_a_shared_network_is_for_one_at_a_time() -> None:
    code = """
import random
from harness.observe.attempts import connections_tried, datagrams_sent
from harness.subject.isolation import Isolation, Level
from harness.subject.namespaces import uid_outside
from harness.subject.network import Network
print("waiting", flush=True)
with Network(Isolation(Level.L5, changes_user=False), random.Random(1)):
    print("in", flush=True)
"""
    with Network(Isolation(Level.L5, changes_user=False), random.Random(1)):
        other = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}
        )
        assert other.stdout is not None
        assert other.stdout.readline() == b"waiting\n"
        lock = os.stat(f"{tempfile.gettempdir()}/sockspec-{uid_outside()}.lock").st_ino
        while not any(
            "-> FLOCK" in line and f":{lock} " in line
            for line in Path("/proc/locks").read_text().splitlines()
        ):
            assert other.poll() is None
    assert other.communicate()[0] == b"in\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_was_tried_is_counted(private: Network, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    assert (connections_tried(), datagrams_sent()) == (0, 0)
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        assert stream.connect_ex((host, private.port())) != 0
    with socket.socket(family, socket.SOCK_DGRAM) as datagram:
        datagram.sendto(b"?", (host, private.port()))
    assert (connections_tried(), datagrams_sent()) == (1, 1)
