"""chat: what one member says goes to all the others, line by line."""

import re
from contextlib import nullcontext

import pytest

from harness.checks import (
    ADVICE,
    BUSY,
    DIED,
    ENDED,
    LOST,
    MISSING,
    MUST,
    OWN,
    SHOULD,
    SPOILT,
    UNSERVED,
    WRONG,
    by_contract,
    chatting,
    check,
    if_set,
)

#: More than the buffers of a connection hold, so that a program that waits for one reader stops.
MORE_THAN_FITS = 6 << 20
OVERLONG = 1 << 20
LINES = "chat/broadcast-to-others"
ONE_READ = "one read() is taken for one line: it is sent on as it came"


@check(
    "chat/broadcast-to-others",
    MUST,
    "send(2)",
    only=chatting,
    needs="accept/first-client",
    usual={
        MISSING: "the loop over the members leaves somebody out, or ends at the first member it cannot write to"
    },
)
def test_broadcast_to_others(server, contract):
    """What a member says comes to every other member, once and unchanged."""
    members = [server.client() for _ in range(contract.clients)]
    for member in (*members, *members):
        member.exchange()


@pytest.mark.parametrize("line", ["blanks_in_front", "blanks_behind", "empty"])
@check(
    "chat/verbatim",
    by_contract("verbatim", required=MUST, advised=ADVICE),
    "send(2)",
    only=chatting,
    needs=(LINES, "chat/two-lines-one-segment"),
    usual={
        WRONG | MISSING: "strip(), trim() or strtok() on what was received takes away more than the line end"
    },
)
def test_verbatim(server, line):
    """A line is passed on as it was typed: blanks at its ends belong to it, and an empty line is a line."""
    speaker, other = server.client(), server.client()
    speaker.exchange()
    getattr(speaker, f"say_{line}")(heard_by=other)


@check(
    "chat/no-self-echo",
    by_contract("self_echo", forbidden=MUST),
    "send(2)",
    only=chatting,
    needs=LINES,
    usual="the loop over the members does not leave out the one who has spoken",
)
def test_no_self_echo(server):
    """What a member says does not come back to that member."""
    members = []
    for _ in range(3):
        members.append(server.client())
        for member in members:
            member.exchange()
            member.expect_no_echo()


@check(
    "chat/self-echo",
    by_contract("self_echo", required=MUST),
    "send(2)",
    only=chatting,
    needs=LINES,
    usual="the loop over the members leaves out the one who has spoken",
)
def test_self_echo(server):
    """What a member says comes back to that member as well, once."""
    members = []
    for _ in range(3):
        members.append(server.client())
        for member in members:
            member.exchange()
            member.expect_echo()


def announced(assignment):
    """The level of chat/join-leave: asked if the contract says how the lines look."""
    return if_set("join")(assignment) or if_set("leave")(assignment)


announced.field = "join"


@pytest.mark.parametrize("end", ["leave", "abort"], ids=["fin", "rst"])
@check(
    "chat/join-leave",
    announced,
    "accept(2)",
    "recv(2)",
    only=chatting,
    needs=LINES,
    usual="the line is sent to the one who has come instead of the others, or twice, or only when a member leaves by FIN",
)
def test_join_leave(server, end):
    """The other members are told once when somebody joins, and once when somebody leaves."""
    witness = server.client()
    server.admit()
    with witness.expecting_announcement("join"):
        newcomer = server.client()
        server.admit()
    newcomer.exchange()
    with witness.expecting_announcement("leave"):
        getattr(newcomer, end)()


@check(
    "chat/partial-line",
    MUST,
    "read(2)",
    "RFC 9293 section 3.1",
    only=chatting,
    needs=LINES,
    usual={OWN | WRONG | MISSING: ONE_READ},
)
def test_partial_line(server):
    """Half a line is kept until the rest of it has come."""
    member = server.client()
    member.send_part()
    member.expect_silence()
    member.send_rest()
    member.expect_reply()


@check(
    "chat/two-lines-one-segment",
    MUST,
    "read(2)",
    "RFC 9293 section 3.1",
    only=chatting,
    needs=LINES,
    usual={
        WRONG | MISSING: "after one read() only the first line is handled, or what follows it is thrown away"
    },
)
def test_two_lines_one_segment(server):
    """Lines that arrive together are passed on as lines of their own, and a half one behind them is kept."""
    member, other = server.client(), server.client()
    other.exchange()
    with server.paused():
        member.ask()
        member.ask()
        member.send_part()
    server.settle()
    member.send_rest()
    member.expect_reply()


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
@check(
    "chat/utf-8",
    SHOULD,
    "utf-8(7)",
    "RFC 3629 section 3",
    only=chatting,
    needs=(LINES, "chat/partial-line"),
    usual={
        WRONG
        | MISSING
        | ENDED: "each piece that recv() returns is decoded by itself: half a letter at its end is replaced, or raises an exception; or isprint() is asked, which knows ASCII only"
    },
)
def test_utf_8(server, cut):
    """A line may be in any language: a letter of several bytes is passed on whole, also if it arrives in two pieces."""
    speaker, other = server.client(), server.client()
    speaker.exchange()
    speaker.say_foreign(heard_by=other, cut=cut)


@check(
    "chat/interleaved-halves",
    MUST,
    "read(2)",
    only=chatting,
    needs=("chat/partial-line", LINES),
    usual={WRONG | MISSING: "one buffer is used for the unfinished lines of all members"},
)
def test_interleaved_halves(server):
    """Halves of lines that arrive in turns from several members are put together rightly."""
    members = [server.client() for _ in range(3)]
    for member in members:
        member.send_part()
        server.settle()
    for member in members:
        member.send_rest()
    for member in members:
        member.expect_reply()


@check(
    "chat/lazy-member",
    MUST,
    "send(2)",
    "fcntl(2) O_NONBLOCK",
    only=chatting,
    needs=(LINES, "chat/long-line", "chat/two-lines-one-segment"),
    usual={
        MISSING
        | UNSERVED: "a blocking send() to a member that does not read stops the one who speaks, or the whole program"
    },
)
def test_lazy_member(server):
    """A member that never reads does not keep the others from talking."""
    server.lazy_member()
    speaker, other = server.client(), server.client()
    speaker.talk(MORE_THAN_FITS)
    other.exchange()
    server.still_serves()


@check(
    "chat/lazy-member-catches-up",
    MUST,
    "send(2)",
    "poll(2) POLLOUT",
    only=chatting,
    needs="chat/lazy-member",
    usual={
        MISSING
        | WRONG: "what send() did not take (it returned less, or EAGAIN) is thrown away instead of kept until there is room"
    },
)
def test_lazy_member_catches_up(server):
    """A member that reads late gets every line after all, whole and in order, or else its connection is closed."""
    lazy, speaker = server.lazy_member(), server.client()
    speaker.talk(MORE_THAN_FITS)
    lazy.catch_up()


@pytest.mark.parametrize("moment", ["idle", "mid_line", "unnoticed"])
@check(
    "chat/member-reset",
    MUST,
    "recv(2) ECONNRESET",
    "send(2) EPIPE",
    only=chatting,
    needs=LINES,
    usual={
        MISSING
        | ENDED
        | UNSERVED: "ECONNRESET ends the program, or the loop over the members; or SIGPIPE does"
    },
)
def test_member_reset(server, moment):
    """When a member resets its connection, the others go on talking."""
    leavers = [server.client() for _ in range(8 if moment == "unnoticed" else 1)]
    speaker, other = server.client(), server.client()
    leavers[0].exchange()
    if moment == "mid_line":
        leavers[0].send_part()
        server.settle()
    with server.paused() if moment == "unnoticed" else nullcontext():
        if moment == "unnoticed":  # twice: the first send() reports the RST, only the next one raises SIGPIPE
            speaker.ask()
            other.ask()
        for leaver in leavers:
            leaver.abort()
    server.settle()
    speaker.exchange()
    other.exchange()
    server.still_serves()


@check(
    "chat/member-half-closed",
    MUST,
    "shutdown(2)",
    "poll(2)",
    only=chatting,
    needs=LINES,
    usual={
        LOST: "the line that came with the end of file is lost",
        BUSY: "the end of file is reported again and again",
    },
)
def test_member_half_closed(server):
    """A member that has finished sending is heard to its last line, and does not disturb the others."""
    with server.paused():
        leaver = server.client()
        leaver.ask()
        leaver.finish_sending()
    leaver.expect_reply()
    speaker, other = server.client(), server.client()
    speaker.exchange()
    other.exchange()
    server.still_serves()


@check(
    "chat/long-line",
    MUST,
    "read(2)",
    "CWE-120",
    only=chatting,
    needs=LINES,
    usual={
        SPOILT
        | DIED: "a line longer than the buffer is cut, passed on in pieces as if it were several, or written past the end of the buffer"
    },
)
def test_long_line(server, contract):
    """A line of the agreed length is passed on in one piece, and a far longer one does no harm."""
    member = server.client()
    for size in (contract.longest_line // 2, contract.longest_line, 20):
        member.exchange(size=size)
    flooder = server.client()
    flooder.send_garbage(b"x" * OVERLONG + b"\n")
    server.settle(step=flooder.peer.push, progress=lambda: flooder.peer.moved)
    flooder.vanish()
    server.still_serves()


def with_ids(assignment):
    """Only contracts that say where in a line the id of its speaker stands."""
    if re.compile(assignment.contract.prefix).groups:
        return None
    return (
        "the contract does not say where a member's id stands (contract.prefix has no group in parentheses)"
    )


@check(
    "chat/ids-unique",
    MUST,
    "accept(2)",
    only=(chatting, with_ids),
    needs=LINES,
    usual="the number of members is used as the next id, or a global id is changed by every new member",
)
def test_ids_unique(server, contract):
    """Each member has one id as long as it stays, and no two have the same."""
    members = [server.client() for _ in range(contract.clients)]
    for member in members:
        member.exchange()
    members.pop(0).leave()
    members.append(server.client())
    for member in reversed(members):
        member.exchange()
    server.room.expect_unique_ids()


@check(
    "chat/churn",
    SHOULD,
    "accept(2)",
    "close(2)",
    only=chatting,
    needs=LINES,
    usual={
        WRONG
        | MISSING
        | ENDED
        | UNSERVED: "an entry is taken out of the table of members while the loop runs over it, or keeps the half line of its predecessor"
    },
)
def test_churn(server, stage):
    """While members come, begin a line, and go, those who stay get every line."""
    members = [server.client() for _ in range(4)]
    for _ in range(40):
        speaker, member, *_ = stage.random.sample(members, len(members))
        way = stage.random.choice(("exchange", "leave", "send_part_and_vanish", "abort_unnoticed"))
        getattr(member, way)(*([speaker] if way == "abort_unnoticed" else []))
        if member.closed:
            members[members.index(member)] = newcomer = server.client()
            newcomer.exchange()
    for member in members:
        member.exchange()
