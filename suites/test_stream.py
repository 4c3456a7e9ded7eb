"""stream: a connection carries bytes, not messages."""

from signal import Signals

import pytest

from harness.checks import (
    BUSY,
    CUT,
    DIED,
    ENDED,
    LOST,
    MISSING,
    MUST,
    OWN,
    PRINTED,
    SHOULD,
    SPOILT,
    UNSERVED,
    WRONG,
    answering,
    asking,
    by_contract,
    byte_stream,
    check,
    lasting,
    long_requests,
    many_requests,
    stream,
)
from harness.sizes import BIG, TINY_WINDOW

ONE_READ = "one read() is taken for one message"


#: Letters that have another case, outside ASCII, in valid UTF-8, which no sequence of ascending bytes is.
_LETTERS = "é Ü ÿ ǆ ß".encode()


@check(
    "stream/every-byte-value",
    MUST,
    "read(2)",
    "string(3)",
    only=stream,
    needs=("accept/first-client", "half-close/reply-after-fin", "half-close/data-with-fin"),
    usual={
        LOST | PRINTED: "string functions (strlen, %s) on received bytes",
        WRONG: "received bytes are treated as text: letters, line ends or a character set are seen where there are only bytes",
    },
)
def test_every_byte_value(server):
    """All 256 byte values are carried unchanged, NUL included."""
    client = server.client()
    client.carry(bytes(range(256)) * 2 + _LETTERS + b"\r\n")
    client.complete()
    client.expect_reply()


@check(
    "stream/byte-at-a-time",
    MUST,
    "RFC 9293 section 3.1",
    "read(2)",
    only=(byte_stream, asking),
    needs="accept/first-client",
    usual={SPOILT | PRINTED: ONE_READ},
)
def test_byte_at_a_time(server):
    """A request that arrives in one-byte pieces is answered like any other."""
    client = server.client()
    client.send_byte_by_byte(server.profile.request(server.next_token(), None))
    client.expect_reply()


@pytest.mark.parametrize("harmless", [Signals.SIGWINCH, Signals.SIGCHLD], ids=lambda s: s.name)
@check(
    "stream/interrupted",
    MUST,
    "signal(7)",
    "read(2) EINTR",
    only=(byte_stream, asking),
    needs=("stream/byte-at-a-time", "accept/interrupted"),
    usual={
        SPOILT
        | PRINTED
        | ENDED: "read() that is interrupted by a signal (EINTR) is taken for the end of the client's data, or for an error"
    },
)
def test_interrupted(server, harmless):
    """A harmless signal that comes in the middle of a request costs its client nothing."""
    client = server.client()
    client.send_part()
    server.settle()
    server.signal(harmless)
    server.settle()
    client.send_rest()
    client.expect_reply()


@check(
    "stream/coalesced",
    MUST,
    "RFC 9293 section 3.1",
    "read(2)",
    only=(byte_stream, asking, many_requests),
    needs="accept/first-client",
    usual={LOST | PRINTED: "after one read() only the first message is handled"},
)
def test_coalesced(server):
    """Several requests that arrive together are all answered."""
    with server.paused():
        client = server.client()
        for _ in range(3):
            client.ask()
    client.expect_reply()


#: Sizes that people give to a buffer: powers of two, and (in one case) round numbers and an Ethernet frame.
_POWERS = {f"2^{k}": (2**k,) for k in range(6, 17)}
_ROUND = {"round": (100, 200, 250, 500, 1000, 1500, 2000, 3000, 5000, 10_000)}
_EDGES = _POWERS | _ROUND


@pytest.mark.parametrize("buffers", _EDGES.values(), ids=_EDGES)
@check(
    "stream/buffer-edges",
    MUST,
    "read(2)",
    only=stream,
    needs="accept/first-client",
    usual={
        DIED: "buf[n] = 0 with n == sizeof buf writes one byte past the end",
        LOST: "a buffer that is exactly full is taken for a message that is too long, or for one that goes on; or buf[n] = 0 overwrites what lies behind the buffer; or a short write() is not continued; or a length (65536 in a short) is kept in a type that is too small",
        WRONG
        | PRINTED: "a length is kept in a type that is too small for it, or buf[n] = 0 overwrites what lies behind the buffer",
    },
)
def test_buffer_edges(server, buffers):
    """Requests one byte below, at and above the usual sizes of a buffer are answered exactly."""
    for size in (buffer + off for buffer in buffers for off in (-1, 0, 1)):
        with server.paused():
            client = server.client()
            client.ask(size=size)
        client.expect_reply()
        client.leave()
    server.still_serves()


@check(
    "stream/long-then-short",
    MUST,
    "read(2)",
    only=stream,
    needs="accept/first-client",
    usual={WRONG: "the length that read() returned is not used"},
)
def test_long_then_short(server):
    """The answer to a short request holds nothing of a longer one before it."""
    server.client().exchange_in_turn((1000, 10, 500))


@check(
    "stream/large",
    MUST,
    "write(2)",
    "send(2)",
    only=stream,
    needs="accept/first-client",
    usual={
        MISSING | WRONG: "a short write() is not continued",
        CUT: "a short write(), or EAGAIN, is taken for an error",
        PRINTED: "one read() is taken for everything, or its count is not looked at",
    },
)
def test_large(server):
    """Eight mebibytes are carried exactly."""
    client = server.client()
    client.exchange(size=BIG)
    client.finish_sending()
    client.expect_close()


@check(
    "stream/slow-reader",
    MUST,
    "write(2)",
    "send(2) EAGAIN",
    only=(stream, answering),
    needs="stream/large",
    usual={
        MISSING | WRONG: "a short write() or EAGAIN is not continued",
        CUT: "a short write() or EAGAIN is taken for an error, or a client that reads slowly is given up after a while",
    },
)
def test_slow_reader(server):
    """A client that reads slowly through a small window gets every byte."""
    client = server.client(receive_buffer=TINY_WINDOW)
    client.ask(size=BIG)
    client.fill()
    client.expect_reply_slowly()


@check(
    "stream/split-anywhere",
    MUST,
    "RFC 9293 section 3.1",
    "read(2)",
    only=(byte_stream, asking),
    needs="stream/byte-at-a-time",
    usual={SPOILT | PRINTED: ONE_READ},
)
def test_split_anywhere(server, splits):
    """A request that arrives in pieces is answered, wherever it is split."""

    @splits.of(server.profile.request())
    def exchange(pieces):
        client = server.client()
        client.send_in_pieces(pieces)
        client.expect_reply()
        client.leave()


@check(
    "stream/no-early-reply",
    by_contract("framing", line=MUST, crlf=MUST, length=MUST, fixed=MUST),
    "read(2)",
    only=(byte_stream, asking),
    needs="accept/first-client",
    usual={OWN | SPOILT: ONE_READ},
)
def test_no_early_reply(server):
    """The program answers only when the request is complete."""
    client = server.client()
    client.send_part()
    client.expect_silence()
    client.send_rest()
    client.expect_reply()


@check(
    "stream/both-ways-at-once",
    SHOULD,
    "write(2)",
    "poll(2)",
    only=(stream, answering, long_requests),
    needs="stream/large",
    usual={MISSING: "both sides wait in write(), and nobody reads"},
)
def test_both_ways_at_once(server):
    """A client that reads only when it can send no more is served without a deadlock."""
    client = server.client()
    client.ask(size=BIG)
    client.fill_and_read_in_turns()
    client.expect_reply()


@check(
    "stream/incomplete-then-gone",
    MUST,
    "read(2)",
    only=(stream, lasting, asking),
    needs=(
        "accept/sequential",
        "reset/idle",
        "reset/mid-request",
        "resources/descriptors",
        "resources/descriptors-after-failed-write",
        "resources/processes",
    ),
    usual={
        ENDED: "a message that stayed incomplete is used, or the end of file in the middle of it is not expected",
        UNSERVED: "the rest of a message is waited for after its client has left",
        OWN: "the descriptor of a client that leaves in the middle of a message is not closed",
    },
)
def test_incomplete_then_gone(server):
    """Clients that leave in the middle of a message, wherever, do no harm."""
    request = server.profile.request(server.next_token(), None)
    server.serves()
    before = server.holdings()
    for length in range(1, len(request)):
        client = server.client()
        client.send(request[:length])
        (client.vanish if length % 2 else client.abort)()
    server.still_serves()
    server.expect_no_growth("descriptors", before.descriptor_count, server.holdings().descriptor_count)


@pytest.mark.parametrize("client", ["idle", "half_closed", "lazy"])
@check(
    "stream/idle-costs-nothing",
    MUST,
    "poll(2)",
    "epoll(7)",
    only=stream,
    needs="accept/first-client",
    usual={
        BUSY: "end of file, or readiness to write, is reported again and again and nothing is done about it"
    },
)
def test_idle_costs_nothing(server, client):
    """While nothing moves, the program uses no CPU time."""
    one = server.client(receive_buffer=TINY_WINDOW if client == "lazy" else None)
    one.engage()
    if client == "half_closed":
        one.finish_sending()
    elif client == "lazy":
        one.ask(size=BIG)
        one.fill()
    server.settle()
