"""ipv6: the other family."""

import pytest

from harness.checks import (
    DIED,
    MUST,
    PRINTED,
    REFUSED,
    STATUS,
    UNREACHED,
    by_contract,
    check,
    if_set,
    inet,
    resolver,
    stream_client,
)


@check(
    "ipv6/loopback",
    by_contract("families", ipv6=MUST, both=MUST),
    "ipv6(7)",
    only=inet,
    usual={REFUSED: "the socket is an AF_INET one"},
)
def test_loopback(server):
    """A client that comes by IPv6 (::1) is served."""
    server.serves(at="::1")


@pytest.mark.parametrize("bindv6only", ["0", "1"], ids=["default", "bindv6only"])
@check(
    "ipv6/dual-stack",
    by_contract("families", both=MUST),
    "ipv6(7) IPV6_V6ONLY",
    only=inet,
    usual={REFUSED: "IPV6_V6ONLY is not set to 0: the machine's default counts, or it was set to 1"},
)
def test_dual_stack(stage, bindv6only):
    """Clients are served by IPv4 and by IPv6, whatever the machine's default for IPV6_V6ONLY."""
    stage.set_network("ipv6/bindv6only", bindv6only)
    server = stage.serve()
    server.serves(at="127.0.0.1")
    server.serves(at="::1")


@pytest.mark.parametrize("place", [0, 1], ids=["first", "second"])
@check(
    "ipv6/second-address",
    if_set("resolves"),
    "getaddrinfo(3)",
    "RFC 6724 section 2",
    only=stream_client,
    needs=("client/connects", "client/dialogue"),
    usual={
        UNREACHED
        | STATUS: "only the first address that getaddrinfo() gives is tried, or gethostbyname() is used"
    },
)
def test_second_address(clients, place):
    """Of a host with two addresses the client finds the one that answers, whichever it is."""
    clients.with_two_addresses(place).converse()


@check(
    "ipv6/numeric-argument",
    by_contract("families", ipv6=MUST, both=MUST),
    "getaddrinfo(3)",
    "RFC 4291 section 2.2",
    only=resolver,
    usual={PRINTED | STATUS | DIED: "the buffer is INET_ADDRSTRLEN long, or gethostbyname() is used"},
)
def test_numeric_argument(runs):
    """An IPv6 address given as a literal is printed as that address."""
    literal = "2001:0db8:000a:0000:0004:0000:0000:0009"
    runs.start(host=literal).expect_resolved([literal], apart_from=literal)
