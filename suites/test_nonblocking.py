"""nonblocking: event loops that really do not block."""

from harness.checks import (
    ADVICE,
    CUT,
    MISSING,
    MUST,
    WRONG,
    answering,
    check,
    lasting,
    long_requests,
    stream,
    when,
)
from harness.sizes import BIG, TINY_WINDOW


@check(
    "nonblocking/flag-really-set",
    ADVICE,
    "fcntl(2) F_SETFL",
    "accept(2)",
    only=(stream, when("model", "event-loop")),
    needs="accept/first-client",
    usual="F_SETFD is used for F_SETFL, or the accepted socket is expected to inherit O_NONBLOCK from the listening one",
)
def test_flag_really_set(server):
    """An event loop sets O_NONBLOCK on the sockets of its clients."""
    client = server.client()
    client.exchange()
    server.expect_nonblocking(client)


@check(
    "nonblocking/edge-triggered-drain",
    MUST,
    "epoll(7)",
    only=(stream, long_requests),
    needs="accept/first-client",
    usual="with EPOLLET one read() per event leaves the rest unread until more comes, which is never",
)
def test_edge_triggered_drain(server):
    """What arrives in one burst is handled to its end, though nothing follows it."""
    with server.paused():
        client = server.client()
        client.ask(size=100_000)
    client.expect_reply()


@check(
    "nonblocking/write-backpressure",
    MUST,
    "send(2) EAGAIN",
    "epoll(7) EPOLLOUT",
    only=(stream, lasting, answering),
    needs="stream/large",
    usual={
        MISSING
        | WRONG: "after EAGAIN the rest is thrown away, or nobody waits until the socket can be written again",
        CUT: "EAGAIN is taken for an error, or a client that does not read is given up after a while",
    },
)
def test_write_backpressure(server):
    """A client that stops reading and goes on later gets everything."""
    client = server.client(receive_buffer=TINY_WINDOW)
    client.ask(size=BIG)
    client.fill()
    client.linger()
    client.open_window()
    client.expect_reply()
    client.exchange()
