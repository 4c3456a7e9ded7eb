"""client: programs that talk to a server of ours over a connection."""

from signal import SIGINT

import pytest

from harness.checks import (
    ADVICE,
    BUSY,
    DIED,
    MUST,
    MUTE,
    OWN,
    PRINTED,
    RESET,
    RUNS_ON,
    SENT,
    SHOULD,
    STATUS,
    UNREACHED,
    answered,
    bulk,
    by_lines,
    by_turns,
    check,
    half_closes,
    if_set,
    reads_input,
    stream_client,
    transports,
    tries_once,
    when,
)
from harness.stage.reference import Manner

REACHES = "client/connects"


@check(
    REACHES,
    MUST,
    "connect(2)",
    "htons(3)",
    only=stream_client,
    usual={UNREACHED: "the port lacks htons(), or address and port are fixed in the code"},
)
def test_connects(client):
    """The client connects to the address that it is given."""
    client.type_turn()
    client.expect_reached()


@check(
    "client/dialogue",
    MUST,
    "send(2)",
    "recv(2)",
    "exit(3)",
    only=stream_client,
    needs=REACHES,
    usual={
        SENT: "sizeof(buf) or strlen() in place of the number of bytes",
        PRINTED: "sizeof(buf) or strlen() in place of the count that read() returned",
        STATUS: "main() ends with what some call returned, though all went well: return 0",
    },
)
def test_dialogue(client):
    """The client sends exactly what it has to, prints exactly what it is answered, and ends with the agreed status."""
    client.converse()


@pytest.mark.parametrize("delivery", ["byte-by-byte", "with-a-pause"])
@check(
    "client/reply-split",
    MUST,
    "recv(2)",
    "RFC 9293 section 3.9.1",
    only=(stream_client, answered),
    needs="client/dialogue",
    usual={
        PRINTED
        | SENT: "one recv() is taken for one answer, or a moment of silence for its end; a stream has no such boundaries"
    },
)
def test_reply_split(client, delivery):
    """An answer that arrives byte by byte, or with a pause in the middle, is the same answer."""
    if delivery == "byte-by-byte":
        client.answer_byte_by_byte()
    else:
        client.hold_answers()
    client.type_telling()
    client.end_input()
    if delivery == "with-a-pause":
        client.release_with_pauses()
    client.expect_conversation()


@check(
    "client/reply-coalesced",
    MUST,
    "recv(2)",
    "RFC 9293 section 3.9.1",
    only=(stream_client, answered),
    needs=REACHES,
    usual={PRINTED | SENT | RUNS_ON: "what is left in the buffer after the first answer is thrown away"},
)
def test_reply_coalesced(client):
    """Answers that arrive together are all taken."""
    client.hold_answers()
    client.type_telling()
    client.end_input()
    client.release_in_one_segment()
    client.expect_conversation()


@check(
    "client/long-reply",
    MUST,
    "recv(2)",
    only=(stream_client, answered),
    needs="client/dialogue",
    usual={
        PRINTED
        | RESET: "recv() is called once, with a buffer that the answer does not fit into: the rest stays unread"
    },
)
def test_long_reply(client):
    """An answer larger than any buffer is taken and printed whole."""
    client.take_long_answer()
    client.expect_conversation()


@pytest.mark.parametrize("line", ["empty", "blanks", "long", "without-end"])
@check(
    "client/every-line",
    MUST,
    "getline(3)",
    "fgets(3)",
    only=(stream_client, by_lines),
    needs="client/dialogue",
    usual={
        SENT: "an empty line is skipped or taken for the end, lines are stripped of their blanks, or what stands behind the "
        "last line end is dropped at the end of the input"
    },
)
def test_every_line(client, line):
    """Every line of the input is sent as it was typed: also an empty one, one that begins and ends with blanks, one of
    200 bytes, and the last one if no line end follows it."""
    client.take_odd_line(line)
    client.expect_requests()
    client.expect_exit("any", "the conversation is over")


@check(
    "client/input-at-once",
    SHOULD,
    "select(2)",
    "stdio(3)",
    only=(stream_client, reads_input, answered),
    needs="client/dialogue",
    usual={
        SENT: "select() or poll() on stdin, and fgets() or scanf() to read it: the second line is in the buffer of stdio(3), "
        "where select() does not look"
    },
)
def test_input_at_once(client):
    """Of two lines that are typed at once both are sent, also if nothing is typed after them."""
    client.take_two_lines_at_once()
    client.expect_requests(input_goes_on=True)


@check(
    "client/empty-answer",
    MUST,
    "getline(3)",
    "recv(2)",
    only=(stream_client, by_lines),
    needs="client/dialogue",
    usual={
        SENT
        | PRINTED
        | STATUS: "the line end is cut off first, and an answer of length 0 is taken for the end of the connection"
    },
)
def test_empty_answer(client):
    """An answer that is an empty line is an answer, not the end."""
    client.take_empty_answer()
    client.expect_conversation()


@check(
    "client/slow-server",
    MUST,
    "send(2)",
    "write(2)",
    only=(stream_client, bulk),
    needs="client/dialogue",
    usual={SENT: "the count that send() returns is not looked at: the rest is never sent"},
)
def test_slow_server(clients):
    """Everything reaches a server that reads slowly."""
    client = clients.of_slow_server()
    client.send_much()
    client.expect_conversation()


@check(
    "client/idle-costs-nothing",
    MUST,
    "poll(2)",
    "fcntl(2) O_NONBLOCK",
    only=(stream_client, answered),
    needs=(REACHES, "client/dialogue"),
    usual={BUSY: "the socket is non-blocking, and recv() is called again and again until something comes"},
)
def test_idle_costs_nothing(client):
    """While no answer comes, the client waits, and does not use the CPU."""
    client.wait_for_an_answer()


@pytest.mark.parametrize("moment", ["instead-of-answer", "between-turns"])
@check(
    "client/server-fin",
    MUST,
    "recv(2)",
    "RFC 9293 section 3.6",
    only=(stream_client, reads_input),
    needs=(REACHES, "client/dialogue"),
    usual={
        PRINTED: "recv() returned 0 and was taken for an answer",
        RUNS_ON: "recv() returned 0 and was not taken for the end, or the client waits in its stdin and never notices",
    },
)
def test_server_fin(client, moment):
    """When the server closes the connection, the client ends with the agreed status, though its stdin is open,
    and what it was answered before is printed."""
    if moment == "instead-of-answer":
        client.answer_once_and_then(Manner.FIN)
        client.type_unless_it_notices()
    else:
        client.take_turn()
        client.close_connection()
        client.type_unless_it_notices()
    client.expect_end_after_fin()


@pytest.mark.parametrize("moment", ["waiting", "mid-answer", "between-turns", "writing"])
@check(
    "client/server-rst",
    MUST,
    "recv(2) ECONNRESET",
    "signal(7) SIGPIPE",
    only=stream_client,
    needs=(REACHES, "client/dialogue"),
    usual={
        PRINTED | RUNS_ON | MUTE | STATUS: "recv() returned -1 and nobody looked",
        DIED: "SIGPIPE is not ignored",
    },
)
def test_server_rst(clients, moment):
    """When the server resets the connection, the client ends by itself, with a message or the agreed status; where
    that cuts an answer off, or what is sent, it does not end as if all had gone well."""
    client = clients.reset_while(moment)
    client.expect_end_after_reset(moment)


@check(
    "client/half-close-at-eof",
    MUST,
    "shutdown(2)",
    "RFC 9293 section 3.6",
    only=(stream_client, half_closes),
    needs=REACHES,
    usual={
        SENT
        | PRINTED
        | OWN: "close() in place of shutdown(SHUT_WR), or nothing at all, at the end of the input"
    },
)
def test_half_close_at_eof(client):
    """The end of the client's stdin reaches the server as a FIN, and every answer is printed all the same."""
    client.hold_answers()
    client.type_telling()
    client.end_input()
    client.expect_fin_from_program()
    client.release_everything()
    client.expect_conversation()


@check(
    "client/refused",
    MUST,
    "connect(2) ECONNREFUSED",
    "exit(3)",
    only=(stream_client, tries_once),
    usual={RUNS_ON | DIED: "the result of connect() is not looked at"},
)
def test_refused(clients):
    """If nobody listens, the client says so and ends with a status other than 0."""
    client = clients.start()
    client.type_unless_it_has_tried()
    client.expect_failure("nobody listens at the address it was given")


@check(
    "client/retry",
    if_set("retry"),
    "connect(2)",
    only=stream_client,
    needs=REACHES,
    usual="the same socket is used again after a failed connect(), or the pauses do not grow",
)
def test_retry(clients):
    """A server that starts late is reached: the client tries again, each time on a new socket, after pauses that grow."""
    server = clients.server(listening=False)
    client = clients.start(server)
    client.expect_growing_pauses()
    server.listen()
    client.expect_new_socket()
    client.converse()


@check(
    "client/gives-up",
    if_set("gives_up_after"),
    "connect(2)",
    "exit(3)",
    only=(stream_client, when("retry", True)),
    usual={RUNS_ON: "the loop that tries again has no end"},
)
def test_gives_up(clients, contract):
    """If the server never comes, the client gives up within the agreed time, says so, and ends with a status other than 0."""
    client = clients.start()
    client.expect_failure_within(contract.gives_up_after, "nobody listens at the address it was given")


@pytest.mark.parametrize("host", ["no.such.invalid", "x" * 300], ids=["unknown", "overlong"])
@check(
    "client/unresolvable",
    MUST,
    "getaddrinfo(3)",
    "gai_strerror(3)",
    only=(stream_client, tries_once),
    usual={
        RUNS_ON
        | DIED
        | OWN: "the result of getaddrinfo() or gethostbyname() is not looked at, or the name is copied into a short buffer"
    },
)
def test_unresolvable(clients, host):
    """If the server's host has no address, the client says so and ends with a status other than 0."""
    clients.given_host(host).expect_failure("there is no such host")


BAD_ARGUMENTS = ["none", "no-port", "word", "negative", "too-large"]


@pytest.mark.parametrize("wrong", BAD_ARGUMENTS)
@check(
    "client/bad-arguments",
    MUST,
    "strtol(3)",
    "exit(3)",
    only=stream_client,
    usual={RUNS_ON | DIED | OWN: "argc is not looked at, or atoi() makes a port of anything"},
)
def test_bad_arguments(clients, wrong):
    """Given too few arguments or something that is no port, the client ends with a message and a status other than 0."""
    client = clients.with_bad_arguments(wrong)
    client.type_unless_it_has_tried()
    client.expect_failure("its arguments are wrong")


@check(
    "client/flushes-output",
    by_turns,
    "stdio(3)",
    "setvbuf(3)",
    only=(stream_client, answered),
    needs="client/dialogue",
    usual="stdout is a pipe, so stdio(3) keeps what is printed until its buffer is full: fflush(stdout) is missing",
)
def test_flushes_output(client):
    """What the client prints appears as it comes, also if its stdout is a pipe."""
    client.take_part_of_conversation()
    client.expect_shown()


@check(
    "client/interrupted",
    SHOULD,
    "signal(7)",
    "RFC 9293 section 3.6",
    only=(stream_client, answered),
    needs="client/dialogue",
    usual="SIGINT is ignored, or its handler only sets a flag while a call is restarted (SA_RESTART)",
)
def test_interrupted(client):
    """SIGINT ends the client, and its connection is closed in order."""
    client.take_part_of_conversation()
    client.expect_orderly_end_by(SIGINT)


@check(
    "client/fixed-local-port",
    ADVICE,
    "bind(2) EADDRINUSE",
    "ip(7)",
    only=(stream_client, transports("tcp", "tcp6")),
    needs="client/dialogue",
    usual="bind() to a fixed port before connect(): the connection before is still in TIME_WAIT there",
)
def test_fixed_local_port(clients):
    """The client can be run twice in a row."""
    clients.run_twice()
