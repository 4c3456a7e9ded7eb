"""listen: the socket that waits for clients, and its queue."""

from harness.checks import (
    MISSING,
    MUST,
    REFUSED,
    SHOULD,
    by_contract,
    check,
    lasting,
    stream,
)


@check(
    "listen/passive-socket",
    MUST,
    "listen(2)",
    only=stream,
    usual="listen() was never called, or its result was not looked at",
)
def test_passive_socket(stage):
    """The program calls listen() on the socket that it bound."""
    stage.start().expect_passive()


@check(
    "listen/queue-holds-burst",
    SHOULD,
    "listen(2)",
    "tcp(7)",
    only=(stream, lasting),
    needs="accept/first-client",
    usual={
        REFUSED: "a backlog of 0 or 1",
        MISSING: "one accept() for several clients that have come together",
    },
)
def test_queue_holds_burst(server, contract):
    """Clients that connect all at once, while the program is busy, are all served in the end."""
    with server.paused():
        clients = [server.client() for _ in range(contract.clients)]
    for client in clients:
        client.exchange()
        client.leave()


@check(
    "listen/keeps-listening",
    by_contract("lifetime", forever=MUST),
    "listen(2)",
    only=stream,
    needs="accept/first-client",
    usual="the listening socket is closed after the first client, or made anew for each one",
)
def test_keeps_listening(server):
    """After a client was served, the same socket still listens."""
    server.settle()
    before = server.listening_sockets()
    server.serves()
    server.settle()
    server.expect_same_listener(before)
