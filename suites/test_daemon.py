"""daemon: detached from whoever started it."""

from harness.checks import (
    ADVICE,
    ENDED,
    MUST,
    MUTE,
    OWN,
    RUNS_ON,
    SHOULD,
    STATUS,
    check,
    daemon,
    server,
)

BOTH = (server, daemon)


@check(
    "daemon/detached",
    MUST,
    "daemon(7)",
    "setsid(2)",
    only=BOTH,
    usual={
        OWN: "there is no fork() after which the parent ends, or no setsid() in the child",
        STATUS: "the parent has to end with exit(0) after fork(); another status tells whoever started the program that it failed",
    },
)
def test_detached(server):
    """The program serves in the background: the process that was started ends with status 0, and its session is left."""
    server.expect_detached()
    server.still_serves()


@check(
    "daemon/no-session-leader",
    ADVICE,
    "daemon(7)",
    "credentials(7)",
    only=BOTH,
    needs="daemon/detached",
    usual="there is no second fork() after setsid()",
)
def test_no_session_leader(server):
    """The program does not lead its session, so that it never gets a terminal again."""
    server.expect_no_session_leader()


@check(
    "daemon/stdio",
    MUST,
    "daemon(7)",
    "null(4)",
    only=BOTH,
    needs="daemon/detached",
    usual="descriptors 0, 1 and 2 are kept, or closed without /dev/null in their place",
)
def test_stdio(server):
    """Standard input, output and error are let go of, with something harmless in their place."""
    server.expect_standard_descriptors_let_go()


@check("daemon/cwd", SHOULD, "daemon(7)", "chdir(2)", only=BOTH, usual='there is no chdir("/")')
def test_cwd(server):
    """The program leaves the directory in which it was started."""
    server.expect_other_directory()


@check(
    "daemon/startup-error-visible",
    MUST,
    "daemon(7)",
    only=BOTH,
    usual={
        OWN
        | MUTE: "the program goes into the background before it binds, where the error reaches nobody: bind first, then fork() and exit(0)",
        RUNS_ON: "the result of bind() is not looked at",
    },
)
def test_startup_error_visible(stage):
    """If it cannot serve, whoever starts it learns of that: by the exit status, a message or a log file."""
    with stage.occupied(stage.address):
        stage.start().expect_visible_failure()


@check(
    "daemon/single-instance",
    SHOULD,
    "daemon(7)",
    "bind(2)",
    only=BOTH,
    usual={
        OWN: "SO_REUSEPORT is set, or the socket file of the first instance is removed",
        MUTE: "the program goes into the background before it binds, where the error reaches nobody: bind first, then fork() and exit(0)",
        RUNS_ON: "the result of bind() is not looked at",
    },
)
def test_single_instance(server, stage):
    """A second instance does not stay, and the first one goes on serving."""
    stage.start().expect_visible_failure()
    server.still_serves()


@check(
    "daemon/hup",
    SHOULD,
    "daemon(7)",
    "signal(7)",
    only=BOTH,
    needs="daemon/detached",
    usual={ENDED: "SIGHUP is left to its default, which ends the program"},
)
def test_hup(server):
    """SIGHUP does not end the program."""
    server.hang_up()
    server.still_serves()
