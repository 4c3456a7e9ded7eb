"""concurrency: several clients at a time."""

from harness.checks import (
    ADVICE,
    DIED,
    ENDED,
    LOST,
    MISSING,
    MUST,
    OWN,
    REFUSED,
    SHOULD,
    SPOILT,
    UNSERVED,
    WRONG,
    answering,
    asking,
    by_contract,
    check,
    concurrent,
    lasting,
    many_requests,
    stream,
)
from harness.sizes import BIG, TINY_WINDOW

SIDE_BY_SIDE = by_contract("concurrency", concurrent=MUST)
ONE_BY_ONE = "the program reads from one client until it leaves before it turns to the next"


@check(
    "concurrency/silent-client",
    SIDE_BY_SIDE,
    "select(2)",
    "poll(2)",
    only=(stream, lasting),
    needs="accept/first-client",
    usual={MISSING: ONE_BY_ONE},
)
def test_silent_client(server):
    """A new client is served while an older one is connected and says nothing."""
    silent = server.client()
    server.settle()
    server.client().exchange()
    silent.exchange()


@check(
    "concurrency/interleaved",
    SIDE_BY_SIDE,
    "select(2)",
    "poll(2)",
    only=(stream, lasting),
    needs="concurrency/silent-client",
    usual={
        MISSING: "after a wake-up only one of the ready descriptors is served, the highest is left out (nfds of select), or only so many clients are served at a time"
    },
)
def test_interleaved(server, contract, stage):
    """Clients that talk in turns, in another order than they came, are all served."""
    clients = [server.client() for _ in range(contract.clients)]
    for _ in range(3):
        stage.random.shuffle(clients)
        for client in clients:
            client.ask()
        for client in reversed(clients):
            client.expect_reply()


@check(
    "concurrency/no-cross-talk",
    MUST,
    "read(2)",
    only=(stream, lasting, asking),
    needs=("accept/first-client", "stream/byte-at-a-time"),
    usual={SPOILT: "one variable is used for all clients: a global descriptor, a static buffer"},
)
def test_no_cross_talk(server):
    """What one client sends never turns up in the answer to another, halves of messages included."""
    first, second = server.client(), server.client()
    for half in ("send_part", "send_rest"):
        for client in (first, second):
            getattr(client, half)()
            server.settle(patience=0.2)
    first.expect_reply()
    first.leave()
    second.expect_reply()


@check(
    "concurrency/lazy-reader",
    SIDE_BY_SIDE,
    "send(2)",
    "fcntl(2) O_NONBLOCK",
    only=(stream, lasting, answering),
    needs=("concurrency/silent-client", "stream/large"),
    usual={
        MISSING: "a blocking write() to a client that does not read stops the whole program",
        WRONG: "all clients share one buffer: what is read from one overwrites what is still owed to another",
    },
)
def test_lazy_reader(server):
    """Others, also one who comes now, are served while two clients do not read what each is owed."""
    lazy = [server.client(receive_buffer=TINY_WINDOW) for _ in range(2)]
    other = server.client()
    for client in lazy:
        client.ask(size=BIG)
        client.fill()
    other.exchange(size=50_000)
    server.client().exchange()
    for client in lazy:
        client.open_window()
        client.expect_reply()


@check(
    "concurrency/chatterbox",
    SHOULD,
    "poll(2)",
    only=(stream, lasting, concurrent, many_requests),
    needs="concurrency/silent-client",
    usual={OWN | MISSING: "a client is read from as long as it has something to say"},
)
def test_chatterbox(server):
    """Others are served while one client sends without pause."""
    chatterbox, other = server.client(), server.client()
    with chatterbox.chatting():
        other.exchange()
        chatterbox.expect_still_chatting()


@check(
    "concurrency/many-clients",
    SHOULD,
    "accept(2)",
    only=(stream, lasting, concurrent),
    needs="concurrency/silent-client",
    usual={
        LOST | REFUSED: "a fixed table of clients, or a pool whose every thread waits for one silent client",
        DIED: "a fixed table of clients is written beyond its end",
    },
)
def test_many_clients(stage, contract):
    """Two hundred clients at a time are served."""
    server = stage.serve_with_room(processes=1000)  # it may have three threads for each
    clients = [server.client() for _ in range(max(200, contract.clients))]
    for client in clients:
        client.ask()
    server.take_leave(clients)


@check(
    "concurrency/over-1024-descriptors",
    ADVICE,
    "select(2) FD_SETSIZE",
    only=(stream, lasting, concurrent),
    needs="concurrency/many-clients",
    usual={
        DIED | MISSING | WRONG | UNSERVED: "FD_SET() with a descriptor of 1024 or more writes outside the set"
    },
)
def test_over_1024_descriptors(stage):
    """When its descriptors pass 1024 the program serves on; it may turn clients away, but not break."""
    server = stage.serve_with_room(descriptors=4096, processes=4000)
    server.require_no_process_for_each_client()
    clients = [server.client() for _ in range(1100)]
    server.expect_alive_with_more_than_a_set(clients)


@check(
    "concurrency/model",
    by_contract("model", event_loop=MUST, thread=MUST, process=MUST),
    "pthreads(7)",
    "fork(2)",
    only=(stream, lasting),
    needs="concurrency/silent-client",
    usual={
        OWN: "a thread or a process for each client where one event loop is asked for, or the other way round"
    },
)
def test_model(server):
    """The program serves its clients by the model that is asked for, and no other."""
    before = server.holdings()
    clients = [server.client() for _ in range(10)]
    for client in clients:
        client.be_served()
    server.expect_model(before, server.holdings())


@check(
    "concurrency/join-leave-churn",
    SHOULD,
    "accept(2)",
    "close(2)",
    only=(stream, lasting, concurrent),
    needs=("concurrency/interleaved", "reset/idle"),
    usual={
        SPOILT
        | ENDED: "an entry is taken out of the table of clients while the loop runs over it, or an error of one client is taken for one of all"
    },
)
def test_join_leave_churn(server, stage):
    """Clients that come and go while others talk do no harm."""
    clients = [server.client() for _ in range(4)]
    for _ in range(40):
        client = stage.random.choice(clients)
        stage.random.choice((client.exchange, client.exchange, client.vanish, client.abort))()
        if client.closed:
            clients[clients.index(client)] = server.client()
    for client in clients:
        client.exchange()
