"""The likely cause of a violation: from its kind and facts, or else the usual mistake of the check.

Each rule is a small function; the first that has something to say wins, so the telling ones
come first.  A cause is a guess and is worded as advice, never as a verdict; none is better than a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from harness.verdict.loops import UNSEEN, why_it_spins
from harness.verdict.symptom import Facts, Mistakes, Symptom, symptom_of


def _names(facts: Facts, which: str) -> list[object]:
    names = facts.get(which)
    return names if isinstance(names, list) else []


def _sigpipe(kind: str, facts: Facts) -> str | None:
    if facts.get("signal") == "SIGPIPE":
        return (
            "Writing to a connection that the other side has closed raises SIGPIPE, whose default is to end the program. "
            "Ignore the signal (signal(SIGPIPE, SIG_IGN)) or send with MSG_NOSIGNAL, and treat EPIPE as 'the other side is gone'."
        )
    return None


def _ended_first(kind: str, facts: Facts) -> str | None:
    if kind in ("not-listening", "not-reached") and facts.get("code") == 127:
        return "The command that starts the program could not be executed: is the name right, and the file executable (chmod +x)?"
    if kind == "excess":
        return "We ended the program, since it used more than the assignment's limits allow (table [limits])."
    if kind == "no-restart" and facts.get("reuses") and facts.get("still_held"):
        return "The first instance is gone, but a process of it, a child perhaps, still holds the port."
    if kind == "no-restart" and facts.get("reuses"):
        return "SO_REUSEADDR has to be set before bind(), by the first instance and by the second: after bind() it is set as well, but has come too late."
    return None


def _never_listened(kind: str, facts: Facts) -> str | None:
    if kind == "not-listening" and facts.get("alive") is False and facts.get("signal") is None:
        return "The program ended before it listened; what it wrote on stderr, if anything, says why."
    return None


def _ended_before_listen(kind: str, facts: Facts) -> str | None:
    if kind == "not-passive" and facts.get("alive") is False and facts.get("signal") is None:
        return (
            "Either bind() failed, then what the program wrote on stderr says why (the address has to be one of this machine's, in network byte "
            "order: htonl(INADDR_LOOPBACK)), or listen() was never called."
        )
    return None


def _limit(kind: str, facts: Facts) -> str | None:
    if facts.get("signal") == "SIGXCPU":
        return "The program used up the CPU time that the assignment allows (limits.cpu_seconds): somewhere a loop does not wait."
    return None


def _mutex(kind: str, facts: Facts) -> str | None:
    if facts.get("deadlock") and kind != "deadlock":
        return (
            "Threads that wait for one another's mutex never go on, nor does anybody who needs them. Take several mutexes in the same order everywhere, "
            "hold none while you wait for something else, and do not lock twice what is not recursive."
        )
    return None


def _held_up(kind: str, facts: Facts) -> str | None:
    symptom = symptom_of(kind, facts)
    waits_for = Symptom.MISSING | Symptom.UNSERVED | Symptom.OPEN
    if facts.get("mutex_held") and symptom in waits_for | Symptom.RUNS_ON:
        return (
            "A mutex is held over a call that waits, and whoever needs it waits as well: hold it only while the shared data is used, never over "
            "accept(), read(), poll() or write()."
        )
    if facts.get("pipe_full") and symptom in waits_for | Symptom.RUNS_ON:
        return (
            "A pipe holds 64 KiB; whoever writes more waits until somebody reads. If that is to be done by the same thread, or by a process that "
            "itself waits for this one, nobody goes on."
        )
    if facts.get("stuck_writing") and symptom in waits_for:
        return (
            "The program's only thread waits in write() for a client that does not read, and does nothing else meanwhile, neither for this client nor for "
            "others: make the connections non-blocking, and write the rest when poll() reports POLLOUT."
        )
    return None


def _spinning(kind: str, facts: Facts) -> str | None:
    loop = facts.get("loop")
    return why_it_spins(loop) or None if isinstance(loop, list) else None


def _edge(kind: str, facts: Facts) -> str | None:
    if facts.get("edge_triggered_unread"):
        return (
            "The socket is watched edge-triggered (EPOLLET), and that reports only what is new: whoever does not read until EAGAIN leaves the rest "
            "unread until more comes, which may be never."
        )
    return None


def _never_tried(kind: str, facts: Facts) -> str | None:
    """A client that has not come, where it is known that it has not even tried."""
    if kind != "not-reached" or facts.get("tried") is not False or facts.get("signal") is not None:
        return None
    if facts.get("alive"):
        return "It still waits for something else, as said above; it is asked to connect without being told anything but its arguments."
    chosen = "nobody has said how it is started, so it was" if facts.get("by_default") else "it was"
    return (
        f"The program ended by itself before it tried anything; what it wrote, if anything, says why. Perhaps it wants other arguments: {chosen} "
        f"started by `{facts.get('run')}`. Another command line is given by --run, or by run = [...] in the table [program] of the assignment "
        "file; {peer_host}, {peer_port}, {path} and {size} in it stand for what the checks decide."
    )


def _swapped(kind: str, facts: Facts) -> str | None:
    if kind in ("wrong-request", "misprint") and facts.get("swapped"):
        return (
            "The bytes of the integer came in the other order. Little-endian is asked for, which is what the usual machine has in memory: "
            "htonl() and ntohl() make, and read, the order of the network instead (byteorder(3))."
        )
    if kind == "misprint" and facts.get("unsigned"):
        return 'The integers have a sign: int32_t and printf("%d"), not uint32_t and "%u".'
    return None


def _client(kind: str, facts: Facts) -> str | None:
    if kind == "no-fin":
        return (
            "At the end of its input the program must tell the server: shutdown(sock, SHUT_WR) sends the FIN, and answers can still be read. "
            "close() would send it, too, but then nobody reads the answers."
        )
    if kind == "reset-unreported":
        if facts.get("writing"):
            return (
                "write() or send() returned -1 (ECONNRESET, EPIPE), or less than it was given, and the program took that for success. Look at the "
                "result of each call: what was not sent is lost, and perror() and exit(EXIT_FAILURE) say so."
            )
        return (
            "read() or recv() returned -1 with errno ECONNRESET. That is no end of file, which is 0: a loop that ends when the result is not "
            "above 0 takes both for the same. After it, look at the result: below 0, perror() and exit(EXIT_FAILURE)."
        )
    if kind == "same-socket":
        return "After a connect() that has failed, close the socket and make a new one (connect(2), NOTES)."
    if kind == "not-flushed":
        return (
            "What is printed to a pipe stays in the buffer of stdio until that is full: call fflush(stdout) after each answer, or "
            "setvbuf(stdout, NULL, _IOLBF, 0) once; print(..., flush=True) in Python."
        )
    if kind == "status-zero":
        return "After an error the program must not end as after success: exit(EXIT_FAILURE), or return 1 from main()."
    return None


def _deadlock(kind: str, facts: Facts) -> str | None:
    if kind == "unreaped":
        return (
            "For each child that fork() makes, the parent calls wait() or waitpid() once; a loop while (wait(NULL) > 0) gets them all, "
            "however many there are."
        )
    if kind != "deadlock":
        return None
    if facts.get("mutual"):
        return "Both sides wait for the other one to write first: one of them has to begin, or to close its end when it has nothing more to say."
    if facts.get("own_copy"):
        return (
            "After fork() both processes have both ends. The one that reads must close its copy of the other end: as long as any copy is open, "
            "its own included, read() does not return 0."
        )
    if facts.get("held"):
        return (
            "Whoever reads until the end of file waits until every copy of the other end is closed: the parent has copies as well, and must "
            "close them after its last fork() and before it waits for its children; a writer that has finished can also call shutdown(fd, SHUT_WR)."
        )
    if facts.get("writing"):
        return "What one writes, somebody must read: a pair of sockets holds a few hundred kilobytes, then write() waits."
    return None


def _crash(kind: str, facts: Facts) -> str | None:
    if facts.get("signal") == "SIGABRT":
        return (
            "The program has ended itself by abort(3), and says on stderr why: an assertion, a heap that was written over (build with "
            "-fsanitize=address), an exception that nobody caught, or in Python a daemon thread that still read standard input at the end."
        )
    if facts.get("signal") not in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE"):
        return None
    arguments = facts.get("check") in ("bind/bad-arguments", "client/bad-arguments")
    often = (
        "argv[1] is used without a look at argc"
        if kind == "not-listening" or arguments
        else "a length is used without a look at it: buf[n] = 0 with n equal to the size of buf, or n == -1 after a failed read; or a pointer is NULL, "
        "because what was looked for is not there"
    )
    return f"The program crashed ({facts['signal']}). Often {often}. Building with -g -fsanitize=address,undefined names the line."


def _byte_order(kind: str, facts: Facts) -> str | None:
    if facts.get("by_path"):
        return None
    if kind == "listens-elsewhere" and facts.get("other_family"):
        return "The port is right, and the family is not: the socket is made with AF_INET where AF_INET6 is asked for, or the other way round."
    if kind == "listens-elsewhere" and facts.get("swapped"):
        return "The port in sockaddr_in is in network byte order: sin_port = htons(port), once."
    if kind == "started" and facts.get("elsewhere") and facts.get("check") == "bind/second-instance":
        return "bind() failed and its result was not looked at: listen() on an unbound socket picks a port of its own."
    if kind == "listens-elsewhere" and facts.get("cut"):
        return "The end of the port's text is missing: it was copied into an array that is too small (five digits and a NUL need char[6])."
    if kind == "listens-elsewhere":
        return (
            "Either the port is fixed in the code, or bind() failed and its result was not looked at: listen() on an unbound socket "
            "picks a port of its own."
        )
    return None


def _not_reached_by_signal(kind: str, facts: Facts) -> str | None:
    sent = facts.get("sent")
    if kind != "no-end" or not sent:
        return None
    if sent in _names(facts, "ignored"):
        return f"The program ignores {sent} (SIG_IGN)."
    if sent in _names(facts, "pending"):
        return (
            f"{sent} is blocked (sigprocmask), so nothing happens until a thread fetches it with sigwait() or from a signalfd: "
            "see above where the threads are instead."
        )
    return None


def _handler_to_no_avail(kind: str, facts: Facts) -> str | None:
    sent = facts.get("sent")
    if kind == "no-end" and sent and sent in _names(facts, "caught"):
        if facts.get("waits_for_child") and not facts.get("accepting"):
            return "The program waits for its child (wait()), and the child, which serves a client, has not been told to end: send each of them a SIGTERM first."
        if facts.get("listener_gone"):
            return (
                f"{sent} has been noticed: the program does not listen any more. What it waits for now, see above, has not been told to end: "
                "a client may keep its connection as long as it likes, so the server has to close it, and to wake the thread or task that serves it."
            )
        return (
            f"A handler for {sent} is installed and has run, but the program went back to waiting: with SA_RESTART (which signal() sets) accept() "
            "and read() are restarted after the handler, so nobody looks at its flag. Install it by sigaction() without SA_RESTART and look at the "
            "flag after EINTR, or wait in ppoll(), a signalfd or on a self-pipe. Python restarts the call as well (PEP 475), unless the handler raises an "
            "exception and nobody swallows it."
        )
    return None


def _still_accepting(kind: str, facts: Facts) -> str | None:
    return _handler_to_no_avail(kind, facts) if facts.get("accepting") else None


def _agreed_status(kind: str, facts: Facts) -> str | None:
    if kind != "status" or "agreed" not in facts:
        return None
    code, sent = facts.get("code"), facts.get("sent_number")
    if facts["agreed"] == "signal":
        return "The program handles the signal and ends by itself; asked is that it dies of the signal, as it does by default."
    if isinstance(code, int) and isinstance(sent, int) and code == 128 + sent:
        return f"128 + {sent} is how a shell reports a program that died of the signal; a program that has handled it ends with exit(0)."
    return None


def _interrupted(kind: str, facts: Facts) -> str | None:
    if kind == "status" and facts.get("code") and facts.get("sent_number") is not None:
        return (
            "The signal interrupted a call, which then failed with EINTR, and the program took that for an error; or it ends through "
            "exit() with another status than the agreed one."
        )
    return None


def _killed_by_stop_signal(kind: str, facts: Facts) -> str | None:
    if (
        kind == "status"
        and facts.get("signal") in ("SIGTERM", "SIGINT")
        and facts.get("check") == "signals/twice"
    ):
        return (
            f"The first {facts['signal']} is handled, and the handler, or what runs after it, puts the signal back to its default, so the second one ends the program: "
            "leave the handler in place until the end (no SA_RESETHAND, no SIG_DFL)."
        )
    if kind == "status" and facts.get("signal") in ("SIGTERM", "SIGINT"):
        return f"There is no handler for {facts['signal']}: its default ends the program on the spot, whatever it is doing."
    return None


def _refusal_length(kind: str, facts: Facts) -> str | None:
    if kind == "wrong-length" and facts.get("refusal"):
        return "The Content-Length of a refusal is the length of the text that explains it, in bytes: count exactly what is sent behind the blank line, or send nothing and say 0."
    return None


def _stops_at_nul(kind: str, facts: Facts) -> str | None:
    stops = facts.get("next") == b"\0" and facts.get(
        "received"
    )  # of an answer that never began it says nothing
    if stops or (kind == "wrong-bytes" and facts.get("expected_byte") == b"\0"):
        return 'The answer ends before a NUL byte: strlen(), strcpy() or printf("%s") was used on received bytes. Use the count that read() returned.'
    return None


def _stops_at_ff(kind: str, facts: Facts) -> str | None:
    if facts.get("next") == b"\xff" and facts.get("received"):
        return "The answer ends before a byte of value 255: the result of getc() is kept in a char, where that byte and EOF (-1) are the same. It has to be an int."
    return None


def _high_bytes(kind: str, facts: Facts) -> str | None:
    byte = facts.get("expected_byte")
    if kind == "wrong-bytes" and isinstance(byte, bytes) and byte and byte[0] >= 0x80:
        return "A byte above 127 was changed: char is signed, and toupper() and its kin want an unsigned char. Or the bytes were decoded as text."
    return None


def _stale(kind: str, facts: Facts) -> str | None:
    if kind == "wrong-bytes" and facts.get("extra") and facts.get("more_than_sent"):
        return "More bytes came back than were sent: the length of the buffer, or of an older message, is used instead of the count that read() returned."
    return None


def _wrong_source(kind: str, facts: Facts) -> str | None:
    if kind == "wrong-source" and facts.get("same_port"):
        return (
            "A socket that is bound to every address lets the kernel choose the address that its answers come from: learn by IP_PKTINFO (ip(7)) which "
            "one was asked, or make a socket for each address."
        )
    if kind == "wrong-source":
        return "The answer is sent from another socket than the one that received the question, so it has another port: send it with the same descriptor."
    return None


def _datagram_cut(kind: str, facts: Facts) -> str | None:
    if kind == "wrong-datagram" and facts.get("cut"):
        return "The datagram was cut: recvfrom() throws away what does not fit its buffer. Or its length was taken by strlen()."
    return None


def _not_flushed(kind: str, facts: Facts) -> str | None:
    if kind == "no-output" and facts.get("silent") and facts.get("alive") is False and facts.get("code") == 0:
        return "Perhaps the program has printed, and the text was still in the buffer of stdio when it ended: _exit() drops that (exit() does not). Flush after each line."
    if kind == "no-output" and facts.get("alive") and facts.get("silent"):
        return (
            "Perhaps the program has printed, and the text still waits in the buffer of stdio: standard output is a pipe here and no "
            "terminal, so it is written out only when the buffer is full or the program ends (setvbuf(3)). Flush after each line."
        )
    return None


def _close_wait(kind: str, facts: Facts) -> str | None:
    if kind == "not-closed" and facts.get("state") == "CLOSE_WAIT":
        return (
            "The program has seen the client's FIN (its socket is in CLOSE_WAIT) but never closes its descriptor; "
            "or it has, and another process still holds a copy: after fork() the parent must close the connected socket too."
        )
    return None


_Rule = Callable[[str, Facts], str | None]

_RULES: tuple[_Rule, ...] = (
    _sigpipe, _ended_before_listen, _limit, _mutex, _held_up, _spinning, _edge, _ended_first, _never_tried, _swapped, _client, _deadlock, _crash, _byte_order, _not_reached_by_signal, _still_accepting, _killed_by_stop_signal, _agreed_status,
    _refusal_length, _stops_at_nul, _stops_at_ff, _high_bytes, _stale, _wrong_source, _datagram_cut, _not_flushed, _close_wait,
)  # fmt: skip


#: Guesses as good as any where the check itself knows no usual mistake.
_LAST_RULES: tuple[_Rule, ...] = (_never_listened, _handler_to_no_avail, _interrupted)


def likely_cause(check: str, kind: str, facts: Facts, mistakes: Mistakes) -> str:
    """The best guess at why the check with the id *check* saw a violation of *kind* with *facts*.

    *mistakes* are the usual ones of the check, each with the symptoms that it explains; where nothing better is
    known and none of them fits, the answer is "".
    """
    known = {**facts, "check": check}
    symptom = symptom_of(kind, facts)
    if symptom is Symptom.BUSY and facts.get("traced"):
        return _first_of(
            _RULES, kind, known
        )  # what it calls was seen: a guess that does not follow from that is wrong
    fitting = (f"The usual mistake: {mistake}." for explained, mistake in mistakes if symptom in explained)
    return (
        _first_of(_RULES, kind, known)
        or next(fitting, "")
        or _first_of(_LAST_RULES, kind, known)
        or _ANYWHERE.get(symptom, "")
    )


def _first_of(rules: Iterable[_Rule], kind: str, facts: Facts) -> str:
    """What the first of *rules* says that has something to say."""
    return next((cause for rule in rules if (cause := rule(kind, facts))), "")


#: What there is to say wherever it is seen.
_ANYWHERE: Mapping[Symptom, str] = {
    Symptom.BUSY: UNSEEN,
    Symptom.RESET: "A connection ends by a reset if SO_LINGER is set with a timeout of zero, or if close() comes while received bytes are still unread.",
    Symptom.MUTE: "Say on stderr what failed, and why: perror(), or strerror(errno); only then exit.",
}
