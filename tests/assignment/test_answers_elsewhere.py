"""The oracles of profiles whose answer is printed, said first, or passed on to others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from harness.assignment.contract import Contract
from harness.assignment.manifest import from_options
from harness.assignment.problem import AssignmentError
from harness.assignment.profiles import find_profile
from harness.assignment.profiles._base import (
    Audience,
    CannotAsk,
    Conversation,
    DatagramProfile,
    Profile,
    ServerProfile,
    Standing,
)
from harness.assignment.profiles.chat import Chat

SETTLED, OWING, WRONG = Standing.SETTLED, Standing.OWING, Standing.WRONG


def profile(name: str, **contract: object) -> Profile:
    return find_profile(name, Path()).under(Contract(**contract))  # type: ignore[arg-type]


def printing(name: str, sent: bytes, *, finish: bool = True, **contract: object) -> Conversation:
    found = profile(name, output="stdout", **contract)
    conversation = cast("ServerProfile | DatagramProfile", found).printing()
    conversation.sent(sent)
    if finish:
        conversation.finish()
    return conversation


def judged(conversation: Conversation, printed: bytes, *, pieces: int = 1, ended: bool = True) -> Standing:
    size = max(1, -(-len(printed) // pieces))
    for at in range(0, len(printed), size):
        conversation.received(printed[at : at + size])
    if ended:
        conversation.ended()
    return conversation.received().standing


@pytest.mark.parametrize("pieces", [1, 3, 100])
@pytest.mark.parametrize(
    ("printed", "standing"),
    [
        (b"Read 71 bytes\n", SETTLED),
        (b"waiting\n09:22:54 : Read 71 bytes\r\nfinished\n", SETTLED),
        (b"bytes:71", SETTLED),
        (b"71.\n", SETTLED),
        (b"", OWING),
        (b"Read 710 bytes\nRead 171 bytes\n", OWING),
        (b"12:71:09 from 127.0.0.71:7171\n", OWING),
        (b"Read 70 bytes\n", OWING),
    ],
)
def test_sink_counts(printed: bytes, standing: Standing, pieces: int) -> None:
    assert judged(printing("sink", b"x" * 71), printed, pieces=pieces) is standing


def test_sink_owes_nothing_before_the_end_of_its_client() -> None:
    assert judged(printing("sink", b"x" * 71, finish=False), b"Read 71 bytes\n") is SETTLED
    unfinished = printing("sink", b"x" * 71)
    assert judged(unfinished, b"Read 71", ended=False) is OWING  # more digits may follow
    assert judged(unfinished, b"0 bytes\n") is OWING


@pytest.mark.parametrize("pieces", [1, 2, 7, 100])
@pytest.mark.parametrize(
    ("printed", "standing"),
    [
        (b"HELLO, W\xf6RLD 1\n", SETTLED),
        (b"listening\nHELLO, W\xf6RLD 1\nclosed\n", SETTLED),
        (b"HELLO, W\xf6RLD 1\n\n", SETTLED),
        (b"", OWING),
        (b"HELLO, W\xf6", OWING),
        (b"hello, w\xf6rld 1\n", OWING),
        (b"> HELLO, W\xf6RLD 1\n", OWING),
        (b"HELLO, W\xd6RLD 1\n", OWING),
        (b"HELLO, W\xf6RLD 1\nHELLO, W\xf6RLD 1\n", WRONG),
        (b"HELLO, W\xf6RLD 1\n\0\0\0", WRONG),
    ],
)
def test_sink_upper_copies(printed: bytes, standing: Standing, pieces: int) -> None:
    assert judged(printing("sink-upper", b"Hello, w\xf6rld 1\n"), printed, pieces=pieces) is standing


@pytest.mark.parametrize(
    ("printed", "standing"),
    [
        (b"a text of some length\n", SETTLED),
        (b"12:00:01 : a text of some length\nand another\n", SETTLED),
        (b"a text of some length\0\n", SETTLED),
        (b"a text of some length", SETTLED),
        (b"", OWING),
        (b"a text of some lengthwise\n", OWING),
        (b"a text of so\nme length\n", OWING),
        (b"\0\0a text of some length\n", OWING),
        (b"a text of some length\na text of some length\n", WRONG),
    ],
)
def test_udp_print_prints_lines(printed: bytes, standing: Standing) -> None:
    assert judged(printing("udp-print", b"a text of some length"), printed) is standing


def test_udp_print_by_the_prefix_of_the_contract() -> None:
    conversation = printing("udp-print", b"a text of some length", prefix=r"\d+: ")
    assert judged(conversation, b"a text of some length\n") is OWING
    assert judged(conversation, b"17: a text of some length\n") is SETTLED


@pytest.mark.parametrize(
    ("pattern", "said", "standing"),
    [
        ("", b"Hello\n", SETTLED),
        ("", b"", OWING),
        ("", b" \n", OWING),
        ("up .* days", b"up 3 days", SETTLED),
        ("up .* days", b"up 3 days\r\n", SETTLED),
        ("up .* days\n", b"up 3 days", SETTLED),
        ("up .* days", b"up 3 days\nup 4", OWING),
    ],
)
def test_greeter_says_its_text(pattern: str, said: bytes, standing: Standing) -> None:
    greeter = cast(ServerProfile, profile("greeter", text=pattern, closes="server"))
    assert greeter.judge(b"", said, eof_sent=False).standing is standing


def test_greeter_is_asked_nothing() -> None:
    greeter = cast(ServerProfile, profile("greeter"))
    assert greeter.request(7) == b""
    asked: list[Callable[[], object]] = [
        lambda: greeter.request(7, 10),
        lambda: greeter.carry(b"x"),
        lambda: greeter.halves(b""),
    ]
    for ask in asked:
        with pytest.raises(CannotAsk):
            ask()


def test_udp_greeter_answers_one_for_one() -> None:
    greeter = cast(DatagramProfile, profile("udp-greeter", text="up .*"))
    owed = greeter.replies(b"?") + greeter.replies(b"")
    assert greeter.unmatched(owed, [b"up 1\n", b"up 2"]) == ([], [])
    assert greeter.unmatched(owed, [b"up 1\n"]) == ([b""], [])
    assert greeter.unmatched(owed, [b"up 1", b"up 2", b"up 3"]) == ([], [b"up 3"])
    assert greeter.unmatched(owed, [b"up 1", b"down"]) == ([b""], [b"down"])


@pytest.mark.parametrize("framing", ["line", "crlf"])
@pytest.mark.parametrize("size", [None, 10, 64, 4000, 4001, 65_537])
def test_requests_of_a_chat_are_lines_that_fit(framing: str, size: int | None) -> None:
    chat = cast(Chat, profile("chat", framing=framing))
    request = chat.request(1234, size)
    assert len(request) == (size or 32) and request.endswith(chat.line_end)
    assert max(map(len, request.split(chat.line_end))) <= 4000
    assert request.count(b"\n") == request.count(chat.line_end)
    first, second = chat.halves(request)
    assert first + second == request and b"\n" not in first and first


def test_lines_of_a_chat() -> None:
    anything = cast(Chat, profile("chat"))
    assert anything.audience is Audience.OTHERS
    assert anything.passes_on(b"[12:00] \x1b[1mAnna\x1b[0m: hello", b"hello")
    assert not anything.passes_on(b"hello you", b"hello")
    assert not anything.passes_on(b"\0hello", b"hello")
    strict = cast(Chat, profile("chat", prefix=r"client (\d+): ", join=r"(\d+) has come"))
    assert strict.passes_on(b"client 12: hello", b"hello") and not strict.passes_on(b"hello", b"hello")
    assert strict.speaker(b"client 12: hello", b"hello") == "12"
    assert strict.announces(b"7 has come", "join") and not strict.announces(b"7 has come", "leave")


def test_who_ends_by_contract_is_not_asked_for_signals() -> None:
    assert from_options(profile="sink").contract.stop == {}
    assert from_options(profile="sink", sets=["contract.lifetime=forever"]).contract.stop != {}
    assert from_options(profile="udp-print").contract.terminator == "LastHello"
    lasting = from_options(profile="udp-print", sets=["contract.lifetime=forever"]).contract
    assert lasting.terminator == "" and lasting.stop != {}


def test_output_that_a_profile_cannot_judge() -> None:
    with pytest.raises(AssignmentError, match="either"):
        from_options(profile="sink", sets=["contract.output=socket"])
