"""unix: sockets with a name in the file system."""

import pytest

from harness.checks import (
    ADVICE,
    ANSWERS,
    ENDED,
    MISSING,
    MUST,
    NOT_STARTED,
    OWN,
    SHOULD,
    SPOILT,
    UNSERVED,
    WRONG,
    abstract,
    asking,
    by_contract,
    check,
    if_set,
    lasting,
    named,
    stream,
    transports,
    unix,
)


@check(
    "unix/stale-file-restart",
    by_contract("port_reuse", required=MUST, advised=ADVICE),
    "unix(7)",
    "unlink(2)",
    only=(unix, named),
    needs=ANSWERS,
    usual="the socket file of a killed predecessor makes bind() fail with EADDRINUSE",
)
def test_stale_file_restart(server, stage):
    """The program can be started again after it was killed and its socket file was left."""
    server.kill()
    stage.restart(server).serves()


@check(
    "unix/live-instance-not-stolen",
    MUST,
    "unix(7)",
    "bind(2) EADDRINUSE",
    only=(unix, named),
    needs=ANSWERS,
    usual="the path is unlinked without asking whether somebody serves it: before bind(), or by the clean-up after bind() has failed",
)
def test_live_instance_not_stolen(server, stage):
    """A second instance does not take the path away from one that serves it."""
    stage.start().expect_refusal("the first instance serves this path")
    server.still_serves()


@check(
    "unix/file-removed-on-stop",
    MUST,
    "unlink(2)",
    only=(unix, named),
    needs="signals/stop-idle",
    usual="the socket file is not unlinked at the end",
)
def test_file_removed_on_stop(server, stop_signal):
    """When the program ends, its socket file is gone."""
    server.stop(stop_signal)
    server.expect_address_free()


@check(
    "unix/path-length",
    MUST,
    "unix(7) sun_path",
    only=(unix, named),
    usual={
        OWN | NOT_STARTED: "strncpy() cuts a path that is too long for its buffer, and another name is bound"
    },
)
def test_path_length(stage):
    """A path of 107 bytes (106 in Java) is served under its exact name; longer ones are refused, never cut."""
    stage.start(stage.new_address(length=stage.longest_path)).expect_listening()
    for length in (108, 200):
        stage.start(stage.new_address(length=length)).expect_refusal(
            f"a path of {length} bytes does not fit into sun_path"
        )


@check(
    "unix/regular-file-kept",
    MUST,
    "unlink(2)",
    "unix(7)",
    only=(unix, named),
    usual="whatever is at the path is unlinked before bind()",
)
def test_regular_file_kept(stage):
    """A file at the path that is no socket is not overwritten or removed."""
    with stage.file_in_the_way(b"precious"):
        stage.start().expect_refusal("there is a regular file at its path")


@check(
    "unix/mode",
    if_set("mode"),
    "umask(2)",
    "unix(7)",
    only=(unix, named),
    usual="the umask decides the permissions of the socket file",
)
def test_mode(server):
    """The socket file has the permissions that are asked for."""
    server.expect_file_mode()


@pytest.mark.parametrize("size", [1, 2, 1000, 4097, 60000])
@check(
    "unix/seqpacket-boundaries",
    MUST,
    "unix(7) SOCK_SEQPACKET",
    only=transports("unix-seqpacket"),
    needs="accept/first-client",
    usual={
        OWN: "one message is answered by several, or several by one: each read() is one message, and so is each write()",
        SPOILT: "the buffer is smaller than the message: the rest of it is lost",
    },
)
def test_seqpacket_boundaries(server, size):
    """Messages keep their boundaries and are not cut."""
    client = server.client()
    client.exchange(size=size)
    client.expect_message_lengths()


@pytest.mark.parametrize("size", [1, 2, 1000, 4097, 60_000, 65_507])
@check(
    "unix/dgram-boundaries",
    MUST,
    "unix(7) SOCK_DGRAM",
    only=transports("unix-dgram"),
    usual={MISSING | WRONG: "the buffer is smaller than the datagram: the rest of it is lost"},
)
def test_dgram_boundaries(server, contract, size):
    """Datagrams up to the agreed size keep their boundaries and are not cut."""
    server.datagram_client().exchange(size=min(size, contract.max_datagram))


@check(
    "unix/unbound-client",
    MUST,
    "unix(7)",
    "sendto(2)",
    only=transports("unix-dgram"),
    usual={
        ENDED: "sendto() to a client without a name fails, and that is taken for a fatal error",
        UNSERVED: "the length that recvfrom() is given is not set again before each call: after a name that is short, or missing, those of others are cut",
    },
)
def test_unbound_client(server):
    """A client without a name, which cannot be answered, does no harm."""
    server.datagram_client(named=False).send_garbage(b"no name\n")
    server.still_serves()


@check(
    "unix/abstract-name",
    MUST,
    "unix(7) Abstract sockets",
    only=(unix, abstract),
    usual={
        OWN
        | NOT_STARTED: "the length given to bind() is sizeof(struct sockaddr_un), so the name ends in NUL bytes; or a file is made"
    },
)
def test_abstract_name(stage):
    """The program serves the abstract name that it is given, of exactly that length, and makes no file."""
    server = stage.start()
    server.expect_listening()
    server.serves()
    server.expect_no_files_left()


@check(
    "unix/fd-passing",
    SHOULD,
    "unix(7) SCM_RIGHTS",
    "cmsg(3)",
    only=(unix, stream, lasting, asking),
    needs="accept/first-client",
    usual="recvmsg() with room for control messages, and descriptors that come in them are never closed",
)
def test_fd_passing(server):
    """Descriptors that a client passes along are not kept by the program."""
    client = server.client()
    passed = client.pass_descriptors()
    client.expect_reply()
    client.leave()
    passed.expect_released()
