"""Why a program spins: what the calls that it makes over and over say.

A *loop* is the list of calls of one turn, each as a name and an outcome: ``("accept", "EMFILE")``,
``("read", "0")``, ``("poll", "1")``; empty if the program makes no system call at all.
"""

from __future__ import annotations

from collections.abc import Sequence

Loop = Sequence[tuple[str, str]]

_WAITS = frozenset({"poll", "select", "epoll_wait"})
_READS = frozenset({"read", "recv", "recvfrom", "recvmsg", "readv"})
_WRITES = frozenset({"write", "send", "sendto", "sendmsg", "writev", "sendfile"})
_AGAIN = frozenset({"EAGAIN", "EWOULDBLOCK"})
#: Sorts of calls whose failure, if nobody looks at it, makes a loop go round.
_LOOKED_AT = frozenset({"wait", "read", "accept", "write"})


def why_it_spins(loop: Loop) -> str:
    """The cause, as telling as *loop* allows; "" if it says nothing about the usual ones."""
    outcomes = {(_sort(name), outcome) for name, outcome in loop}
    if not loop:
        return "The loop makes no system call at all: it waits for a variable to change, or never comes to its end."
    if outcomes & {("accept", "EMFILE"), ("accept", "ENFILE")}:
        return (
            "accept() fails because no descriptor is free, the client stays in the queue, and so the listening socket is ready again at once: "
            "the loop goes round without pause. Stop watching it until a client has left, or keep one descriptor in reserve (open /dev/null; "
            "close it, accept, close, open it again)."
        )
    if any(outcome == "EBADF" for _, outcome in outcomes):
        return (
            "What is not an open descriptor is used as one again and again, and the error (EBADF) is not looked at. Either it is closed already: take it out of "
            "the set, or out of the table, when it is closed. Or it is the -1 of an accept() or socket() that has failed: look at that result first."
        )
    if ("read", "0") in outcomes:
        return (
            "read() returns 0 each time: that is the end of file, and it stays there. Close the descriptor, or take it out of what poll() watches, "
            "when read() returns 0."
        )
    waits = [(name, outcome) for name, outcome in loop if _sort(name) == "wait"]
    if waits and all(outcome == "0" for _, outcome in waits):
        return (
            f"{waits[0][0]}() is told not to wait (a timeout of 0), so the loop goes round without pause: a timeout of -1 "
            "(NULL for select) waits until something happens."
        )
    refused = [what for what, outcome in outcomes if outcome in _AGAIN]
    if refused and not any(what == "wait" for what, _ in outcomes):
        return (
            "The loop tries again after EAGAIN at once. On a non-blocking descriptor that says 'nothing now': wait in poll() or epoll_wait() until it "
            "is ready, for POLLOUT if something is left to be written."
        )
    if "write" in refused:
        return (
            "The client does not read, so there is no room (EAGAIN); and what poll() reports is that it has sent more. While something is left to be "
            "written to a client, ask for POLLOUT in place of POLLIN."
        )
    if "read" in refused:
        return (
            "poll() reports the descriptor, but not because there is something to read (EAGAIN): POLLOUT is asked for with nothing to write, or an event "
            "that nobody looks at (POLLHUP, POLLERR, POLLPRI)."
        )
    failing = ((n, o) for n, o in loop if _sort(n) in _LOOKED_AT and o.startswith("E"))
    if failed := next(failing, None):
        name, outcome = failed
        return f"{name}() fails with {outcome} each time, and the loop goes on as if nothing had happened."
    if all(what == "wait" for what, _ in outcomes):
        return (
            f"{loop[0][0]}() reports a descriptor each time, and nothing is done about it: an event that nobody looks at (POLLHUP, POLLERR, POLLPRI), a "
            "descriptor left in the set after its end of file, or POLLOUT asked for with nothing to write."
        )
    return ""


#: If it could not be seen what the program calls.
UNSEEN = (
    "A call that ought to wait returns at once, each time: read() keeps returning 0 at the end of file, or poll() keeps reporting a "
    "descriptor with which nothing is done (left in its set after the end of file, or asked for POLLOUT with nothing to write)."
)


def _sort(name: str) -> str:
    if name in _WAITS:
        return "wait"
    if name in _READS:
        return "read"
    return "write" if name in _WRITES else name
