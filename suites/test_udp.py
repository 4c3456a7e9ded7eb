"""udp: each datagram is a message of its own."""

import pytest

from harness.checks import (
    DIED,
    ENDED,
    MISSING,
    MUST,
    OWN,
    PRINTED,
    RUNS_ON,
    SHOULD,
    STATUS,
    WRONG,
    answering,
    by_contract,
    check,
    transports,
    udp,
)

SIZES = [1, 511, 512, 513, 1023, 1024, 1025, 1472, 4096, 8192, 65507]


@check(
    "udp/first-datagram",
    MUST,
    "recvfrom(2)",
    "sendto(2)",
    only=udp,
    usual={MISSING: "the reply is not sent, or not to the address recvfrom() gave"},
)
def test_first_datagram(server):
    """The first datagram that arrives is answered."""
    server.datagram_client().exchange()


@check(
    "udp/one-for-one",
    MUST,
    "RFC 768",
    "udp(7)",
    only=udp,
    needs="udp/first-datagram",
    usual={
        MISSING | PRINTED: "of the datagrams that wait only one is read",
        WRONG: "what recvfrom() returned is glued together, or one datagram is answered by several",
    },
)
def test_one_for_one(server):
    """Each datagram is answered by one datagram, and boundaries are kept."""
    client = server.datagram_client()
    with server.paused():
        for surplus in range(3):
            client.ask(size=server.profile.smallest + surplus)
    client.expect_replies()


@pytest.mark.parametrize("size", SIZES)
@check(
    "udp/sizes",
    MUST,
    "udp(7)",
    "recv(2) MSG_TRUNC",
    only=udp,
    needs="udp/first-datagram",
    usual={
        MISSING
        | WRONG
        | PRINTED: "the receive buffer is too small: the rest of the datagram is lost; or the length does not fit into its type (a short ends at 32767)",
        DIED: "buf[n] = 0 with n equal to the size of buf overwrites what lies behind it",
    },
)
def test_sizes(server, contract, size):
    """Datagrams up to the agreed size are answered whole."""
    server.datagram_client().exchange(size=min(size, contract.max_datagram))


@check(
    "udp/empty",
    MUST,
    "recv(2)",
    "RFC 768",
    only=udp,
    needs="udp/first-datagram",
    usual={
        MISSING
        | ENDED
        | PRINTED: "a length of 0 is taken for an error or for the end, if only of the loop that reads all that is queued"
    },
)
def test_empty(server):
    """An empty datagram is a datagram like any other."""
    client = server.datagram_client()
    client.send(b"")
    client.ask()
    client.expect_replies()
    with server.paused():
        client.send(b"")
        client.ask()
    client.expect_replies()


@check(
    "udp/two-clients",
    MUST,
    "recvfrom(2)",
    "connect(2)",
    only=udp,
    needs="udp/first-datagram",
    usual={MISSING | WRONG: "the socket is connected to the first client, or replies go to the last one"},
)
def test_two_clients(server):
    """Each of two clients that take turns gets its own answers."""
    first, second = server.datagram_client(), server.datagram_client()
    with server.paused():
        for client in (first, second, first, second):
            client.ask()
    first.expect_replies()
    second.expect_replies()
    first.exchange()


@check(
    "udp/reply-from-same-address",
    MUST,
    "RFC 1122 section 4.1.3.5",
    "ip(7) IP_PKTINFO",
    only=(udp, answering),
    needs="udp/first-datagram",
    usual="the reply is sent from another socket than the one that received",
)
def test_reply_from_same_address(server):
    """The answer comes from the address and the port that were asked."""
    for client in server.datagram_clients_everywhere():
        client.exchange()


@check(
    "udp/client-gone",
    MUST,
    "udp(7) ECONNREFUSED",
    only=(udp, answering),
    needs=("udp/first-datagram", "udp/two-clients"),
    usual={ENDED: "ECONNREFUSED from the next call is taken for a fatal error"},
)
def test_client_gone(server):
    """Clients that are gone when their answer arrives do no harm."""
    for _ in range(3):
        with server.paused():
            client = server.datagram_client()
            client.ask()
            client.close()
        server.settle()
    server.still_serves()


@check(
    "udp/no-stale-bytes",
    MUST,
    "recvfrom(2)",
    only=udp,
    needs="udp/first-datagram",
    usual={WRONG | PRINTED: "the length that recvfrom() returned is not used"},
)
def test_no_stale_bytes(server):
    """The answer to a short datagram holds nothing of a longer one before it."""
    client = server.datagram_client()
    client.ask(size=1000)
    client.ask(size=server.profile.smallest + 4)
    client.expect_replies()


@check(
    "udp/binary",
    MUST,
    "RFC 768",
    only=udp,
    needs="udp/first-datagram",
    usual={WRONG | MISSING | PRINTED: "strlen() on received bytes"},
)
def test_binary(server):
    """All byte values are carried, NUL included."""
    client = server.datagram_client()
    client.carry(bytes(range(256)))
    client.carry(b"\0\0\0")
    client.expect_replies()


@check(
    "udp/burst",
    SHOULD,
    "udp(7)",
    "epoll(7)",
    only=udp,
    needs="udp/one-for-one",
    usual={MISSING | PRINTED: "one recvfrom() per edge-triggered wake-up"},
)
def test_burst(server, contract):
    """All datagrams of a burst that fits the receive buffer are answered."""
    client = server.datagram_client()
    with server.paused():
        for _ in range(20):
            client.ask(size=100)
        server.require_no_drops()
    client.expect_replies()


@check(
    "udp/ends-at-terminator",
    by_contract("lifetime", until_terminator=MUST),
    "exit(3)",
    "strcmp(3)",
    only=transports("udp", "udp6", "unix-dgram"),
    needs="udp/first-datagram",
    usual={
        RUNS_ON: "the datagram has no NUL at its end, so strcmp() compares what stands behind it as well",
        STATUS: "main() does not return 0",
        ENDED: "every datagram is taken for the terminator",
    },
)
def test_ends_at_terminator(server):
    """The terminator ends the program, with status 0; other datagrams do not."""
    client = server.datagram_client()
    client.ask()
    server.expect_running()
    server.conclude()
    server.expect_own_end()


@check(
    "udp/terminator-whole",
    by_contract("lifetime", until_terminator=MUST),
    "strncmp(3)",
    "strstr(3)",
    only=transports("udp", "udp6", "unix-dgram"),
    needs=("udp/first-datagram", "udp/ends-at-terminator"),
    usual={
        OWN
        | ENDED: "strncmp() with the length of one of the two texts, strstr(), startswith(), endswith() or `in` instead of a comparison of the whole; or strcasecmp(), lower()"
    },
)
def test_terminator_whole(server):
    """A datagram that is only a part of the terminator, contains it or resembles it does not end the program."""
    client = server.datagram_client()
    for text in server.almost_terminators():
        client.send(text)
        server.expect_not_ended_by(text)
    client.expect_replies()


@check(
    "udp/garbage",
    MUST,
    "recvfrom(2)",
    only=udp,
    needs=("udp/first-datagram", "udp/two-clients"),
    usual={ENDED: "received bytes are used as a string or a number without a look at their length"},
)
def test_garbage(server, stage):
    """Random datagrams do no harm."""
    client = server.datagram_client()
    for _ in range(40):
        client.send_garbage(stage.random.randbytes(stage.random.choice((0, 1, 3, 17, 256, 1400))))
        server.settle()
    client.close()
    server.still_serves()
