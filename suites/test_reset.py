"""reset: the peer is gone, and says so with an RST."""

import pytest

from harness.checks import (
    CUT,
    ENDED,
    LOST,
    MUST,
    RESET,
    SERVES,
    SHOULD,
    WRONG,
    answering,
    asking,
    check,
    greeting,
    lasting,
    stream,
)
from harness.sizes import BIG, TINY_WINDOW

#: More than one read() of most programs, and little enough to be in the receive buffer at once, the FIN behind it.
SEVERAL_READS = 40_000
SURVIVE = "a write to a connection that is gone raises SIGPIPE, or ECONNRESET is taken for a fatal error"
OTHERS = "the error of one client ends another: its number or descriptor is no longer that of the client it is used for"


@check(
    "reset/idle",
    MUST,
    "recv(2) ECONNRESET",
    only=(stream, lasting),
    needs=SERVES,
    usual={ENDED: SURVIVE},
)
def test_idle(server):
    """A client that resets its idle connection does no harm."""
    client = server.client()
    client.exchange()
    server.settle()
    client.abort()
    server.still_serves()


@check(
    "reset/mid-request",
    MUST,
    "recv(2) ECONNRESET",
    only=(stream, lasting, asking),
    needs=SERVES,
    usual={ENDED: SURVIVE},
)
def test_mid_request(server):
    """A client that resets in the middle of its request does no harm."""
    client = server.client()
    client.send_part()
    server.settle()
    client.abort()
    server.still_serves()


@pytest.mark.parametrize("half", ["open", "half_closed"])
@check(
    "reset/mid-reply",
    MUST,
    "signal(7) SIGPIPE",
    "send(2) MSG_NOSIGNAL",
    only=(stream, lasting, answering),
    needs=SERVES,
    usual={ENDED: SURVIVE, CUT: OTHERS},
)
def test_mid_reply(server, half):
    """A client that resets while the program is writing to it does no harm, nor to who has come after it."""
    if half == "open":
        client = server.client(receive_buffer=TINY_WINDOW)
        client.ask(size=BIG)
        client.fill()
    else:  # in CLOSE_WAIT, Linux makes EPIPE of an RST, not ECONNRESET: the very first write raises SIGPIPE
        client = server.answering_client()
    newest = server.client()
    server.settle()
    client.abort()
    newest.exchange()
    newest.leave()
    server.still_serves()


@check(
    "reset/write-after-fin",
    MUST,
    "signal(7) SIGPIPE",
    "send(2) EPIPE",
    only=(stream, lasting, answering),
    needs=SERVES,
    usual={ENDED: SURVIVE},
)
def test_write_after_fin(server):
    """Writing again and again to a client that has closed does no harm."""
    with server.paused():
        client = server.client()
        client.ask(size=SEVERAL_READS)
        client.vanish()
    server.still_serves()


@check(
    "reset/unread-input",
    SHOULD,
    "RFC 1122 section 4.2.2.13",
    "close(2)",
    only=(stream, lasting, greeting, answering),
    needs=SERVES,
    usual={
        LOST
        | RESET
        | WRONG: "close() while something of the client's is unread sends an RST, which destroys what is still to be sent; or what it sent is answered"
    },
)
def test_unread_input(server):
    """A client that has sent something, though nobody asked for it, still gets the whole text."""
    with server.paused():
        client = server.client(receive_buffer=TINY_WINDOW)
        client.send_surplus()
    client.expect_text_before_reset()
    client.vanish()  # a server that lingers waits for that
    server.still_serves()


@check(
    "reset/one-of-many",
    MUST,
    "recv(2) ECONNRESET",
    only=(stream, lasting),
    needs=(*SERVES, "reset/idle", "reset/mid-request"),
    usual={ENDED: SURVIVE, CUT: OTHERS},
)
def test_one_of_many(server):
    """When one of several clients resets its connection, the others notice nothing."""
    with server.paused():
        clients = server.crowd(3)
        for client in clients:
            client.ask()
    clients.pop(0).abort_after_reply()
    for client in clients:
        client.expect_reply()
        client.expect_still_served()
        client.leave()
