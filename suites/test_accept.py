"""accept: the loop that takes one client after another."""

from signal import Signals

import pytest

from harness.checks import (
    DIED,
    ENDED,
    LEFT,
    LOST,
    MISSING,
    MUST,
    REFUSED,
    RUNS_ON,
    SERVES,
    SHOULD,
    SPOILT,
    STATUS,
    UNSERVED,
    by_contract,
    check,
    lasting,
    stream,
)


@check(
    "accept/first-client",
    MUST,
    "accept(2)",
    only=stream,
    usual={
        LOST: "the answer is not written, or is written to another descriptor than the one accept() returned"
    },
)
def test_first_client(server):
    """The first client that connects gets the answer to its request."""
    server.client().exchange()


@check(
    "accept/sequential",
    by_contract("lifetime", forever=MUST),
    "accept(2)",
    only=stream,
    needs="accept/first-client",
    usual={
        LEFT
        | DIED
        | REFUSED: "there is no loop around accept(), or an interrupted call (EINTR: a child has ended) leaves it",
        MISSING: "the program still waits for something from the client before, which has left",
    },
)
def test_sequential(server):
    """The program serves one client after another."""
    for _ in range(6):
        server.serves()


@check(
    "accept/keeps-accepting",
    by_contract("lifetime", forever=MUST),
    "accept(2)",
    only=stream,
    needs=(
        "accept/sequential",
        "accept/own-reply",
        "resources/descriptors",
        "resources/threads",
        "resources/processes",
        "resources/zombies",
    ),
    usual={
        LEFT
        | DIED
        | REFUSED
        | MISSING: "each client, those that have left as well, keeps a place in an array, and the program ends or turns clients away when it is full"
    },
)
def test_keeps_accepting(server):
    """The program serves hundreds of clients, most of whom have left again: no table of it ever gets full."""
    server.serves_in_numbers(300)
    server.still_serves()


@check(
    "accept/one-client",
    by_contract("lifetime", one_client=MUST),
    "exit(3)",
    "accept(2)",
    only=stream,
    needs="accept/first-client",
    usual={
        STATUS: "main() returns another status than 0 (that of printf(), say)",
        RUNS_ON: "the program waits for a second client",
        DIED: "the program is killed at its end",
    },
)
def test_one_client(server):
    """A program that is to serve one client ends by itself after it, with status 0."""
    client = server.client()
    client.exchange()
    client.leave()
    server.expect_own_end()


@check(
    "accept/own-reply",
    MUST,
    "accept(2)",
    "pthread_create(3)",
    only=(stream, lasting),
    needs=SERVES,
    usual={SPOILT: "all threads are given the address of one variable, or all clients share one buffer"},
)
def test_own_reply(server, contract):
    """Clients that come at the same moment each get their own answer, not another's."""
    with server.paused():
        clients = server.crowd(contract.clients)
        for client in clients:
            client.ask()
    for client in clients:
        client.expect_reply()
        client.leave()


@pytest.mark.parametrize("accept", ["succeeds", "fails"])
@check(
    "accept/aborted-in-queue",
    MUST,
    "accept(2) ECONNABORTED",
    only=(stream, lasting),
    needs=SERVES,
    usual={
        ENDED: "an error of accept(), or of the first call for a client that is gone already, ends the program"
    },
)
def test_aborted_in_queue(stage, accept):
    """A client that is gone before the program accepts it does no harm, whether accept() returns it or fails."""
    server = stage.serve() if accept == "succeeds" else stage.serve_with_failing_accept()
    with server.paused():
        for client in server.crowd(3):
            client.abort()
    if accept == "fails":
        server.expect_to_outlive_failed_accept()
    server.still_serves()


@pytest.mark.parametrize(
    "harmless", [Signals.SIGWINCH, Signals.SIGCONT, Signals.SIGCHLD], ids=lambda s: s.name
)
@check(
    "accept/interrupted",
    MUST,
    "signal(7)",
    "accept(2) EINTR",
    only=(stream, lasting),
    needs=SERVES,
    usual={ENDED: "EINTR is taken for a fatal error, or a SIGCHLD handler ends the loop"},
)
def test_interrupted(server, harmless):
    """A harmless signal does not end a program that waits for clients."""
    server.settle()
    server.signal(harmless)
    server.still_serves()


@check(
    "accept/descriptor-exhaustion",
    SHOULD,
    "accept(2) EMFILE",
    only=(stream, lasting),
    needs=(*SERVES, "stream/idle-costs-nothing", "accept/empty-connection"),
    usual={
        ENDED: "an error of accept() ends the program",
        UNSERVED: "after EMFILE nobody watches the listening socket any more, also when descriptors are free again",
    },
)
def test_descriptor_exhaustion(server):
    """When descriptors run out, the program neither ends nor spins, and serves again once clients have left."""
    server.serves()
    server.limit_descriptors(spare=3)
    clients = server.crowd(8)
    server.settle(patience=0.2)
    for client in clients:
        client.vanish()
    server.calm_down()
    server.still_serves()


@pytest.mark.parametrize("end", ["vanish", "abort"], ids=["fin", "rst"])
@check(
    "accept/empty-connection",
    MUST,
    "read(2)",
    "recv(2)",
    only=(stream, lasting),
    needs=(*SERVES, "stream/idle-costs-nothing"),
    usual={
        ENDED: "what read() returned (0: the end, -1: an error) is not looked at before the bytes are used",
        UNSERVED: "read() == 0 is not taken for the end of the connection",
    },
)
def test_empty_connection(server, end):
    """A client that connects and leaves without a byte does no harm and costs no CPU time."""
    getattr(server.client(), end)()
    server.still_serves()
