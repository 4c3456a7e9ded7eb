"""idle: clients that say nothing, or little."""

from harness.checks import (
    CUT,
    ENDED,
    OPEN,
    check,
    if_set,
    lasting,
    many_requests,
    stream,
)


@check(
    "idle/timeout",
    if_set("idle_timeout"),
    "socket(7) SO_RCVTIMEO",
    "poll(2)",
    only=(stream, lasting),
    needs="accept/first-client",
    usual={
        OPEN: "no timeout is set, or SO_RCVTIMEO is given an int instead of a struct timeval",
        ENDED: "the timeout of one client ends the whole program, not only its connection",
    },
)
def test_timeout(server, contract):
    """A client that says nothing is given up after the agreed time."""
    client = server.client()
    client.expect_fin(patience=3 * contract.idle_timeout + 1)
    server.still_serves()


@check(
    "idle/timeout-after-answer",
    if_set("idle_timeout"),
    "socket(7) SO_RCVTIMEO",
    "alarm(2)",
    only=(stream, lasting, many_requests),
    needs="idle/timeout",
    usual={
        OPEN: "the timeout is set for the first message only, or turned off (alarm(0)) when that has come"
    },
)
def test_timeout_after_answer(server, contract):
    """A client that has been answered, and then says nothing more, is given up as well."""
    client = server.client()
    client.exchange()
    client.expect_fin(patience=3 * contract.idle_timeout + 1)
    server.still_serves()


@check(
    "idle/slow-but-active-kept",
    if_set("idle_timeout"),
    "socket(7) SO_RCVTIMEO",
    "poll(2)",
    only=(stream, lasting),
    needs="accept/first-client",
    usual={CUT: "the time is measured from the beginning of the connection, not from the last byte"},
)
def test_slow_but_active_kept(server, contract):
    """A client that sends slowly, but never pauses for the agreed time, is not given up."""
    client = server.client()
    for _ in range(6):
        client.send_next_byte(within=0.8 * contract.idle_timeout)
        server.idle_for(contract.idle_timeout / 3)
    client.send_rest()
    client.expect_reply()
