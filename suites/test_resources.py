"""resources: what the program holds on to after its clients have left."""

import pytest

from harness.checks import ADVICE, ANSWERS, MUST, SHOULD, check, lasting, server, stream, writing


@check(
    "resources/descriptors",
    MUST,
    "close(2)",
    only=(stream, lasting),
    needs=("accept/sequential", "reset/idle", "reset/mid-request", "resources/processes"),
    usual="the descriptor of a client is not closed, perhaps only when the client aborts or after fork() in the parent",
)
def test_descriptors(server):
    """The program holds no more descriptors after 140 clients than after 10, and still serves them."""
    before, after = server.before_and_after_clients(130, some_abort=True)
    server.expect_no_growth("descriptors", before.descriptor_count, after.descriptor_count)


@pytest.mark.parametrize("moment", ["before_the_answer", "in_the_answer"])
@check(
    "resources/descriptors-after-failed-write",
    MUST,
    "close(2)",
    "send(2) EPIPE",
    only=(stream, lasting, writing),
    needs=("resources/descriptors", "reset/mid-reply", "chat/member-reset"),
    usual="when send() or write() fails, the function returns, or the loop goes on, without close()",
)
def test_descriptors_after_failed_write(server, moment):
    """A client that is gone when the program writes to it leaves no open descriptor behind."""
    server.serves()
    before = server.holdings()
    for _ in range(12):
        server.client_that_is_gone(moment)
    server.expect_no_growth("descriptors", before.descriptor_count, server.holdings().descriptor_count)
    server.still_serves()


@check(
    "resources/threads",
    MUST,
    "pthread_detach(3)",
    "pthread_join(3)",
    only=(stream, lasting),
    needs=("accept/sequential", "accept/own-reply"),
    usual="threads are neither joined nor detached, or never end",
)
def test_threads(server):
    """The program keeps no thread of a client that has left."""
    before, after = server.before_and_after_clients()
    server.expect_no_growth("threads", before.thread_count, after.thread_count)
    server.expect_no_kept_stacks(before, after)


@check(
    "resources/zombies",
    MUST,
    "wait(2)",
    "signal(7) SIGCHLD",
    only=(stream, lasting),
    needs="accept/sequential",
    usual="wait() is called once per SIGCHLD, though one signal may stand for several children; or never",
)
def test_zombies(server):
    """The program waits for all its children, also when many end at once."""
    server.clients_that_leave_at_once()
    server.expect_no_zombies()


@check(
    "resources/processes",
    MUST,
    "_exit(2)",
    "fork(2)",
    only=(stream, lasting),
    needs=("accept/sequential", "accept/own-reply", "reset/idle", "reset/mid-request"),
    usual="the child does not end after its client, perhaps only when that resets, but goes on in the parent's loop",
)
def test_processes(server):
    """The program keeps no process for a client that has left."""
    before, after = server.before_and_after_clients(130, some_abort=True)
    server.expect_no_growth("processes", before.live_count, after.live_count)


@check(
    "resources/memory",
    ADVICE,
    "malloc(3)",
    only=(stream, lasting),
    needs=("accept/sequential", "accept/own-reply"),
    usual="what is allocated for a client is not freed",
)
def test_memory(server):
    """Memory does not grow with the number of clients served."""
    server.expect_flat_memory(warm_up=200, clients=1000)


@check(
    "resources/close-on-exec",
    ADVICE,
    "open(2) O_CLOEXEC",
    "execve(2)",
    only=(stream, lasting),
    needs="accept/first-client",
    usual="sockets are made without SOCK_CLOEXEC and not closed before exec",
)
def test_close_on_exec(server):
    """A program that is executed for one client inherits neither the listening socket nor other clients' sockets."""
    clients = server.clients_at_once(2)
    for client in clients:
        client.exchange()
    server.expect_executed_children_hold_little()


@check(
    "resources/clean-exit",
    SHOULD,
    "unlink(2)",
    "unix(7)",
    only=(server, lasting),
    needs=("signals/stop-idle", *ANSWERS),
    usual="a socket, pid, lock or temporary file is not removed at the end",
)
def test_clean_exit(server, stop_signal):
    """The program leaves no file behind that it has made."""
    server.meet_clients()
    server.stop(stop_signal)
    server.expect_no_files_left()
