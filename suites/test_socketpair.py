"""socketpair: programs whose processes or threads talk over a pair of sockets, and that run to completion."""

from harness.checks import (
    MUST,
    PRINTED,
    STATUS,
    check,
    running,
)

COMPLETES = "socketpair/both-ends-closed"


@check(
    COMPLETES,
    MUST,
    "socketpair(2)",
    "read(2)",
    "fork(2)",
    only=running,
    usual="after fork() both processes have both ends, and the one that is not used was not closed",
)
def test_both_ends_closed(run):
    """The program runs to its end: whoever reads from the pair sees the end of file, and nobody waits for ever."""
    run.expect_completion()


@check(
    "socketpair/output",
    MUST,
    "read(2)",
    "write(2)",
    only=running,
    needs=COMPLETES,
    usual={PRINTED: "one read() is taken for everything, or its count is not looked at"},
)
def test_output(run):
    """The program prints what the assignment asks for."""
    run.expect_printed()


@check(
    "socketpair/children-reaped",
    MUST,
    "wait(2)",
    only=running,
    needs=COMPLETES,
    usual="one wait() for two children, or none at all",
)
def test_children_reaped(run):
    """The program waits for each of its children before it ends: no process is left, not even as a zombie."""
    run.expect_children_reaped()


@check(
    "socketpair/exit-status",
    MUST,
    "exit(3)",
    only=running,
    needs=COMPLETES,
    usual={STATUS: "main() ends without return, or with what waitpid() has stored"},
)
def test_exit_status(run):
    """The program ends by itself, with the agreed exit status."""
    run.expect_agreed_status()
