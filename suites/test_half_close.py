"""half-close: a FIN says "I have sent everything", not "I am gone"."""

import pytest

from harness.checks import (
    CUT,
    ENDED,
    LOST,
    MISSING,
    MUST,
    OPEN,
    PRINTED,
    RESET,
    SHOULD,
    answering,
    asking,
    by_contract,
    by_protocol,
    check,
    concurrent,
    lasting,
    long_requests,
    stream,
    tcp,
    when,
)
from harness.sizes import BIG, TINY_WINDOW

#: More than the window, and still one line.
ONE_LONG_LINE = 60_000


@check(
    "half-close/reply-after-fin",
    by_protocol,
    "shutdown(2)",
    "RFC 9293 section 3.6",
    only=stream,
    needs="accept/first-client",
    usual={
        LOST: "read() == 0 is taken for 'the client is gone': the connection is closed before the answer is written"
    },
)
def test_reply_after_fin(server):
    """A client that has finished sending still gets its whole answer."""
    client = server.client()
    client.ask()
    client.finish_sending()
    client.expect_reply()


@pytest.mark.parametrize("fin", ["under_way", "received"])
@check(
    "half-close/large-reply-after-fin",
    by_protocol,
    "shutdown(2)",
    "RFC 9293 section 3.6",
    only=(stream, answering),
    needs=("accept/first-client", "stream/large"),
    usual={LOST: "at the client's FIN what is still to be written is thrown away"},
)
def test_large_reply_after_fin(server, fin):
    """A client that has finished sending gets all of a large answer, however slowly it reads."""
    client = server.busy_client() if fin == "under_way" else server.answering_client()
    client.expect_reply_slowly()


@check(
    "half-close/data-with-fin",
    by_protocol,
    "shutdown(2)",
    "epoll_ctl(2) EPOLLRDHUP",
    only=(stream, asking),
    needs="accept/first-client",
    usual={
        LOST
        | PRINTED: "the end of the connection (EPOLLRDHUP, POLLHUP) is handled before the data that came with it"
    },
)
def test_data_with_fin(server):
    """Data that arrives together with the FIN is still answered."""
    with server.paused():
        client = server.client()
        client.ask()
        client.finish_sending()
    client.expect_reply()


@check(
    "half-close/answers-fin-with-fin",
    MUST,
    "close(2)",
    "RFC 9293 section 3.6",
    only=stream,
    needs="accept/first-client",
    usual={OPEN: "the descriptor is never closed, or a parent or child process keeps a copy of it"},
)
def test_answers_fin_with_fin(server):
    """Once the client has finished and has its answer, the program closes its side too."""
    client = server.client()
    client.exchange()
    client.finish_sending()
    client.expect_fin()


@check(
    "half-close/orderly-close",
    MUST,
    "socket(7) SO_LINGER",
    "RFC 9293 section 3.6",
    only=stream,
    needs="half-close/answers-fin-with-fin",
    usual={
        RESET: "SO_LINGER with a timeout of zero, or close() while bytes from the client are still unread, turns the end into a reset"
    },
)
def test_orderly_close(server):
    """The program ends a connection with a FIN, not with a reset."""
    client = server.client()
    client.exchange()
    client.finish_sending()
    client.expect_close()


@check(
    "half-close/unread-input",
    SHOULD,
    "RFC 1122 section 4.2.2.13",
    "close(2)",
    only=(tcp, asking, when("closes", "server"), long_requests),
    needs="accept/first-client",
    usual={CUT | RESET: "close() with input unread sends a reset, which destroys an answer still under way"},
)
def test_unread_input(server):
    """Input beyond the request does not cost the client its answer."""
    client = server.client(receive_buffer=TINY_WINDOW)
    with server.paused():
        client.ask(size=ONE_LONG_LINE)
        client.send_surplus()
    client.expect_reply_slowly()


@check(
    "half-close/server-first",
    by_contract("closes", server=MUST),
    "shutdown(2)",
    "send(2) EPIPE",
    only=stream,
    needs="accept/first-client",
    usual={
        OPEN: "the program waits for the client to close, or forgets to close()",
        ENDED: "the program dies when the client goes on sending",
    },
)
def test_server_first(server):
    """The program closes first when it has answered, and copes with a client that goes on sending."""
    client = server.client()
    client.exchange()
    client.expect_close()
    client.send_surplus()
    client.vanish()
    server.still_serves()


@check(
    "half-close/others-unaffected",
    by_protocol,
    "shutdown(2)",
    only=(stream, lasting, concurrent, answering),
    needs=("concurrency/silent-client", "stream/large"),
    usual={
        MISSING: "a half-closed client keeps the program busy",
        ENDED: "the end of one client's input makes the program end",
        CUT: "a half-closed client is taken for one that is gone",
    },
)
def test_others_unaffected(server):
    """While one client is half-closed and still reading, others are served."""
    client, other = server.client(receive_buffer=TINY_WINDOW), server.client()
    client.ask(size=BIG)
    client.finish_sending()
    client.fill()
    other.exchange()
    client.expect_reply()
    other.exchange()
