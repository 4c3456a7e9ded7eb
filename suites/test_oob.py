"""oob: urgent data."""

from harness.checks import MUST, SERVES, check, lasting, tcp


@check(
    "oob/urgent-byte",
    MUST,
    "tcp(7)",
    "RFC 6093",
    only=(tcp, lasting),
    needs=SERVES,
    usual="the exceptional condition is waited for and never fetched, so the loop spins",
)
def test_urgent_byte(server):
    """An urgent byte does no harm: the data around it is answered, and no CPU time is burnt."""
    client = server.client()
    client.send_part()
    client.send_urgent()
    client.send_rest()
    client.expect_reply_around_urgent()
    server.settle()
    client.leave()
    server.still_serves()
