"""A look in sentences, for a student in the second year."""

from __future__ import annotations

import signal
import socket
import time

from harness.observe.dispositions import is_pending, signal_sentence
from harness.observe.leftovers import unread_and_unaccepted
from harness.observe.locks import Locks
from harness.observe.phrases import Names, phrase
from harness.observe.procfs import status_field
from harness.observe.quiescence import Look, Oracle
from harness.observe.sock_diag import unmapped
from harness.observe.wait import Wait, WaitKind
from harness.observe.who import Who

#: More sentences than this help nobody.
MOST_SENTENCES = 12
_ASKED_TO_END = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def explain(look: Look, oracle: Oracle, *, sent: int | None = None) -> list[str]:
    """What each thread does, and what waits for the program; *sent*: a signal that should have ended it."""
    if look.stopped:
        return ["the program is stopped by a signal (SIGSTOP or Ctrl-Z)", *_about_signals(look, sent)]
    who = Who(look.waits)
    locks = Locks(look.waits, who)
    names = _names(oracle)
    circles = locks.cycles()
    told = frozenset[int]().union(*(circle.tids for circle in circles))
    sentences = list(map(str, circles))
    threads: dict[str, list[Wait]] = {}
    for wait in look.waits:
        if wait.internal or wait.tid in told or _ours_to_reap(wait, look, oracle):
            continue
        threads.setdefault(_doing(wait, locks, look, names), []).append(wait)
    for doing, waits in threads.items():
        sentences.append(f"{who.names(waits)} {_agree(doing, len(waits))}")
    sentences += unread_and_unaccepted(oracle)
    sentences += _about_signals(look, sent)
    if look.why and not look.waits:
        sentences.append(look.why)
    if len(sentences) > MOST_SENTENCES:
        rest = len(sentences) - MOST_SENTENCES + 1
        sentences[MOST_SENTENCES - 1 :] = [f"(and {rest} more such facts)"]
    return sentences


def _names(oracle: Oracle) -> Names:
    """What to call the other ends, by address: the names given to our TCP peers."""
    names = {}
    for peer in oracle.peers:
        if peer in oracle.names and peer.family in (socket.AF_INET, socket.AF_INET6) and peer.fileno() >= 0:
            host, port = peer.getsockname()[:2]
            names[unmapped(host), port] = oracle.names[peer]
    return names


def _doing(wait: Wait, locks: Locks, look: Look, names: Names) -> str:
    """The predicate of one thread; equal predicates are put into one sentence."""
    match wait.kind:
        case WaitKind.DEAD if wait.pid == wait.tid and not _has_live_thread(wait, look):
            return "is a zombie (it ended, nobody has called wait for it)"
        case WaitKind.DEAD:
            return "has ended, other threads go on"
        case WaitKind.STOPPED:
            return "is stopped by a signal"
    return (locks.phrase(wait) or phrase(wait, names)) + _until(wait, look)


def _until(wait: Wait, look: Look) -> str:
    if wait.kind is WaitKind.UNKNOWN and wait.note:
        return f" ({wait.note})"
    if wait.kind is not WaitKind.TIMED or wait.note:
        return ""
    if wait.due is not None:
        return f", for another {max(wait.due - max(look.ended, time.monotonic()), 0):.1f} s at most"
    return f", for at most {wait.period:g} s" if wait.period is not None else ""


def _agree(doing: str, number: int) -> str:
    """The predicate for a plural subject."""
    if number == 1:
        return doing
    for one, many in (
        ("is a zombie (it ended", "are zombies (they ended"),
        ("is ", "are "),
        ("has ", "have "),
    ):
        if doing.startswith(one):
            return (many + doing[len(one) :]).replace("called wait for it)", "called wait for them)")
    return doing.replace("waits ", "wait ", 1)


def _ours_to_reap(wait: Wait, look: Look, oracle: Oracle) -> bool:
    """A process that ended and whose parent is our own pid 1."""
    if wait.kind is not WaitKind.DEAD or _has_live_thread(wait, look):
        return False
    return status_field(wait.pid, "PPid") == str(oracle.watched.root)


def _has_live_thread(wait: Wait, look: Look) -> bool:
    return any(other.pid == wait.pid and other.kind is not WaitKind.DEAD for other in look.waits)


def _about_signals(look: Look, sent: int | None) -> list[str]:
    pids = sorted({wait.pid for wait in look.waits if wait.kind is not WaitKind.DEAD})
    if sent is not None:
        return [sentence for pid in pids[:1] if (sentence := signal_sentence(pid, sent))]
    return [
        signal_sentence(pid, number) for pid in pids for number in _ASKED_TO_END if is_pending(pid, number)
    ]
