"""udp-client: programs that send datagrams to a server of ours."""

import pytest

from harness.checks import (
    ADVICE,
    BUSY,
    DIED,
    MUST,
    PRINTED,
    RUNS_ON,
    SENT,
    SHOULD,
    STATUS,
    UNREACHED,
    by_contract,
    check,
    datagram_client,
    if_set,
    once,
    when,
)

SENDS = "udp-client/first-datagram"


@check(
    SENDS,
    MUST,
    "sendto(2)",
    "htons(3)",
    only=datagram_client,
    usual={UNREACHED: "the port lacks htons(), or address and port are fixed in the code"},
)
def test_first_datagram(client):
    """The client sends a datagram to the address that it is given."""
    client.type_turn()
    client.expect_reached()


@check(
    "udp-client/dialogue",
    MUST,
    "sendto(2)",
    "recvfrom(2)",
    only=datagram_client,
    needs=SENDS,
    usual={SENT | PRINTED: "sizeof(buf) or strlen() in place of the length"},
)
def test_dialogue(client):
    """Each datagram is exactly what it must be, what comes back is printed exactly, and the client ends with the agreed status."""
    client.converse()


@check(
    "udp-client/idle-costs-nothing",
    MUST,
    "poll(2)",
    "fcntl(2) O_NONBLOCK",
    only=datagram_client,
    needs=(SENDS, "udp-client/dialogue"),
    usual={
        BUSY: "the socket is non-blocking, and recvfrom() is called again and again until something comes"
    },
)
def test_idle_costs_nothing(client):
    """While no answer comes, the client waits, and does not use the CPU."""
    client.wait_for_an_answer()


@check(
    "udp-client/timeout",
    if_set("idle_timeout"),
    "alarm(2)",
    "socket(7) SO_RCVTIMEO",
    only=datagram_client,
    needs=SENDS,
    usual={
        RUNS_ON: "alarm() with a handler that restarts the call (SA_RESTART, which signal() sets), or no timeout at all"
    },
)
def test_timeout(client, contract):
    """If no answer ever comes, the client gives up in the agreed time, says so, and ends with a status other than 0."""
    client.lose_every_request()
    client.type_turn()
    client.expect_failure_within(contract.idle_timeout, "no answer came")


@check(
    "udp-client/retry",
    if_set("retry"),
    "RFC 768",
    only=datagram_client,
    needs=SENDS,
    usual={SENT | RUNS_ON | STATUS: "the request is sent once: a datagram that is lost is lost for ever"},
)
def test_retry(client):
    """A request that was lost is sent again, and its answer is printed once."""
    client.lose_requests(1)
    client.converse()


@check(
    "udp-client/foreign-datagram",
    by_contract("answers_from", server=SHOULD, anyone=ADVICE),
    "connect(2)",
    "recvfrom(2)",
    only=datagram_client,
    needs="udp-client/dialogue",
    usual={
        PRINTED: "the address that recvfrom() gives is not compared with the server's, and the socket is not connected"
    },
)
def test_foreign_datagram(client):
    """A datagram from anybody but the server is not taken for an answer."""
    client.let_a_stranger_answer_first()
    client.converse()


@check(
    "udp-client/short-reply",
    MUST,
    "recvfrom(2)",
    only=datagram_client,
    needs="udp-client/dialogue",
    usual={
        PRINTED: "the count that recvfrom() returned is not looked at: old bytes are taken for a part of the answer"
    },
)
def test_short_reply(client):
    """Of an answer that is too short, nothing is made up."""
    client.take_short_answer()
    client.expect_nothing_made_up()


@pytest.mark.parametrize("length", ["one-packet", "largest"])
@check(
    "udp-client/long-answer",
    MUST,
    "recvfrom(2)",
    "udp(7)",
    only=datagram_client,
    needs="udp-client/dialogue",
    usual={PRINTED: "the buffer is too small, and what of a datagram does not fit into it is lost (recv(2))"},
)
def test_long_answer(client, length):
    """An answer as long as agreed (contract.max_datagram) is printed whole."""
    client.take_long_datagram(length)
    client.expect_conversation()


@pytest.mark.parametrize("trouble", ["duplicate", "late"])
@check(
    "udp-client/duplicate-and-late",
    MUST,
    "RFC 768",
    only=(datagram_client, once),
    needs="udp-client/dialogue",
    usual={PRINTED | SENT: "every datagram that comes is printed"},
)
def test_duplicate_and_late(client, trouble):
    """An answer that the network has doubled, or that comes late, after the client has asked again, is printed once."""
    client.answer_twice() if trouble == "duplicate" else client.let_answers_be_late()
    client.converse()


@check(
    "udp-client/port-unreachable",
    by_contract("answers_from", server=SHOULD, anyone=ADVICE),
    "udp(7) ECONNREFUSED",
    "connect(2)",
    only=(datagram_client, when("idle_timeout", 0)),
    usual={
        RUNS_ON: "the socket is not connected, so the kernel cannot tell that nobody is there; or the error is not looked at"
    },
)
def test_port_unreachable(clients):
    """If nobody is there, the client says so and ends with a status other than 0."""
    client = clients.start()
    client.type_blindly()
    client.expect_failure("nobody is at the port it was given")


@check(
    "udp-client/oversize",
    MUST,
    "recv(2) MSG_TRUNC",
    only=datagram_client,
    needs="udp-client/dialogue",
    usual={DIED | PRINTED: "buf[n] = 0 with n equal to the size of buf"},
)
def test_oversize(client):
    """An answer larger than any buffer does no harm."""
    client.take_oversized_answer()
    client.expect_nothing_made_up()
