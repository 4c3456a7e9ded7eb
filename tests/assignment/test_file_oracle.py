"""The oracle of the servers of files: what is right passes in any pieces, what is not never does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.assignment.contract import Contract
from harness.assignment.profiles import find_profile
from harness.assignment.profiles._base import CannotAsk, Judgement, Standing
from harness.assignment.profiles._files import Bare, FileServerProfile
from harness.assignment.profiles._reply import Reply

MB = 1 << 20
OK = b"HTTP/1.1 200 OK\r\n"


def server(**contract: object) -> FileServerProfile:
    profile = find_profile("http-file", Path())
    assert isinstance(profile, FileServerProfile)
    defaults = {**profile.defaults, **contract}
    return profile.under(Contract(**defaults)).furnished(Bare())  # type: ignore[arg-type]


def judged(profile: FileServerProfile, sent: bytes, *pieces: bytes) -> Judgement:
    conversation = profile.conversation()
    conversation.sent(sent)
    judgement = conversation.received()
    for piece in pieces:
        judgement = conversation.received(piece)
    return judgement


def content_of(profile: FileServerProfile, request: bytes) -> bytes:
    content = profile.owed(request)
    assert content is not None
    return content


#: What a right program may say before the file; {} is its size.
HEADS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
    b"HTTP/1.0 200 Fine\r\nDate: today\r\nServer: mine\r\ncontent-length:%d\r\nContent-Type: text/plain\r\n\r\n",
    b"HTTP/1.1 200 \r\nConnection: close\r\nContent-Length:   %d\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
]


@given(st.sampled_from(HEADS), st.sampled_from([0, 1, 64, 5000]), st.data())
def test_right_answers_pass_in_any_pieces(head: bytes, size: int, data: st.DataObject) -> None:
    profile = server()
    request = profile.request(7, size)
    reply = head % size + content_of(profile, request)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(reply)), max_size=5)))
    pieces = [reply[a:b] for a, b in pairwise([0, *cuts, len(reply)])]
    assert judged(profile, request, *pieces).standing is Standing.SETTLED
    assert judged(profile, request, reply[:-1]).standing is Standing.OWING
    assert judged(profile, request, reply + b"x").standing is Standing.WRONG
    assert judged(profile, request, reply + b"\r\n").standing is Standing.SETTLED, "http/get-exact says that"


def test_a_body_may_come_in_chunks() -> None:
    profile = server()
    request = profile.request(7, 16)
    content = content_of(profile, request)
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    assert judged(profile, request, head + b"a\r\n" + content[:10]).standing is Standing.OWING
    whole = head + b"a\r\n" + content[:10] + b"\r\n6\r\n" + content[10:] + b"\r\n0\r\n\r\n"
    assert judged(profile, request, whole).standing is Standing.SETTLED
    assert judged(profile, request, whole.replace(content[:4], b"zzzz")).standing is Standing.WRONG


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found"),
        (b"hello\r\n\r\n", "no HTTP reply"),
        (OK + b"Content-Length: many\r\n\r\n", "no HTTP reply"),
        (OK + b"\r\n" + b"z" * 64, "in the body"),
    ],
)
def test_wrong_answers_say_why(reply: bytes, why: str) -> None:
    profile = server()
    judgement = judged(profile, profile.request(7), reply)
    assert judgement.standing is Standing.WRONG and why in judgement.why


def test_the_place_of_a_wrong_byte_counts_the_head() -> None:
    profile = server()
    request = profile.request(7, 100)
    content = content_of(profile, request)
    head = OK + b"Content-Length: 100\r\n\r\n"
    judgement = judged(profile, request, head, content[:50] + b"\0" + content[51:])
    assert (judgement.standing, judgement.offset) == (Standing.WRONG, len(head) + 50)
    assert judgement.expected == head + content


def test_half_a_request_is_owed_nothing() -> None:
    profile = server()
    first, second = profile.halves(profile.request(7))
    assert first + second == profile.request(7)
    assert judged(profile, first).standing is Standing.SETTLED
    assert judged(profile, first, OK).standing is Standing.WRONG
    assert judged(profile, first, b"HTTP/1.1 503 Service").standing is Standing.OWING, (
        "turned away is no answer"
    )


def test_files_differ_by_token_and_size() -> None:
    profile = server()
    assert len({content_of(profile, profile.request(token)) for token in range(200)}) == 200
    assert len(content_of(profile, profile.request(3, 8 * MB))) == 8 * MB
    assert profile.request(3, 0) != profile.request(3)


def test_any_bytes_are_brought() -> None:
    profile = server()
    everything = bytes(range(256))
    request = profile.carry(everything)
    assert content_of(profile, request) == everything and b"User-Agent" not in request
    assert b"User-Agent: %n%s" in profile.carry(b"%n%s")


def test_one_connection_one_request_unless_kept() -> None:
    reply = b"Content-Length: %d\r\n\r\n"
    for profile, second in (
        (server(), Standing.WRONG),
        (server(keep_alive=True, closes="client"), Standing.SETTLED),
    ):
        requests = [profile.request(token) for token in (1, 2)]
        answers = [OK + reply % 64 + content_of(profile, request) for request in requests]
        assert (b"Connection: close" in requests[0]) is profile.one_request
        assert judged(profile, b"".join(requests), *answers).standing is second


def test_the_target_is_as_the_contract_says() -> None:
    assert server().request(1).startswith(b"GET /1-64.txt HTTP/1.1\r\n")
    assert server(target="bare").request(1).startswith(b"GET 1-64.txt HTTP/1.1\r\n")


def test_what_has_no_header_lines_cannot_be_halved() -> None:
    with pytest.raises(CannotAsk):
        server().halves(b"GET /\r\n\r\n")


def test_a_reply_without_anything_is_no_end() -> None:
    reply = Reply()
    assert reply.feed(b"") == b"" and reply.error is None and not reply.complete_head
