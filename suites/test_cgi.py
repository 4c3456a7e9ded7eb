"""cgi: files that are executed, and what the server owes to the processes it makes."""

import pytest

from harness.checks import (
    DIED,
    ENDED,
    MISSING,
    MUST,
    OPEN,
    OWN,
    RUNS_ON,
    SHOULD,
    SPOILT,
    UNSERVED,
    WRONG,
    by_contract,
    check,
    if_set,
    lasting,
    scripts,
)
from harness.stage.web import WAYS_OUT

RUNS = "cgi/output-as-is"
PAGE = b"Content-Type: text/plain\r\n\r\nhello\n"
OUTPUTS = {
    "text": PAGE,
    "bare-lf": b"Content-Type: text/plain\nX-More: yes\n\nhello\n",
    "binary": b"Content-Type: image/png\r\n\r\n" + bytes(range(256)) * 8,
    "no-body": b"Content-Type: text/plain\r\n\r\n",
    "large": b"Content-Type: text/plain\r\n\r\n" + b"0123456789abcdef" * 20_000,
}


@pytest.mark.parametrize("case", OUTPUTS)
@check(
    "cgi/output-as-is",
    MUST,
    "dup2(2)",
    "RFC 3875 section 6",
    only=scripts,
    usual="the script's head is not taken for a head: a blank line or a Content-Length of the server's own comes before it",
)
def test_output_as_is(cgi, case):
    """What a script writes reaches the client as it is, right after the status line, and then the connection is closed."""
    cgi.writer("script.sh", OUTPUTS[case])
    cgi.expect_output(cgi.get("script.sh"), OUTPUTS[case])


@check(
    "cgi/stderr-apart",
    MUST,
    "dup2(2)",
    "stderr(3)",
    only=scripts,
    needs=RUNS,
    usual={
        OWN
        | WRONG: 'dup2() makes the connection the script\'s descriptor 2 as well, or popen("... 2>&1"): a warning ruins the head'
    },
)
def test_stderr_apart(cgi):
    """Only a script's standard output reaches the client: what it writes on standard error is no part of the answer."""
    cgi.writer("noisy.sh", PAGE, complaints=True)
    cgi.expect_output(cgi.get("noisy.sh"), PAGE)


@check(
    "cgi/environment",
    if_set("cgi_variables"),
    "RFC 3875 section 4.1",
    "execve(2)",
    only=scripts,
    needs=RUNS,
    usual="setenv() in the parent, execv() where execve() with the new environment is needed, or a variable is forgotten",
)
def test_environment(cgi, contract):
    """A script finds the variables that the assignment names, with the values of its request."""
    cgi.expect_variables(contract.cgi_variables)


@check(
    "cgi/query",
    if_set("cgi_variables"),
    "RFC 3875 section 4.1.7",
    only=scripts,
    needs=RUNS,
    usual={
        OWN
        | SPOILT
        | DIED: "the query is taken for a part of the file's name, is decoded, or is copied into an array of fixed size"
    },
)
def test_query(cgi):
    """What follows the question mark is no part of the script's name, and reaches it unchanged in QUERY_STRING."""
    for query in ("a=1&b=x%20y", "?", "q=" + "z" * 4000):
        cgi.expect_variables(("QUERY_STRING",), query)
    cgi.server.still_serves()


@pytest.mark.parametrize("client", ["stays", "goes"])
@check(
    "cgi/no-zombies",
    MUST,
    "wait(2)",
    "signal(7) SIGCHLD",
    only=(scripts, lasting),
    needs=(RUNS, "cgi/script-crash"),
    usual="nobody waits for the child that has executed the script, or nobody does when sending its output has failed",
)
def test_no_zombies(cgi, client):
    """The program waits for every script that has ended, also if its client was gone before."""
    cgi.writer("script.sh", OUTPUTS["large"] * 20)
    cgi.server.serves()
    before = cgi.server.holdings()
    for _ in range(10):
        visit = cgi.begin("script.sh", lazy=client == "goes")
        visit.client.abort_when_full() if client == "goes" else visit.read().expect_ended()
    cgi.expect_few_zombies()
    cgi.server.expect_no_growth(
        "descriptors", before.descriptor_count, cgi.server.holdings().descriptor_count
    )


@check(
    "cgi/descriptors",
    SHOULD,
    "open(2) O_CLOEXEC",
    "execve(2)",
    only=scripts,
    needs=RUNS,
    usual="sockets are made without SOCK_CLOEXEC and not closed in the child before exec",
)
def test_descriptors(cgi, contract):
    """A script inherits nothing but its standard descriptors: no listening socket, no connection of others."""
    if contract.concurrency == "concurrent":
        cgi.client()
        cgi.server.settle()
    cgi.start_waiting()
    cgi.expect_only_standard_descriptors()


@check(
    "cgi/static-while-running",
    by_contract("concurrency", concurrent=MUST),
    "waitpid(2) WNOHANG",
    only=(scripts, lasting),
    needs=RUNS,
    usual={MISSING: "the program waits for the script to end before it turns to anybody else"},
)
def test_static_while_running(cgi):
    """While a script runs, others are served."""
    visit = cgi.start_waiting()
    cgi.server.serves()
    cgi.open_gate()
    cgi.expect_output(visit.read(), b"Content-Type: text/plain\r\n\r\nrunning\ngo\n")


UNEXECUTABLE = {
    "interpreter": b"#!/no/such/interpreter\n",
    "format": b"\x7fELF this is no program\n",
}


@pytest.mark.parametrize("case", UNEXECUTABLE)
@check(
    "cgi/exec-failure",
    MUST,
    "execve(2)",
    "_exit(2)",
    only=(scripts, lasting),
    needs=("accept/sequential",),
    usual={
        OWN
        | ENDED
        | UNSERVED
        | OPEN: "after a failed exec the child returns into the server's loop, and there are two servers"
    },
)
def test_exec_failure(cgi, case):
    """A file that cannot be executed costs its client the answer, and nobody anything else."""
    cgi.documents.executable("broken.sh", UNEXECUTABLE[case])
    cgi.server.serves()
    before = cgi.server.holdings()
    for _ in range(6):
        cgi.get("broken.sh").expect_ended()
    after = cgi.server.holdings()
    cgi.server.expect_no_growth("processes", before.live_count, after.live_count)
    cgi.server.expect_no_growth("descriptors", before.descriptor_count, after.descriptor_count)
    cgi.server.still_serves()


@pytest.mark.parametrize("death", ["kill -KILL $$", "printf 'Content-Type: te'; kill -SEGV $$", "exit 3"])
@check(
    "cgi/script-crash",
    MUST,
    "wait(2)",
    "RFC 3875 section 6",
    only=(scripts, lasting),
    needs=RUNS,
    usual={
        OPEN | MISSING: "only a script that ends with status 0 has its connection closed",
        SPOILT: "the answer 500 is sent though 200 has been sent already",
    },
)
def test_script_crash(cgi, death):
    """A script that crashes ends its client's connection, and nothing else: what was sent cannot be taken back by a 500."""
    cgi.script("crash.sh", death)
    visit = cgi.get("crash.sh")
    visit.expect_ended()
    visit.expect_one_head()
    cgi.server.still_serves()


@pytest.mark.parametrize("end", ["vanish", "abort"], ids=["fin", "rst"])
@check(
    "cgi/endless-output-client-gone",
    SHOULD,
    "signal(7) SIGPIPE",
    "pipe(7)",
    only=(scripts, lasting),
    needs=RUNS,
    usual="the output is read from a pipe and thrown away when the client is gone, so the script never learns of it",
)
def test_endless_output_client_gone(cgi, end):
    """A script that writes without end is gone soon after its client."""
    cgi.script(
        "endless.sh",
        'printf "Content-Type: text/plain\\r\\n\\r\\n"; while echo "{root}/more and more"; do :; done',
    )
    visit = cgi.begin("endless.sh", lazy=True)
    visit.client.fill()
    getattr(visit.client, end)()
    cgi.expect_script_ended()
    cgi.server.still_serves()


@check(
    "cgi/stopped-with-server",
    if_set("stop"),
    "kill(2)",
    "wait(2)",
    only=scripts,
    needs=(RUNS, "signals/stop-idle"),
    usual={
        RUNS_ON: "the server waits for the script to end by itself",
        OWN: "the server ends and leaves the script running",
    },
)
def test_stopped_with_server(cgi, stop_signal):
    """When the server is told to end while a script runs, it ends the script, and then itself."""
    cgi.start_waiting()
    cgi.server.signal(stop_signal)
    cgi.server.expect_end(cgi.server.agreed(stop_signal))
    cgi.server.expect_nothing_left()


@check(
    "cgi/signal-mask",
    SHOULD,
    "sigprocmask(2)",
    "execve(2)",
    only=scripts,
    needs=RUNS,
    usual="signals are blocked before fork() and not unblocked before exec",
)
def test_signal_mask(cgi):
    """A script runs with no signal blocked, so that it can be ended."""
    cgi.start_waiting()
    cgi.expect_no_blocked_signals()


SHELLS = {
    "semicolon": ";COMMAND",
    "pipe": "|COMMAND",
    "and": "&&COMMAND",
    "substitution": "$(COMMAND)",
    "backquotes": "`COMMAND`",
    "line": "%0aCOMMAND",
    "query": "?x=;COMMAND",
    "quotes": "';COMMAND;'",
}


@pytest.mark.parametrize("case", SHELLS)
@check(
    "cgi/no-shell-injection",
    MUST,
    "CWE-78",
    "system(3)",
    only=scripts,
    needs=RUNS,
    usual="the name goes through popen() or system(), and so through a shell",
)
def test_no_shell_injection(cgi, case):
    """Nothing in a request is executed by a shell."""
    cgi.script("hello.sh", "printf 'Content-Type: text/plain\\r\\n\\r\\nhello\\n'")
    factor = cgi.server.next_token()
    command = f"echo${{IFS}}$(({factor}*{factor}))"
    visit = cgi.get("hello.sh" + SHELLS[case].replace("COMMAND", command))
    visit.expect_without(b"%d" % factor**2, "the output of a command that stood in its request")
    cgi.server.still_serves()


@pytest.mark.parametrize("way", WAYS_OUT)
@check(
    "cgi/outside-root",
    MUST,
    "CWE-22",
    only=scripts,
    needs=RUNS,
    usual="the name is appended to the root as it came",
)
def test_outside_root(cgi, way):
    """No program outside of the root is executed, however it is named."""
    factor = cgi.server.next_token()
    cgi.documents.hide(b"secret")
    cgi.documents.hide_script("outside.sh", f"printf '\\r\\n'; echo $(({factor}*{factor}))")
    visit = cgi.go_out(way, "outside.sh")
    visit.expect_without(b"%d" % factor**2, "the output of a program that lies outside of the root")
    cgi.server.still_serves()
