"""The ``@check`` marker: what a test function in ``suites/`` requires, and of whom.

A check is one requirement of the catalogue with a public id ``family/slug``.  Its docstring is the
rule as the student reads it; everything else that is known about it stands in the marker.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pytest

from harness.assignment.profiles._base import Audience, ServerProfile
from harness.assignment.profiles._files import FileServerProfile
from harness.assignment.profiles.dialogue import Scripted
from harness.verdict.outcome import Level
from harness.verdict.symptom import Mistakes, Symptom

if TYPE_CHECKING:
    from harness.assignment.assignment import Assignment

MUST, SHOULD, ADVICE = Level.MUST, Level.SHOULD, Level.ADVICE

# To what a usual mistake belongs: see Symptom.
OWN, MISSING, CUT, WRONG = Symptom.OWN, Symptom.MISSING, Symptom.CUT, Symptom.WRONG
PRINTED, SENT, UNREACHED = Symptom.PRINTED, Symptom.SENT, Symptom.UNREACHED
DIED, LEFT, STATUS, RUNS_ON = Symptom.DIED, Symptom.LEFT, Symptom.STATUS, Symptom.RUNS_ON
MUTE, OPEN, RESET, BUSY = Symptom.MUTE, Symptom.OPEN, Symptom.RESET, Symptom.BUSY
REFUSED, UNSERVED, NOT_STARTED = Symptom.REFUSED, Symptom.UNSERVED, Symptom.NOT_STARTED
#: The answer does not come in full; or it does, but is wrong; the program ends.
LOST, SPOILT, ENDED = MISSING | CUT, MISSING | CUT | WRONG, DIED | LEFT

#: What nearly every check of a server builds on: the first client gets its answer.
ANSWERS = ("accept/first-client", "udp/first-datagram")

#: The same, and one client after another.
SERVES = ("accept/first-client", "accept/sequential")

#: Why a check does not apply to an assignment, or None if it does.
Condition = Callable[["Assignment"], str | None]

#: A level that a field of the contract decides; None when the contract does not ask.
ByContract = Callable[["Assignment"], Level | None]

_F = TypeVar("_F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: what the marker and the docstring say."""

    id: str
    level: Level | ByContract
    authority: tuple[str, ...]
    needs: tuple[str, ...]
    only: tuple[Condition, ...]
    mistakes: Mistakes
    rule: str

    @property
    def usual(self) -> str:
        """The usual mistakes in one sentence."""
        return "; ".join(dict.fromkeys(mistake for _, mistake in self.mistakes))

    @property
    def title(self) -> str:
        """First sentence of the rule."""
        return self.rule.split("\n\n")[0].replace("\n", " ")

    def level_for(self, assignment: Assignment) -> Level | None:
        """How much this binds under *assignment*; None when its contract does not ask for it."""
        return self.level if isinstance(self.level, Level) else self.level(assignment)

    def why_not(self, assignment: Assignment) -> str | None:
        """Why this check does not apply to *assignment*; None if it does."""
        for condition in self.only:
            if reason := condition(assignment):
                return reason
        if self.level_for(assignment) is None:
            field = getattr(self.level, "field", "")
            value = getattr(assignment.contract, field, "")
            return f"the contract does not ask for it (contract.{field} = {value!r})"
        return None


def check(
    id: str,
    level: Level | ByContract,
    *authority: str,
    needs: tuple[str, ...] | str = (),
    only: tuple[Condition, ...] | Condition = (),
    usual: str | Mapping[Symptom, str] = "",
) -> Callable[[_F], _F]:
    """Make a test function the check *id*.

    *authority* cites what the rule rests on (man page, RFC section, POSIX).  *needs* are ids this check
    builds on: if one of them failed too, this failure is reported as blocked by it.  *only* says to which
    assignments the check applies.  *usual* is the usual mistake, shown as the likely cause when nothing
    more telling is known.  It explains the finding that only this sort of check has; where a check is broken by
    what any check can see (no answer, wrong bytes, a dead program), say which: ``{MISSING | CUT: "..."}``.
    """
    needed = (needs,) if isinstance(needs, str) else needs
    conditions = only if isinstance(only, tuple) else (only,)
    mistakes = tuple(usual.items()) if isinstance(usual, Mapping) else ((OWN, usual),) if usual else ()

    def mark(function: _F) -> _F:
        rule = inspect.getdoc(function)
        if not rule:
            raise TypeError(
                f"{function.__module__}.{function.__name__}: a check needs a docstring, the rule as the student reads it"
            )
        marked: _F = pytest.mark.check(Check(id, level, authority, needed, conditions, mistakes, rule))(
            function
        )
        return marked

    return mark


def by_contract(field: str, **levels: Level) -> ByContract:
    """The level that the value of ``contract.FIELD`` decides; values not named are not asked for.

    ``by_contract("port_reuse", required=MUST, advised=ADVICE)``.  Underscores stand for hyphens.
    """
    table = {value.replace("_", "-"): level for value, level in levels.items()}

    def decide(assignment: Assignment) -> Level | None:
        value = getattr(assignment.contract, field)
        return table.get(str(value).lower())

    decide.field = field  # type: ignore[attr-defined]
    return decide


def by_protocol(assignment: Assignment) -> Level:
    """MUST where the protocol promises an answer to a client that has finished sending, else ADVICE."""
    return MUST if getattr(assignment.profile, "answers_after_fin", True) else ADVICE


def by_turns(assignment: Assignment) -> Level:
    """SHOULD where somebody waits for one answer before the next question, ADVICE where the server says it all at once."""
    return ADVICE if getattr(assignment.profile, "greeted", False) else SHOULD


def if_set(field: str, level: Level = MUST) -> ByContract:
    """*level* if the contract gives *field* a value other than 0, none or empty."""

    def decide(assignment: Assignment) -> Level | None:
        return level if getattr(assignment.contract, field) else None

    decide.field = field  # type: ignore[attr-defined]
    return decide


def transports(*names: str) -> Condition:
    """Only these transports."""

    def condition(assignment: Assignment) -> str | None:
        if assignment.transport in names:
            return None
        return f"this asks for transport {' or '.join(names)}, not {assignment.transport}"

    return condition


def server(assignment: Assignment) -> str | None:
    """Only programs that serve."""
    return (
        None
        if assignment.profile.role == "server"
        else f"this is for servers; {assignment.profile.name} is a {assignment.profile.role.noun}"
    )


def stream(assignment: Assignment) -> str | None:
    """Only servers of a connection-oriented byte stream."""
    if reason := server(assignment):
        return reason
    if assignment.transport in ("tcp", "tcp6", "tcp-dual", "unix-stream", "unix-seqpacket"):
        return None
    return f"this is for connections; {assignment.transport} has none"


def byte_stream(assignment: Assignment) -> str | None:
    """Only servers whose transport keeps no message boundaries."""
    if reason := stream(assignment):
        return reason
    return "unix-seqpacket keeps message boundaries" if assignment.transport == "unix-seqpacket" else None


def tcp(assignment: Assignment) -> str | None:
    """Only TCP servers."""
    return server(assignment) or transports("tcp", "tcp6", "tcp-dual")(assignment)


def inet(assignment: Assignment) -> str | None:
    """Only servers that are given a port."""
    return server(assignment) or transports("tcp", "tcp6", "tcp-dual", "udp", "udp6")(assignment)


def udp(assignment: Assignment) -> str | None:
    """Only UDP servers."""
    return server(assignment) or transports("udp", "udp6")(assignment)


def unix(assignment: Assignment) -> str | None:
    """Only servers with an address in the file system."""
    return server(assignment) or transports("unix-stream", "unix-seqpacket", "unix-dgram")(assignment)


def client(assignment: Assignment) -> str | None:
    """Only programs that talk to a server of ours."""
    if assignment.profile.role == "client":
        return None
    return f"this is for clients; {assignment.profile.name} is a {assignment.profile.role.noun}"


def stream_client(assignment: Assignment) -> str | None:
    """Only clients that make a connection."""
    datagrams = "there are only datagrams" if assignment.transport.is_datagram else None
    return client(assignment) or datagrams


def datagram_client(assignment: Assignment) -> str | None:
    """Only clients that send datagrams."""
    connections = None if assignment.transport.is_datagram else "the client talks over a connection"
    return client(assignment) or connections


def tries_once(assignment: Assignment) -> str | None:
    """Not clients that wait for a server that may come later."""
    if assignment.contract.retry and not assignment.transport.is_datagram:
        return "the client tries again for a while (contract.retry)"
    return None


def local(assignment: Assignment) -> str | None:
    """Only programs that talk to nobody outside themselves."""
    if assignment.profile.role == "local":
        return None
    return f"this is for programs that run to completion; {assignment.profile.name} is a {assignment.profile.role.noun}"


def resolver(assignment: Assignment) -> str | None:
    """Only programs that look up a host and print what they find."""
    if reason := local(assignment):
        return reason
    return (
        None
        if getattr(assignment.profile, "names_host", False)
        else f"{assignment.profile.name} is not given a host"
    )


def running(assignment: Assignment) -> str | None:
    """Only programs that run to completion by themselves, without anything to look up."""
    if reason := local(assignment):
        return reason
    return f"{assignment.profile.name} looks up a host" if resolver(assignment) is None else None


def told_a_host(assignment: Assignment) -> str | None:
    """Only clients, and programs that look up a host."""
    if client(assignment) is None or resolver(assignment) is None:
        return None
    return f"{assignment.profile.name} is not given a host"


def declared(assignment: Assignment) -> str | None:
    """Only dialogues that the assignment declares."""
    if isinstance(assignment.profile, Scripted):
        return None
    return f"the protocol of {assignment.profile.name} is not declared by steps (table [dialogue])"


def client_that(word: str, otherwise: str) -> Condition:
    """Only clients whose profile says *word* (see ``ClientProfile``); *otherwise* says what the others are."""

    def condition(assignment: Assignment) -> str | None:
        return client(assignment) or (None if getattr(assignment.profile, word) else otherwise)

    return condition


reads_input = client_that("reads_input", "the client is not driven by its standard input")
answered = client_that("answered", "the server answers nothing")
once = client_that("asks_once", "nothing in an answer says to which request it belongs")
half_closes = client_that(
    "half_closes", "the end of its input need not be passed on: the client ends with its dialogue"
)
by_lines = client_that("by_lines", "what it sends is not lines")
bulk = client_that("bulk", "the client sends little at a time")


def asking(assignment: Assignment) -> str | None:
    """Only servers that are asked something."""
    profile = assignment.profile
    if isinstance(profile, ServerProfile) and profile.speaks_first:
        return f"this is about what a client sends; {profile.name} speaks first and need not read"
    return None


def greeting(assignment: Assignment) -> str | None:
    """Only servers that speak first and read nothing."""
    profile = assignment.profile
    if isinstance(profile, ServerProfile) and profile.speaks_first:
        return None
    return f"this is for servers that speak first; {profile.name} waits for a request"


def answering(assignment: Assignment) -> str | None:
    """Only servers that write their answer to the client that asked."""
    profile = assignment.profile
    if isinstance(profile, ServerProfile) and profile.audience is not Audience.CLIENT:
        return f"this is about an answer to the client; {profile.name} {profile.audience.value}"
    if assignment.contract.output != "socket":
        return f"this is about an answer to the client; {profile.name} {Audience.READER.value}"
    return None


def writing(assignment: Assignment) -> str | None:
    """Only servers that write to their clients, in answer or on behalf of others."""
    return None if chatting(assignment) is None else answering(assignment)


def chatting(assignment: Assignment) -> str | None:
    """Only servers that pass on what one client says to the others."""
    profile = assignment.profile
    if isinstance(profile, ServerProfile) and profile.audience is Audience.OTHERS:
        return None
    return f"this is for servers that pass on lines from one client to the others; {profile.name} does not"


def when(field: str, *values: object) -> Condition:
    """Only contracts whose *field* has one of *values*."""

    def condition(assignment: Assignment) -> str | None:
        value = getattr(assignment.contract, field)
        if value in values:
            return None
        return (
            f"this is asked only if contract.{field} is {' or '.join(map(repr, values))}, and it is {value!r}"
        )

    return condition


def _profile(assignment: Assignment) -> ServerProfile | None:
    """The profile, if it is one of servers that talk over connections."""
    profile = assignment.profile
    return profile if isinstance(profile, ServerProfile) else None


def many_requests(assignment: Assignment) -> str | None:
    """Only protocols in which a client may ask again on the same connection."""
    profile = _profile(assignment)
    if profile is None or not profile.one_request:
        return None
    return "the server ends the connection with the answer to the first request"


def long_requests(assignment: Assignment) -> str | None:
    """Only protocols in which a request may be as long as one likes."""
    profile = _profile(assignment)
    if profile is None or profile.long_requests:
        return None
    return f"a request of {profile.name} is short; what is long is the answer"


def files(assignment: Assignment) -> str | None:
    """Only servers that hand out the files of a directory."""
    if isinstance(assignment.profile, FileServerProfile):
        return None
    return f"this is for servers of files; {assignment.profile.name} is none"


def scripts(assignment: Assignment) -> str | None:
    """Only servers that run executable files."""
    if "cgi_variables" in assignment.profile.options:
        return None
    return f"this is for servers that run scripts; {assignment.profile.name} runs none"


concurrent = when("concurrency", "concurrent")
lasting = when("lifetime", "forever")
abstract, named = when("abstract", True), when("abstract", False)
daemon, foreground = when("daemon", True), when("daemon", False)
