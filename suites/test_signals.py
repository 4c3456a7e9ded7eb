"""signals: SIGTERM and SIGINT end the program, soon and in order."""

from harness.checks import (
    ANSWERS,
    CUT,
    ENDED,
    LOST,
    MUST,
    OWN,
    RESET,
    RUNS_ON,
    SERVES,
    SHOULD,
    STATUS,
    WRONG,
    answering,
    asking,
    by_contract,
    check,
    if_set,
    lasting,
    many_requests,
    server,
    stream,
)

RESTARTED = "no handler, or one that only sets a flag while accept() is restarted (SA_RESTART)"


@check(
    "signals/stop-idle", if_set("stop"), "signal(7)", "sigaction(2) SA_RESTART", only=server, usual=RESTARTED
)
def test_stop_idle(server, stop_signal):
    """The signal ends an idle program with the agreed status, without another client having to come."""
    server.stop(stop_signal)


@check(
    "signals/stop-with-idle-client",
    if_set("stop"),
    "signal(7)",
    "close(2)",
    only=(stream, many_requests),
    needs=("signals/stop-idle", "accept/first-client"),
    usual={
        ENDED: "a child that serves the client is left running when the program ends, and keeps the connection",
        RUNS_ON: "the program waits for its client, or for the thread or the child that serves it, and has told none of them to end",
        RESET: "SO_LINGER with a timeout of zero, or close() with input unread, turns the end into a reset",
    },
)
def test_stop_with_idle_client(server, stop_signal):
    """The signal ends the program though a silent client is connected, and that client's connection is closed in order."""
    client = server.client()
    client.engage()
    server.stop(stop_signal)
    client.expect_close()


@check(
    "signals/finish-current",
    by_contract("drain", finish_current=MUST),
    "signal(7)",
    "signal-safety(7)",
    only=(stream, answering),
    needs=("signals/stop-idle", "half-close/large-reply-after-fin", "http/large-8mb"),
    usual={
        OWN
        | LOST
        | ENDED: "the handler calls exit(), main() returns while a thread or a child still answers, what is still to be written is dropped, or an interrupted write() is not continued"
    },
)
def test_finish_current(server, stop_signal):
    """A reply that is under way when the signal comes is completed before the program ends."""
    client = server.answering_client()
    server.signal(stop_signal)
    client.expect_drained()
    server.expect_end(server.agreed(stop_signal))


@check(
    "signals/mid-request",
    by_contract("drain", finish_current=MUST, drop=MUST),
    "read(2) EINTR",
    only=(stream, asking),
    needs="signals/stop-idle",
    usual={WRONG | CUT: "an interrupted read() is taken for data or for the end of the request"},
)
def test_mid_request(server, stop_signal):
    """Of a request that is half there when the signal comes, the rest is answered rightly or not at all."""
    client = server.client()
    client.send_part()
    server.settle()
    server.signal(stop_signal)
    server.settle()
    client.expect_nothing_wrong()
    client.send_rest()
    client.expect_end()
    server.expect_end(server.agreed(stop_signal))


@check(
    "signals/refuse-new",
    SHOULD,
    "shutdown(2)",
    "close(2)",
    only=(stream, lasting),
    needs="signals/stop-idle",
    usual="the loop goes on accepting while it finishes older clients",
)
def test_refuse_new(server, stop_signal):
    """After the signal no new client is taken."""
    server.answering_client()
    server.signal(stop_signal)
    server.settle(patience=0.2)
    server.expect_no_new_client()


@check(
    "signals/children-gone",
    MUST,
    "wait(2)",
    "kill(2)",
    only=server,
    needs=("signals/stop-idle", *ANSWERS),
    usual="the parent ends without ending its children",
)
def test_children_gone(server, stop_signal):
    """When the program has ended, nothing of it is left running."""
    server.meet_clients()
    server.stop(stop_signal)
    server.expect_nothing_left()


@check(
    "signals/process-group",
    SHOULD,
    "signal(7)",
    "setpgid(2)",
    only=server,
    needs=("signals/stop-idle", *ANSWERS),
    usual={
        STATUS
        | RUNS_ON: "children die of the signal that was meant for the whole group, and the parent does not expect it"
    },
)
def test_process_group(server, stop_signal):
    """A signal to the whole process group, as Ctrl-C sends it, ends the program in the same way."""
    server.meet_clients()
    server.stop(stop_signal, group=True)


@check(
    "signals/twice",
    SHOULD,
    "signal(7)",
    only=(stream, lasting),
    needs=("signals/stop-idle", "accept/first-client"),
    usual={STATUS | RUNS_ON: "a second signal meets a handler that is not prepared for it"},
)
def test_twice(stage, stop_signal):
    """A second signal during the shutdown changes nothing, the same or the other one."""
    with stage.serve() as busy:
        client = busy.answering_client()
        busy.signal(stop_signal)
        busy.settle(patience=0.2)
        busy.signal(stop_signal)
        client.read_all()
        busy.expect_end(busy.agreed(stop_signal))
    with stage.serve() as idle:
        idle.signal_together()
        idle.expect_end(idle.agreed(stop_signal))


@check(
    "signals/listener-released",
    MUST,
    "close(2)",
    "unix(7)",
    only=server,
    needs=("signals/stop-idle", *ANSWERS),
    usual="a process that outlives the server keeps the socket, or the socket file is not unlinked",
)
def test_listener_released(server, stop_signal):
    """When the program has ended, its port is free (and its socket file gone)."""
    server.meet_clients()
    server.stop(stop_signal)
    server.expect_address_free()


@check(
    "signals/leaves-others-alone",
    MUST,
    "kill(2)",
    only=server,
    needs=("signals/stop-idle", *ANSWERS),
    usual="kill(0, ...) or kill(-1, ...) hits every process there is",
)
def test_leaves_others_alone(stage, stop_signal):
    """The program signals nobody outside its own process tree."""
    server = stage.serve(canary=True)
    server.meet_clients()
    server.stop(stop_signal)
    server.expect_canary_alive()


@check(
    "signals/race-window",
    SHOULD,
    "signal(7)",
    "pselect(2)",
    only=(stream, lasting),
    needs=("signals/stop-idle", *SERVES),
    usual="a flag is looked at, and then accept() is called: a signal in between is noticed only when the next client comes (wait for both at once: "
    "ppoll(), a signalfd, a self-pipe). A handler in Python or Perl runs only when the call that waits returns, be it accept(), select() or "
    "Event.wait(): signal.set_wakeup_fd() wakes a select() of Python, and sigwait() is a wait of its own",
)
def test_race_window(signal_moments, stop_signal):
    """There is no moment at which the signal is lost: before whichever system call it comes, the program ends."""
    signal_moments(stop_signal)
