"""port-reuse: starting again, and not sharing."""

from signal import Signals

from harness.checks import ADVICE, MUST, by_contract, check, inet, lasting, stream, tcp

REUSE = by_contract("port_reuse", required=MUST, advised=ADVICE)
BEFORE_BIND = "SO_REUSEADDR is not set on the listening socket before bind()"


@check(
    "port-reuse/restart-in-time-wait",
    REUSE,
    "socket(7) SO_REUSEADDR",
    "RFC 9293 section 3.6.1",
    only=tcp,
    needs="accept/first-client",
    usual=BEFORE_BIND,
)
def test_restart_in_time_wait(server, stage):
    """The program can be started again at once, though a connection of its predecessor lingers in TIME_WAIT."""
    client = server.client()
    client.engage()
    server.end()
    client.read_all()
    client.vanish()
    stage.require_time_wait(server.address)
    stage.restart(server).serves()


@check(
    "port-reuse/restart-after-kill",
    REUSE,
    "socket(7) SO_REUSEADDR",
    only=tcp,
    needs=("accept/first-client", "listen/keeps-listening"),
    usual=BEFORE_BIND,
)
def test_restart_after_kill(server, stage):
    """The program can be started again after it was killed with clients connected."""
    clients = server.crowd(2)
    clients[0].engage()
    server.end(Signals.SIGKILL)
    server.close()
    stage.restart(server).serves()


@check(
    "port-reuse/no-stealing",
    MUST,
    "socket(7) SO_REUSEPORT",
    only=inet,
    usual="SO_REUSEPORT is set, alone or or-ed with SO_REUSEADDR",
)
def test_no_stealing(server, stage):
    """The program does not let a second instance share its port."""
    server.expect_exclusive(stage.start())


@check(
    "port-reuse/children-release",
    MUST,
    "close(2)",
    "fork(2)",
    only=(stream, lasting),
    needs="accept/first-client",
    usual="the child does not close the listening socket it inherits",
)
def test_children_release(server):
    """No child keeps the listening socket once the server has gone."""
    server.note_processes()
    client = server.client()
    client.be_served()
    server.expect_listener_released_by_children()
