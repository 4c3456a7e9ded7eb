"""The oracles of clients: what they hear, and what they take for printed."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.assignment.contract import Contract
from harness.assignment.profiles import find_profile
from harness.assignment.profiles._base import CannotAsk
from harness.assignment.profiles._client import ClientProfile, Hearing, Turn

CLIENTS = ("int32", "line-client", "pipe-client", "fetch", "udp-int32", "udp-fetch")


def profile(name: str, **fields: object) -> ClientProfile:
    found = find_profile(name, Path())
    assert isinstance(found, ClientProfile)
    return found.under(Contract(**{**found.defaults, **fields}))  # type: ignore[arg-type]


def heard(turns: list[Turn], chunks: list[bytes]) -> Hearing:
    hearing = Hearing()
    for turn in turns:
        hearing.expect(turn)
    for chunk in chunks:
        hearing.heard(chunk)
    return hearing


@given(st.data())
def test_what_is_owed_is_heard_however_it_is_cut(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["int32", "line-client", "pipe-client"]))
    turns = profile(name).telling(4000)
    wire = b"".join(t.asked + data.draw(st.sampled_from([b"", *t.endings])) for t in turns)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=8)))
    edges = [0, *cuts, len(wire)]
    hearing = heard(turns, [wire[a:b] for a, b in itertools.pairwise(edges)])
    assert hearing.complete and not hearing.wrong and hearing.came == len(wire)


@given(st.data())
def test_one_wrong_byte_is_found_where_it_is(data: st.DataObject) -> None:
    turns = profile("int32").telling(4000)
    wire = bytearray(b"".join(t.asked for t in turns))
    place = data.draw(st.integers(0, len(wire) - 1))
    wire[place] ^= 0x55
    hearing = heard(turns, [bytes(wire)])
    assert hearing.wrong and hearing.offset == place and not hearing.complete


def test_more_than_is_owed_is_wrong() -> None:
    turns = profile("line-client").telling(4000)
    wire = b"".join(t.asked + b"\n" for t in turns)
    assert heard(turns, [wire, b"\n"]).wrong
    assert heard(turns, [wire, b"\0"]).wrong
    strict = profile("line-client", framing="line").telling(4000)
    assert not heard(strict, [wire]).wrong
    assert not heard(strict, [wire[:-1]]).complete


def test_a_request_counts_as_soon_as_its_last_byte_has_come() -> None:
    turns = profile("line-client").telling(4000)
    hearing = heard(turns, [])
    assert hearing.heard(turns[0].asked) == [turns[0]]
    assert hearing.heard(b"\r\n" + turns[1].asked[:3]) == []
    assert hearing.missing == len(turns) - 1


@pytest.mark.parametrize("name", CLIENTS)
def test_what_a_right_client_prints(name: str) -> None:
    asked = profile(name)
    replies = [turn.reply for turn in asked.telling(4000)]
    if name.endswith("int32"):
        output = b"".join(b"%d\n" % int.from_bytes(r, "little", signed=True) for r in replies)
        assert asked.misprint(replies, output.replace(b"\n", b" ")) == ""
        assert asked.misprint(replies, output.replace(b"-", b"")) != ""
        assert asked.misprint(replies, output + b"0\n") != ""
    else:
        output = b"".join(replies)
    assert asked.misprint(replies, output) == ""
    assert asked.misprint(replies, output[: len(output) // 2]) != ""
    assert asked.misprint(replies, b"") != ""


def test_prompts_and_captions_are_the_clients_own() -> None:
    asked = profile("line-client")
    replies = [turn.reply for turn in asked.telling(4000)]
    captioned = b"".join(b'> You: x\nServer : "' + reply.rstrip() + b'"\n' for reply in replies)
    assert asked.misprint(replies, b"welcome\n" + captioned + b"bye\n") == ""
    stale = b"".join(b"Server : " + reply.rstrip() + replies[0][20:40] + b"\n" for reply in replies)
    assert "once more" in asked.misprint(replies, stale)
    swapped = [replies[1], replies[0], *replies[2:]]
    assert asked.misprint(replies, b"".join(swapped)) != ""


def test_a_line_end_more_is_text_and_not_exact() -> None:
    text, exact = profile("fetch"), profile("pipe-client")
    assert text.misprint([b"up 3 days\n"], b"up 3 days\n\n") == ""
    assert exact.misprint([b"up 3 days\n"], b"up 3 days\n\n") != ""


def test_nothing_is_made_up_of_short_answers() -> None:
    asked = profile("udp-int32")
    reply = (7).to_bytes(4, "little")
    assert asked.made_up([reply], [b"\x01"], b"7\n") == ""
    assert asked.made_up([reply], [b"\x01"], b"7\n257\n") != ""
    assert asked.made_up([reply], [(9).to_bytes(4, "little") * 9], b"7\n9\n") == ""
    text = profile("udp-fetch")
    assert text.made_up([], [b"!"], b"!") == ""
    assert text.made_up([], [b"!"], b"!?") != ""
    assert text.made_up([], [b"line\n" * 1000], b"line\nline\nli") == ""


@pytest.mark.parametrize(
    ("came", "swapped"),
    [(b"\x01\x02\x03\x04", True), (b"\x04\x03\x02\x02", False), (b"\x01", False), (b"\0\0\0\0", False)],
)
def test_an_integer_that_came_the_other_way_round_is_known(came: bytes, swapped: bool) -> None:
    hearing = heard([Turn(b"16909060\n", b"\x04\x03\x02\x01", b"")], [came])
    assert hearing.wrong and hearing.swapped is swapped


def test_an_empty_line_is_asked_for_only_of_who_sends_line_ends() -> None:
    strips, sends = profile("line-client"), profile("line-client", framing="line")
    with pytest.raises(CannotAsk):
        strips.odd_line(4000, "empty", b"")
    assert strips.odd_line(4000, "empty", b"\r\n").asked == b"\r\n"
    assert sends.odd_line(4000, "empty", b"").asked == b"\n"


@pytest.mark.parametrize("framing", ["none", "line", "crlf"])
def test_odd_lines_are_owed_as_they_were_typed(framing: str) -> None:
    usual = profile("line-client", framing=framing)
    end = {"none": b"", "line": b"\n", "crlf": b"\r\n"}[framing]
    blanks, last = (usual.odd_line(4000, which, b"\n") for which in ("blanks", "without-end"))
    assert blanks.typed.startswith(b"  ") and blanks.asked == blanks.typed[:-1] + end
    assert last.asked == last.typed and b"\n" not in last.typed and last.reply.endswith(b"\n")
    assert usual.empty_answer(4000).reply == (b"\r\n" if framing == "crlf" else b"\n")
