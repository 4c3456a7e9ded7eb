"""security: what a client may send without doing harm."""

import pytest

from harness.checks import (
    DIED,
    ENDED,
    MUST,
    PRINTED,
    SERVES,
    SPOILT,
    UNSERVED,
    WRONG,
    check,
    lasting,
    long_requests,
    stream,
    when,
)

FORMATS = (b"%n%n%n%n%s%s%s%s", b"%p.%p.%p.%p.%p.%p.%p.%p", b"%99999999d", b"%1$s%2$n")


@check(
    "security/overlong-field",
    MUST,
    "read(2)",
    "CWE-120",
    only=(stream, lasting, long_requests),
    needs=SERVES,
    usual={
        DIED: "a line is copied into an array of fixed size",
        SPOILT: "a line that is longer than the buffer is cut, refused, or taken for several; or a short write() is not continued",
    },
)
def test_overlong_field(server):
    """A line of 65,000 bytes does no harm."""
    client = server.client()
    client.ask(size=65_000)
    client.expect_reply()
    client.leave()
    server.still_serves()


@check(
    "security/format-string",
    MUST,
    "printf(3)",
    "CWE-134",
    only=(stream, lasting),
    needs=SERVES,
    usual={
        DIED
        | SPOILT
        | PRINTED: 'printf(buffer) instead of printf("%s", buffer); in Python, received text to the left of %'
    },
)
def test_format_string(server):
    """Conversion specifications in what a client sends are data like any other."""
    for text in FORMATS:
        client = server.client()
        client.carry(text)
        client.expect_reply()
        client.leave()
    server.still_serves()


@check(
    "security/stack-leak",
    MUST,
    "read(2)",
    "CWE-200",
    only=(stream, lasting),
    needs=SERVES,
    usual={WRONG: "the size of the buffer is used instead of the count that read() returned"},
)
def test_stack_leak(server):
    """No answer holds more than is owed, not after a longer client, not for an empty line."""
    long = server.client()
    long.exchange(size=4000)
    long.leave()
    short = server.client()
    short.carry(b"\n")
    short.expect_reply()
    short.expect_nothing_more()


@pytest.mark.parametrize("length", [0, -1, 2**31, 2**32 - 1])
@check(
    "security/length-prefix",
    MUST,
    "ntohl(3)",
    "CWE-130",
    only=(stream, lasting, when("framing", "length")),
    needs="accept/first-client",
    usual={ENDED | UNSERVED: "a length that came from outside is used as it is"},
)
def test_length_prefix(server, length):
    """A length prefix that cannot be right does no harm."""
    client = server.client()
    client.send_garbage((length & 0xFFFFFFFF).to_bytes(4, "big"))
    client.vanish()
    server.still_serves()


@check(
    "security/random-bytes",
    MUST,
    "read(2)",
    only=(stream, lasting),
    needs=SERVES,
    usual={ENDED: "received bytes are used as text or numbers without a look at them"},
)
def test_random_bytes(server, stage):
    """Random bytes do no harm."""
    for _ in range(20):
        client = server.client()
        client.send_garbage(stage.random.randbytes(stage.random.choice((1, 3, 64, 1000, 5000))))
        client.leave()
    server.still_serves()
