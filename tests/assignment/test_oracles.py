"""The oracles of the echo-like profiles: what is right passes in any pieces, what is not never does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.assignment.contract import Contract
from harness.assignment.profiles import find_profile, profile_names
from harness.assignment.profiles._base import (
    CannotAsk,
    Conversation,
    DatagramProfile,
    Judgement,
    ServerProfile,
    Standing,
)
from harness.assignment.profiles._mirror import MirrorProfile

MB = 1024 * 1024


def mirror(name: str) -> MirrorProfile:
    profile = find_profile(name, Path())
    assert isinstance(profile, MirrorProfile)
    return profile


def udp_echo(max_datagram: int = 65507) -> DatagramProfile:
    profile = find_profile("udp-echo", Path())
    assert isinstance(profile, DatagramProfile)
    return profile.under(Contract(max_datagram=max_datagram))


MIRRORS = [mirror(name) for name in ("echo", "upper", "message-echo", "stop-fd-server")]
BY_LINES = [profile for profile in MIRRORS if profile.by_lines]
mirrors = st.sampled_from(MIRRORS)
#: Few byte values, so that line ends and repetitions are common.
data = st.one_of(
    st.binary(max_size=60), st.lists(st.sampled_from([b"a", b"b", b"\n", b"\xff"])).map(b"".join)
)


def verdict(judgement: Judgement) -> tuple[Standing, int | None]:
    return judgement.standing, judgement.offset


@st.composite
def pieces(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    edges = [0, *cuts, len(whole)]
    return [whole[start:stop] for start, stop in pairwise(edges)]


def test_profiles_are_found_by_their_place() -> None:
    names = profile_names()
    assert {"echo", "upper", "message-echo", "stop-fd-server", "udp-echo"} <= set(names)
    for name in names:
        profile = find_profile(name, Path())
        assert profile.name == name
        assert profile.summary and not profile.summary.endswith(".")
        assert profile.transports


# Requests


@pytest.mark.parametrize("profile", MIRRORS, ids=lambda profile: profile.name)
@pytest.mark.parametrize("size", [None, 1, 2, 3, 4096, 65535, 65536, 65537, 8 * MB])
def test_a_request_has_its_size_and_is_whole_lines(profile: MirrorProfile, size: int | None) -> None:
    request = profile.request(7, size)
    assert len(request) == (32 if size is None else size)
    assert request.endswith(b"\n")
    assert all(line.isascii() and line.decode().isprintable() for line in request[:100_000].splitlines())
    assert max(map(len, request.splitlines(keepends=True))) <= 65535


@pytest.mark.parametrize("profile", MIRRORS, ids=lambda profile: profile.name)
def test_requests_tell_their_tokens_apart(profile: MirrorProfile) -> None:
    requests = [profile.request(token) for token in range(300)]
    assert len({profile.translate(request) for request in requests}) == 300
    assert all(request.startswith(b"%d " % token) for token, request in enumerate(requests))
    assert profile.request(5) == profile.request(5)


def test_no_two_places_are_alike() -> None:
    request = mirror("upper").translate(mirror("upper").request(1, 256 * 1024))
    windows = {request[start : start + 12] for start in range(len(request) - 12)}
    assert len(windows) == len(request) - 12


def test_a_request_without_any_byte_cannot_be_asked() -> None:
    with pytest.raises(CannotAsk, match="at least one byte"):
        mirror("echo").request(size=0)


@pytest.mark.parametrize("profile", MIRRORS, ids=lambda profile: profile.name)
def test_all_byte_values_are_carried(profile: MirrorProfile) -> None:
    everything = bytes(range(256))
    request = profile.carry(everything)
    assert request.startswith(everything)
    reply = profile.translate(request)
    assert profile.judge(request, reply, eof_sent=False).standing is Standing.SETTLED
    assert profile.judge(request, b"", eof_sent=False).standing is Standing.OWING


def test_upper_changes_ascii_letters_only() -> None:
    everything = bytes(range(256))
    expected = bytes(byte - 32 if 0x61 <= byte <= 0x7A else byte for byte in everything)
    assert mirror("upper").translate(everything) == expected


# Judging


@given(mirrors, data, st.booleans(), st.data())
def test_what_was_sent_may_come_back_in_any_pieces(
    profile: MirrorProfile, sent: bytes, eof: bool, draws: st.DataObject
) -> None:
    reply = profile.translate(sent)
    arrived = draws.draw(st.integers(0, len(reply)))
    judgement = profile.judge(sent, reply[:arrived], eof_sent=eof)
    due = len(sent) if eof or not profile.by_lines else sent.rfind(b"\n") + 1
    assert judgement.standing is (Standing.SETTLED if arrived >= due else Standing.OWING)
    assert judgement.expected == reply[:due]

    conversation = profile.conversation()
    for piece in draws.draw(pieces(sent)):
        conversation.sent(piece)
    if eof:
        conversation.finish()
    for piece in draws.draw(pieces(reply[:arrived])):
        conversation.received(piece)
    again = conversation.received()
    assert verdict(again) == verdict(judgement)
    assert again.expected == judgement.expected


@given(mirrors, data, data, st.booleans(), st.data())
def test_any_answer_is_judged_the_same_in_any_pieces(
    profile: MirrorProfile, sent: bytes, received: bytes, eof: bool, draws: st.DataObject
) -> None:
    judgement = profile.judge(sent, received, eof_sent=eof)
    conversation = profile.conversation()
    conversation.sent(sent)
    if eof:
        conversation.finish()
    for piece in draws.draw(pieces(received)):
        conversation.received(piece)
    assert verdict(conversation.received()) == verdict(judgement)
    right = profile.translate(sent).startswith(received)
    assert (judgement.standing is not Standing.WRONG) == right


@given(mirrors, data, data, st.data())
def test_asking_and_answering_may_alternate(
    profile: MirrorProfile, first: bytes, second: bytes, draws: st.DataObject
) -> None:
    conversation = profile.conversation()
    conversation.sent(first)
    early = draws.draw(st.integers(0, len(first)))
    conversation.received(profile.translate(first)[:early])
    conversation.sent(second)
    conversation.finish()
    judgement = conversation.received(profile.translate(first)[early:] + profile.translate(second))
    assert judgement.standing is Standing.SETTLED


def requests_of(profile: MirrorProfile) -> st.SearchStrategy[bytes]:
    return st.builds(profile.request, st.integers(0, 99), st.integers(4, 400))


@given(mirrors, st.data())
def test_a_flipped_byte_is_wrong_at_its_place(profile: MirrorProfile, draws: st.DataObject) -> None:
    sent = draws.draw(requests_of(profile))
    reply = bytearray(profile.translate(sent))
    place = draws.draw(st.integers(0, len(reply) - 1))
    reply[place] ^= draws.draw(st.integers(1, 255))
    assert verdict(profile.judge(sent, bytes(reply), eof_sent=False)) == (Standing.WRONG, place)


@given(mirrors, st.data())
def test_a_missing_byte_never_settles(profile: MirrorProfile, draws: st.DataObject) -> None:
    sent = draws.draw(requests_of(profile))
    reply = profile.translate(sent)
    place = draws.draw(st.integers(0, len(reply) - 1))
    judgement = profile.judge(sent, reply[:place] + reply[place + 1 :], eof_sent=False)
    assert judgement.standing in (Standing.OWING, Standing.WRONG)
    if place == len(reply) - 1:
        assert judgement.standing is Standing.OWING


@given(mirrors, st.data(), st.integers(0, 255))
def test_an_extra_byte_is_wrong(profile: MirrorProfile, draws: st.DataObject, extra: int) -> None:
    sent = draws.draw(requests_of(profile))
    reply = profile.translate(sent)
    place = draws.draw(st.integers(0, len(reply)))
    judgement = profile.judge(sent, reply[:place] + bytes([extra]) + reply[place:], eof_sent=False)
    assert judgement.standing is Standing.WRONG
    assert judgement.offset is not None and judgement.offset >= place


@given(mirrors, st.data())
def test_swapped_or_repeated_blocks_are_wrong(profile: MirrorProfile, draws: st.DataObject) -> None:
    sent = profile.request(3, 400)
    reply = profile.translate(sent)
    first, second = sorted(draws.draw(st.lists(st.integers(0, 24), min_size=2, max_size=2, unique=True)))
    blocks = [reply[start : start + 16] for start in range(0, 400, 16)]
    swapped = list(blocks)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert profile.judge(sent, b"".join(swapped), eof_sent=True).standing is Standing.WRONG
    repeated = [*blocks[: first + 1], *blocks[first:]]
    assert profile.judge(sent, b"".join(repeated), eof_sent=True).standing is Standing.WRONG


def test_nothing_is_owed_and_nothing_may_come_before_the_first_byte() -> None:
    for profile in MIRRORS:
        assert profile.judge(b"", b"", eof_sent=False).standing is Standing.SETTLED
        assert profile.judge(b"", b"hello", eof_sent=True).standing is Standing.WRONG


@pytest.mark.parametrize("profile", BY_LINES, ids=lambda profile: profile.name)
def test_half_a_line_is_owed_only_after_eof(profile: MirrorProfile) -> None:
    sent = b"first\nsec"
    reply = profile.translate(sent)
    assert profile.judge(sent, reply[:6], eof_sent=False).standing is Standing.SETTLED
    assert profile.judge(sent, reply, eof_sent=False).standing is Standing.SETTLED
    assert profile.judge(sent, reply[:6], eof_sent=True).standing is Standing.OWING
    assert profile.judge(sent, reply, eof_sent=True).standing is Standing.SETTLED


def test_message_echo_owes_every_byte_at_once() -> None:
    assert mirror("message-echo").judge(b"sec", b"se", eof_sent=False).standing is Standing.OWING


@pytest.mark.parametrize("profile", BY_LINES, ids=lambda profile: profile.name)
def test_with_framing_by_lines_half_a_line_must_not_come_back(profile: MirrorProfile) -> None:
    framed = profile.under(Contract(framing="line"))
    reply = profile.translate(b"first\nsec")
    early = framed.judge(b"first\nsec", reply, eof_sent=False)
    assert verdict(early) == (Standing.WRONG, 6)
    assert "before its line was complete" in early.why
    assert framed.judge(b"first\nsec", reply, eof_sent=True).standing is Standing.SETTLED


def test_wrong_stays_wrong() -> None:
    conversation = mirror("echo").conversation()
    conversation.sent(b"abc\n")
    assert verdict(conversation.received(b"x")) == (Standing.WRONG, 0)
    assert verdict(conversation.received(b"abc\n")) == (Standing.WRONG, 0)


@pytest.mark.parametrize("profile", MIRRORS, ids=lambda profile: profile.name)
def test_eight_megabytes_in_pieces(profile: MirrorProfile) -> None:
    sent = profile.request(1, 8 * MB)
    reply = profile.translate(sent)
    conversation = profile.conversation()
    chunk = 64 * 1024
    for start in range(0, len(sent), chunk):
        conversation.sent(sent[start : start + chunk])
        conversation.received(reply[start : start + chunk // 2])
        judgement = conversation.received(reply[start + chunk // 2 : start + chunk])
        assert judgement.standing is Standing.SETTLED
    assert judgement.expected == reply


def test_a_wrong_byte_deep_in_a_large_reply_is_found() -> None:
    profile = mirror("echo")
    sent = profile.request(1, 8 * MB)
    reply = bytearray(sent)
    reply[5_000_000] ^= 1
    assert profile.judge(sent, bytes(reply), eof_sent=True).offset == 5_000_000


def test_an_expected_reply_does_not_change_with_what_is_sent_later() -> None:
    conversation = mirror("echo").conversation()
    conversation.sent(b"one\n")
    judgement = conversation.received()
    conversation.sent(b"two\n")
    assert judgement.expected == b"one\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda reply: reply[:100] + reply[150:], "50 bytes are lost or late"),
        (lambda reply: reply[:100] + reply[50:], "from offset 50 on came once more"),
        (lambda reply: reply + reply, "from offset 0 on came once more"),
        (lambda reply: reply + b"\0", "after everything that was owed"),
        (lambda reply: reply[:9] + b"\0" * 20, "at offset 9"),
    ],
)
def test_a_wrong_reply_is_told_in_words(change, words: str) -> None:  # type: ignore[no-untyped-def]
    profile = mirror("echo")
    sent = profile.request(1, 200)
    assert words in profile.judge(sent, change(sent), eof_sent=True).why


# Halves, closing


@given(st.sampled_from(BY_LINES), st.integers(2, 3000))
def test_halves_owe_nothing_before_the_second(profile: MirrorProfile, size: int) -> None:
    request = profile.request(2, size)
    first, second = profile.halves(request)
    assert first and second and first + second == request
    assert profile.judge(first, b"", eof_sent=False).standing is Standing.SETTLED
    assert profile.judge(request, b"", eof_sent=False).standing is Standing.OWING


def test_halves_that_do_not_exist() -> None:
    with pytest.raises(CannotAsk, match="at once"):
        mirror("message-echo").halves(b"hello\n")
    with pytest.raises(CannotAsk, match="one byte"):
        mirror("echo").halves(b"\n")
    with pytest.raises(CannotAsk):
        mirror("message-echo").carry(b"")


@pytest.mark.parametrize("profile", MIRRORS, ids=lambda profile: profile.name)
def test_the_server_closes_after_the_client(profile: MirrorProfile) -> None:
    assert profile.closes_after == "client"
    assert profile.must_close(b"x\n", eof_sent=True)
    assert not profile.must_close(b"x\n", eof_sent=False)
    assert profile.prompt


# Datagrams


@given(st.binary(max_size=200))
def test_udp_echo_owes_the_same_datagram(datagram: bytes) -> None:
    assert udp_echo().replies(udp_echo().carry(datagram)) == [datagram]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 511, 1472, 65507])
def test_udp_echo_sizes(size: int) -> None:
    assert len(udp_echo().request(1, size)) == size


def test_udp_echo_keeps_to_the_contract() -> None:
    small = udp_echo(max_datagram=100)
    assert len(small.request(1, 100)) == 100
    for ask in (lambda: small.request(1, 101), lambda: small.carry(bytes(101)), lambda: small.request(1, -1)):
        with pytest.raises(CannotAsk, match="from 0 to 100 bytes"):
            ask()
    assert len({udp_echo().request(token) for token in range(300)}) == 300


# A profile that judges everything anew


class Greeter(ServerProfile):
    """Sends one text and closes; nothing incremental about it."""

    name = "small"

    def request(self, token: int = 0, size: int | None = None) -> bytes:
        return b""

    def carry(self, data: bytes) -> bytes:
        raise CannotAsk("a greeter ignores what it is sent")

    def halves(self, request: bytes) -> tuple[bytes, bytes]:
        raise CannotAsk("a greeter ignores what it is sent")

    def judge(self, sent: bytes, received: bytes, *, eof_sent: bool) -> Judgement:
        text = b"hello\n"
        if not text.startswith(received):
            return Judgement(Standing.WRONG, text, 0, "not the text")
        return Judgement(Standing.SETTLED if received == text else Standing.OWING, text)


def test_a_small_profile_needs_no_conversation_of_its_own() -> None:
    greeter = Greeter().under(replace(Contract(), closes="server"))
    conversation: Conversation = greeter.conversation()
    assert greeter.closes_after == "server"
    assert conversation.received(b"hel").standing is Standing.OWING
    conversation.sent(b"ignored")
    conversation.finish()
    assert conversation.received(b"lo\n").standing is Standing.SETTLED
    assert conversation.received(b"x").standing is Standing.WRONG
