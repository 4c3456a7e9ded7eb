"""bind: the address and the port on which the program serves."""

import pytest

from harness.checks import (
    ADVICE,
    ANSWERS,
    DIED,
    ENDED,
    LOST,
    MUST,
    NOT_STARTED,
    OWN,
    REFUSED,
    RUNS_ON,
    SHOULD,
    UNSERVED,
    WRONG,
    by_contract,
    check,
    foreground,
    inet,
    server,
    when,
)


@check(
    "bind/port-from-argument",
    MUST,
    "bind(2)",
    "htons(3)",
    needs="listen/passive-socket",
    only=server,
    usual="the port is fixed in the code, or htons() is missing",
)
def test_port_from_argument(stage):
    """The program serves exactly the address it is given on its command line."""
    for address in (stage.address, stage.new_address(), stage.new_address(high=True)):
        with stage.start(address) as program:
            program.expect_listening()


@check(
    "bind/address-scope",
    by_contract("bind", localhost=MUST, any=MUST),
    "bind(2)",
    "ip(7)",
    only=inet,
    usual="INADDR_ANY where INADDR_LOOPBACK is asked for, or the other way round",
)
def test_address_scope(server):
    """The program is reachable on the addresses the assignment names, and on no others."""
    server.expect_scope()


@check(
    "bind/busy-port",
    MUST,
    "bind(2) EADDRINUSE",
    "listen(2)",
    only=(inet, foreground),
    usual="the result of bind() is not looked at; listen() then picks a port of its own",
)
def test_busy_port(stage):
    """If its port is taken, the program says so on stderr, ends with a status other than 0, and listens nowhere."""
    with stage.occupied(stage.address):
        stage.start().expect_refusal("its port is already taken")


@check(
    "bind/second-instance",
    MUST,
    "bind(2) EADDRINUSE",
    "socket(7) SO_REUSEPORT",
    only=(inet, foreground),
    needs=ANSWERS,
    usual="SO_REUSEPORT is set: a second instance shares the port and takes clients away from the first",
)
def test_second_instance(server, stage):
    """A second instance on the same address fails, and the first one goes on serving."""
    stage.start().expect_refusal("the first instance serves this address")
    server.still_serves()


BAD_ARGUMENTS = {
    "none": [],
    "too-many": ["{port}", "surplus"],
    "word": ["abc"],
    "negative": ["-1"],
    "too-large": ["70000"],
    "blank": [" "],
}


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
@check(
    "bind/bad-arguments",
    SHOULD,
    "strtol(3)",
    "exit(3)",
    only=inet,
    usual={OWN | DIED | RUNS_ON: "argc is not looked at, or atoi() makes 0 of anything that is no number"},
)
def test_bad_arguments(stage, arguments):
    """Given no port, too many arguments or something that is no port, the program ends with a message and a status other than 0."""
    stage.start(argv=stage.command_with(arguments)).expect_refusal("its arguments are wrong")


@check(
    "bind/closed-stdio",
    SHOULD,
    "socket(2)",
    "accept(2)",
    only=(server, when("output", "socket")),
    needs=ANSWERS,
    usual={
        LOST
        | ENDED
        | NOT_STARTED
        | REFUSED
        | UNSERVED: "socket() or accept() returned 0, which is a good descriptor, and was taken for an error",
        WRONG: "descriptors 0 to 2 are free, so a socket gets one of these numbers: what is printed goes to a client",
    },
)
def test_closed_stdio(stage):
    """The program serves even if it is started with descriptors 0, 1 and 2 closed."""
    stage.serve(closed_stdio=True).serves()


@check("bind/starts-promptly", ADVICE, "listen(2)", only=server, usual="a sleep() before the socket listens")
def test_starts_promptly(stage):
    """The program serves without waiting for a fixed time first."""
    stage.start().expect_prompt_start()
