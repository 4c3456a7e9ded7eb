"""What a violation looks like from outside: what the usual mistakes of a check are sorted by.

One check can be broken in several ways: no answer, a wrong answer, a dead program.  A mistake that explains
one of them seldom explains another, so a suite says to which symptoms its usual mistakes belong.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag, auto

Facts = Mapping[str, object]


class Symptom(Flag):
    """How the rule of a check was seen to be broken."""

    #: The very thing the check looks for, by a kind of violation that no other sort of check has.
    OWN = auto()
    #: Something owed did not come, or not all of it, and nothing more will: the program lives and waits.
    MISSING = auto()
    #: The program ended the connection before it had answered in full.
    CUT = auto()
    #: What came is wrong.
    WRONG = auto()
    #: What the program printed is wrong, or it did not print what it should.
    PRINTED = auto()
    #: What a client program sent is wrong, or incomplete.
    SENT = auto()
    #: A client program did not come to its server.
    UNREACHED = auto()
    #: A signal, or an error of its own, ended the program.
    DIED = auto()
    #: The program ended of its own will, with status 0, where it should serve on.
    LEFT = auto()
    #: It ended, but with another wait status than the agreed one.
    STATUS = auto()
    #: It goes on running where it should end.
    RUNS_ON = auto()
    #: It ended with an error, and without a word.
    MUTE = auto()
    #: It keeps its side of a connection open.
    OPEN = auto()
    #: It ended a connection by a reset instead of a FIN.
    RESET = auto()
    #: It burns CPU time though there is nothing to do.
    BUSY = auto()
    #: A client was not let in.
    REFUSED = auto()
    #: After all the check has done, a new client is not served any more, though the program lives.
    UNSERVED = auto()
    #: It never came to serve the address that it was given.
    NOT_STARTED = auto()
    #: Nothing that a mistake in the matter of the check could explain (a limit was passed).
    FOREIGN = auto()


#: Usual mistakes, each with the symptoms that it explains.
Mistakes = tuple[tuple[Symptom, str], ...]

#: The kinds that more than one sort of check can see; any other one is `Symptom.OWN`.
_SHARED: Mapping[str, Symptom] = {
    "no-reply": Symptom.MISSING,
    "not-passed-on": Symptom.MISSING,
    "closed-early": Symptom.CUT,
    "reset": Symptom.CUT,
    "wrong-bytes": Symptom.WRONG,
    "wrong-datagram": Symptom.WRONG,
    "wrong-line": Symptom.WRONG,
    "no-http": Symptom.WRONG,
    "wrong-length": Symptom.WRONG,
    "wrong-status": Symptom.WRONG,
    "wrong-version": Symptom.WRONG,
    "no-output": Symptom.PRINTED,
    "wrong-output": Symptom.PRINTED,
    "misprint": Symptom.PRINTED,
    "missing-request": Symptom.SENT,
    "wrong-request": Symptom.SENT,
    "connections": Symptom.SENT,
    "not-reached": Symptom.UNREACHED,
    "died": Symptom.DIED,
    "status": Symptom.STATUS,
    "client-status": Symptom.STATUS,
    "status-zero": Symptom.STATUS,
    "no-end": Symptom.RUNS_ON,
    "client-no-end": Symptom.RUNS_ON,
    "deadlock": Symptom.FOREIGN,
    "silent": Symptom.MUTE,
    "not-closed": Symptom.OPEN,
    "reset-at-close": Symptom.RESET,
    "spinning": Symptom.BUSY,
    "refused": Symptom.REFUSED,
    "queue-full": Symptom.REFUSED,
    "not-listening": Symptom.NOT_STARTED,
    "listens-elsewhere": Symptom.NOT_STARTED,
    "not-passive": Symptom.OWN,
    "excess": Symptom.FOREIGN,
}

#: What a server that is no more cannot do: its end is what wants an explanation.
_OF_A_LIVING_SERVER = Symptom.MISSING | Symptom.CUT | Symptom.REFUSED | Symptom.OPEN | Symptom.DIED


def symptom_of(kind: str, facts: Facts) -> Symptom:
    """The symptom that a violation of *kind* with *facts* is."""
    symptom = _SHARED.get(kind, Symptom.OWN)
    if facts.get("spins"):
        return Symptom.BUSY
    if facts.get("alive") is False and symptom in _OF_A_LIVING_SERVER:
        return Symptom.LEFT if facts.get("code") == 0 else Symptom.DIED
    if facts.get("afterwards") and symptom in _OF_A_LIVING_SERVER:
        return Symptom.UNSERVED
    return symptom
