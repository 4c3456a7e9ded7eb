"""The likely cause: what is known comes first, the usual mistake only where it fits, and else nothing."""

from __future__ import annotations

import pytest

from harness.catalogue import catalogue
from harness.verdict.cause import likely_cause
from harness.verdict.show import lengths
from harness.verdict.symptom import Symptom, symptom_of

SHORT_WRITE = ((Symptom.MISSING | Symptom.CUT, "a short write() is not continued"),)
OWN = ((Symptom.OWN, "SO_REUSEPORT is set"),)


@pytest.mark.parametrize(
    ("kind", "facts", "symptom"),
    [
        ("no-reply", {"alive": True}, Symptom.MISSING),
        ("no-reply", {"alive": False, "code": 1, "signal": None}, Symptom.DIED),
        ("no-reply", {"alive": False, "code": None, "signal": "SIGSEGV"}, Symptom.DIED),
        ("closed-early", {"alive": False, "code": 0, "signal": None}, Symptom.LEFT),
        ("no-reply", {"alive": True, "afterwards": True}, Symptom.UNSERVED),
        ("no-reply", {"alive": True, "spins": True}, Symptom.BUSY),
        ("no-output", {"alive": False, "code": 0, "signal": None}, Symptom.PRINTED),
        ("foreground", {}, Symptom.OWN),
    ],
)
def test_what_it_looks_like_from_outside(kind: str, facts: dict[str, object], symptom: Symptom) -> None:
    assert symptom_of(kind, facts) is symptom


def test_the_usual_mistake_is_told_only_where_it_fits() -> None:
    assert "short write" in likely_cause("stream/large", "no-reply", {"alive": True}, SHORT_WRITE)
    for kind, facts in (
        ("wrong-output", {}),
        ("no-reply", {"alive": False, "code": 1}),
        ("excess", {"alive": True}),
        ("refused", {}),
    ):
        assert "usual" not in likely_cause("stream/large", kind, facts, SHORT_WRITE), kind
    assert likely_cause("port-reuse/no-stealing", "shared", {}, OWN)
    assert not likely_cause("port-reuse/no-stealing", "no-reply", {"alive": True}, OWN)


def test_what_is_known_comes_before_what_is_usual() -> None:
    """A proven deadlock, a loop that was seen, an edge that was missed: each has its own reason."""
    deadlock = likely_cause("stream/large", "no-reply", {"alive": True, "deadlock": True}, SHORT_WRITE)
    assert "mutex" in deadlock and "short write" not in deadlock
    edge = {"alive": True, "edge_triggered_unread": True}
    assert "EPOLLET" in likely_cause("stream/large", "no-reply", edge, SHORT_WRITE)
    assert "SIGPIPE" in likely_cause("reset/idle", "died", {"alive": False, "signal": "SIGPIPE"}, ())


@pytest.mark.parametrize(
    ("loop", "word"),
    [
        ([("epoll_wait", "1"), ("accept", "EMFILE")], "no descriptor is free"),
        ([("accept", "EMFILE")], "no descriptor is free"),
        ([("poll", "1"), ("read", "0")], "end of file, and it stays"),
        ([("recv", "0")], "end of file, and it stays"),
        ([("read", "EAGAIN")], "wait in poll()"),
        ([("poll", "1"), ("read", "EAGAIN")], "POLLOUT is asked for with nothing to write"),
        ([("poll", "1"), ("write", "EAGAIN")], "in place of POLLIN"),
        ([("poll", "0")], "timeout of 0"),
        ([("epoll_wait", "1")], "nothing is done about it"),
        ([("read", "EBADF")], "closed already"),
        ([("accept", "EINVAL")], "accept() fails with EINVAL"),
        ([("poll", "EINVAL")], "poll() fails with EINVAL"),
        ([("poll", "0"), ("recv", "EAGAIN")], "timeout of 0"),
        ([("read", "EBADF")], "the -1 of an accept()"),
        ([], "no system call"),
    ],
)
def test_a_loop_that_was_seen_says_why(loop: list[tuple[str, str]], word: str) -> None:
    facts = {"alive": True, "spins": True, "traced": True, "loop": loop}
    cause = likely_cause("stream/idle-costs-nothing", "spinning", facts, ())
    assert word in cause
    others = {"end of file, and it stays", "no descriptor is free", "timeout of 0"} - {word}
    assert not any(other in cause for other in others)


def test_of_a_loop_that_says_nothing_nothing_is_guessed() -> None:
    mistakes = ((Symptom.BUSY, "end of file is reported again and again"),)
    seen = {"alive": True, "spins": True, "traced": True, "loop": [("clone", "7"), ("waitpid", "7")]}
    assert not likely_cause("stream/idle-costs-nothing", "spinning", seen, mistakes)
    assert likely_cause("stream/idle-costs-nothing", "spinning", {"alive": True, "spins": True}, mistakes)


def test_a_shell_s_status_is_told_from_an_interrupted_call() -> None:
    facts = {"alive": False, "code": 143, "signal": None, "agreed": 0, "sent_number": 15}
    assert "128 + 15" in likely_cause("signals/stop-idle", "status", facts, ())
    assert "EINTR" in likely_cause("signals/stop-idle", "status", {**facts, "code": 1}, ())
    assert "EINTR" not in likely_cause("daemon/detached", "status", {"code": 1}, ())


def test_what_the_check_knows_comes_before_a_general_guess() -> None:
    """A server that waits for its client has passed signals/stop-idle: SA_RESTART is not its trouble."""
    caught = {"alive": True, "sent": "SIGTERM", "caught": ["SIGTERM"], "ignored": [], "blocked": []}
    waits = ((Symptom.RUNS_ON, "the program waits for its client to leave"),)
    assert "its client to leave" in likely_cause("signals/stop-with-idle-client", "no-end", caught, waits)
    assert "SA_RESTART" in likely_cause("signals/stop-idle", "no-end", caught, OWN)
    accepting = {**caught, "accepting": True}
    assert "SA_RESTART" in likely_cause("signals/stop-with-idle-client", "no-end", accepting, waits)
    ignored = {**caught, "ignored": ["SIGTERM"]}
    assert "SIG_IGN" in likely_cause("signals/stop-with-idle-client", "no-end", ignored, waits)
    drains = {**caught, "listener_gone": True}
    assert "does not listen any more" in likely_cause("signals/listener-released", "no-end", drains, OWN)


def test_a_wait_that_holds_everybody_up_is_named() -> None:
    mistakes = ((Symptom.MISSING, "one read() is taken for one message"),)
    for fact, word in (("mutex_held", "mutex"), ("pipe_full", "64 KiB"), ("stuck_writing", "write()")):
        facts = {"alive": True, fact: True}
        assert word in likely_cause("stream/large", "no-reply", facts, mistakes)
        assert word not in likely_cause("stream/large", "wrong-bytes", facts, mistakes)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([], "no datagram"),
        ([0], "1 datagram of 0 bytes"),
        ([1], "1 datagram of 1 byte"),
        ([3, 3], "2 datagrams of 3 bytes each"),
        ([1, 2, 3], "3 datagrams of 1, 2 and 3 bytes"),
        ([1, *[2] * 20], "21 datagrams of 1, 2, 2, 2, 2, 2, ... bytes"),
    ],
)
def test_lengths_are_told_in_words(sizes: list[int], words: str) -> None:
    assert lengths(sizes, "datagram") == words


def test_every_usual_mistake_is_about_something() -> None:
    for id, entry in catalogue().items():
        for symptoms, mistake in entry.check.mistakes:
            assert symptoms and mistake, id
            assert not mistake.endswith("."), id
