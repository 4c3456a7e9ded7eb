"""The likely cause of a violation: from its kind and facts, or else the usual mistake of the check.

Each rule is a small function; the first that has something to say wins, so the telling ones
come first.  A cause is a guess and is worded as advice, never as a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Facts = Mapping[str, object]


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
    if kind == "not-listening" and facts.get("alive") is False and facts.get("signal") is None:
        return "The program ended before it listened; what it wrote on stderr, if anything, says why."
    if kind == "excess":
        return "We ended the program, since it used more than the assignment's limits allow (table [limits])."
    if kind == "no-restart" and facts.get("reuses"):
        return "The first instance had set SO_REUSEADDR; so another process of it, a child perhaps, still holds the port."
    return None


def _limit(kind: str, facts: Facts) -> str | None:
    if facts.get("signal") == "SIGXCPU":
        return "The program used up the CPU time that the assignment allows (limits.cpu_seconds): somewhere a loop does not wait."
    return None


def _spinning(kind: str, facts: Facts) -> str | None:
    if kind == "spinning":
        return (
            "A call that ought to wait returns at once, each time: read() keeps returning 0 at the end of file, or poll() keeps reporting a "
            "descriptor with which nothing is done (left in its set after the end of file, or asked for POLLOUT with nothing to write)."
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
    if facts.get("signal") in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE"):
        return (
            f"The program crashed ({facts['signal']}). Often argv[1] is used without a look at argc, or a length without a look at it: buf[n] = 0 with n equal to the size of buf, "
            "or n == -1 after a failed read. Building with -fsanitize=address,undefined names the line."
        )
    return None


def _byte_order(kind: str, facts: Facts) -> str | None:
    if kind == "listens-elsewhere" and facts.get("swapped"):
        return "The port in sockaddr_in is in network byte order: sin_port = htons(port), once."
    if kind == "listens-elsewhere":
        return (
            "Either the port is fixed in the code, or bind() failed and its result was not looked at: listen() on an unbound socket "
            "picks a port of its own."
        )
    return None


def _signals(kind: str, facts: Facts) -> str | None:
    if kind != "no-end":
        return None
    if sent := facts.get("sent"):
        if sent in _names(facts, "ignored"):
            return f"The program ignores {sent} (SIG_IGN)."
        if sent in _names(facts, "blocked"):
            return (
                f"{sent} is blocked (sigprocmask), so nothing happens until a thread fetches it with sigwait() or from a signalfd: "
                "see above where the threads are instead."
            )
        if sent in _names(facts, "caught"):
            return (
                f"A handler for {sent} is installed and has run, but the program went back to waiting: with SA_RESTART (which signal() sets) accept() "
                "and read() are restarted after the handler, so nobody looks at its flag. Install it by sigaction() without SA_RESTART and look at the "
                "flag after EINTR, or wait in ppoll(), a signalfd or on a self-pipe."
            )
    return None


def _wrong_status(kind: str, facts: Facts) -> str | None:
    if kind != "status" or "agreed" not in facts:
        return None
    if facts["agreed"] == "signal":
        return "The program handles the signal and ends by itself; asked is that it dies of the signal, as it does by default."
    if facts.get("code"):
        return (
            "The signal interrupted a call, which then failed with EINTR, and the program took that for an error; or it ends through "
            "exit() with another status than the agreed one."
        )
    return None


def _killed_by_stop_signal(kind: str, facts: Facts) -> str | None:
    if kind == "status" and facts.get("signal") in ("SIGTERM", "SIGINT"):
        return f"There is no handler for {facts['signal']}: its default ends the program on the spot, whatever it is doing."
    return None


def _stops_at_nul(kind: str, facts: Facts) -> str | None:
    stops = facts.get("next") == b"\0" and facts.get(
        "received"
    )  # of an answer that never began it says nothing
    if stops or (kind == "wrong-bytes" and facts.get("expected_byte") == b"\0"):
        return 'The answer ends before a NUL byte: strlen(), strcpy() or printf("%s") was used on received bytes. Use the count that read() returned.'
    return None


def _high_bytes(kind: str, facts: Facts) -> str | None:
    byte = facts.get("expected_byte")
    if kind == "wrong-bytes" and isinstance(byte, bytes) and byte and byte[0] >= 0x80:
        return "A byte above 127 was changed: char is signed, and toupper() and its kin want an unsigned char. Or the bytes were decoded as text."
    return None


def _stale(kind: str, facts: Facts) -> str | None:
    if kind == "wrong-bytes" and facts.get("extra"):
        return "More bytes came back than were sent: the length of the buffer, or of an older message, is used instead of the count that read() returned."
    return None


def _datagram_cut(kind: str, facts: Facts) -> str | None:
    if kind == "wrong-datagram" and facts.get("cut"):
        return "The datagram was cut: recvfrom() throws away what does not fit its buffer. Or its length was taken by strlen()."
    return None


def _not_flushed(kind: str, facts: Facts) -> str | None:
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


_RULES: tuple[Callable[[str, Facts], str | None], ...] = (
    _sigpipe, _limit, _spinning, _ended_first, _never_tried, _swapped, _client, _deadlock, _crash, _byte_order, _signals, _killed_by_stop_signal, _wrong_status, _stops_at_nul, _high_bytes, _stale, _datagram_cut, _not_flushed, _close_wait,
)  # fmt: skip


#: What a program can be seen to do in any check, and the families whose checks are about just that. Elsewhere the
#: usual mistake of the check is no explanation for it, and silence is better than a wrong guess.
_MATTER_OF: Mapping[str, tuple[str, ...]] = {
    "excess": ("resources",),
    "listens-elsewhere": ("bind", "ipv6"),
    "no-end": ("signals", "unix", "resources", "udp", "bind", "half-close"),
    "not-listening": ("bind", "listen", "ipv6", "unix"),
    "refused": ("listen", "accept", "bind", "ipv6", "reset"),
    "slow-start": ("bind",),
}


#: Checks that look at many things at once, and the kinds of violations that their usual mistake explains.
_USUAL_EXPLAINS: Mapping[str, tuple[str, ...]] = {
    "client/connects": ("not-reached",),
    "client/dialogue": ("wrong-request", "misprint"),
    "client/reply-coalesced": ("misprint", "client-no-end", "missing-request"),
    "client/half-close-at-eof": ("no-fin", "missing-request", "reset-at-close", "client-no-end"),
    "udp-client/dialogue": ("wrong-request", "misprint"),
    "udp-client/first-datagram": ("not-reached",),
}


def likely_cause(check: str, kind: str, facts: Facts, usual: str) -> str:
    """The best guess at why the check with the id *check* saw a violation of *kind* with *facts*.

    *usual* is the check's own usual mistake; where nothing better is known and it does not fit the kind, the answer is "".
    """
    for rule in _RULES:
        if cause := rule(kind, facts):
            return cause
    fits = check.split("/")[0] in _MATTER_OF.get(kind, (check.split("/")[0],))
    fits = fits and kind in _USUAL_EXPLAINS.get(check, (kind,))
    return f"The usual mistake: {usual}." if usual and fits else ""
