"""oob: urgent data."""

from harness.checks import (
    BUSY,
    ENDED,
    LOST,
    MISSING,
    MUST,
    SERVES,
    WRONG,
    asking,
    by_contract,
    check,
    lasting,
    tcp,
)


@check(
    "oob/urgent-byte",
    MUST,
    "tcp(7)",
    "RFC 6093",
    only=(tcp, lasting, asking),
    needs=SERVES,
    usual={
        BUSY: "the exceptional condition is waited for and never fetched, so the loop spins",
        LOST
        | ENDED: "the exceptional condition (POLLPRI, the third set of select) is taken for an error, or fetched more often than once",
    },
)
def test_urgent_byte(server):
    """An urgent byte does no harm: the data around it is answered, and no CPU time is burnt."""
    client = server.client()
    client.send_part()
    client.send_urgent()
    server.settle()
    client.send_rest()
    client.expect_reply_around_urgent()
    server.settle()
    client.leave()
    server.still_serves()


@check(
    "oob/inline",
    by_contract("urgent", inline=MUST),
    "socket(7) SO_OOBINLINE",
    "RFC 6093",
    only=tcp,
    needs="oob/urgent-byte",
    usual={MISSING | WRONG: "SO_OOBINLINE is not set on the connection before the urgent byte arrives"},
)
def test_inline(server):
    """An urgent byte is read, and answered, in its place among the data."""
    client = server.client()
    client.send_part()
    client.send_urgent_in_line()
    client.send_rest()
    client.expect_reply()
