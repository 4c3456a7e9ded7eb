"""The oracles of programs that talk to nobody: what they take for right output."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from harness.assignment.contract import Contract
from harness.assignment.profiles import find_profile
from harness.assignment.profiles._local import LocalProfile
from harness.assignment.profiles.resolver import Resolver, addresses_in


def profile(name: str, **fields: object) -> LocalProfile:
    found = find_profile(name, Path())
    return cast(LocalProfile, found.under(Contract(**{**found.defaults, **fields})))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("address 192.0.2.1 port 80", ["192.0.2.1"]),
        ("192.0.2.1:80, 192.0.2.2:80.", ["192.0.2.1", "192.0.2.2"]),
        ("[2001:db8::1]:80", ["2001:db8::1"]),
        ("2001:0DB8:0:0:0:0:0:1%lo", ["2001:db8::1"]),
        ("at 12:30:59 in 3.11.2: nothing", []),
        ("('::1', 80, 0, 0)", ["::1"]),
        ("Address: ::1", ["::1"]),
        ("/127.0.0.1", ["127.0.0.1"]),
    ],
)
def test_addresses_are_found_however_they_are_written(text: str, found: list[str]) -> None:
    assert list(map(str, addresses_in(text))) == found


def test_lines_may_come_in_any_order_among_others() -> None:
    judged = profile("socketpair", lines=("Read 1000 bytes", "done"))
    assert not judged.misprint(b"", b"12:00:01 : done\nhello\n12:00:02 : Read 1000 bytes\n")
    assert "'Read 1000 bytes'" in judged.misprint(b"done\nRead 100 bytes\n", b"")
    assert not judged.misprint(b"done\r\n", b"Read 1000 bytes\r\n")


def test_a_line_that_is_asked_for_twice_must_come_twice() -> None:
    judged = profile("socketpair", lines=("pong", "pong"))
    assert judged.misprint(b"pong\n", b"")
    assert not judged.misprint(b"pong\npong\n", b"")


def test_a_text_is_matched_whole_but_for_the_last_line_end() -> None:
    judged = profile("socketpair", text="ping\npong", output="stdout")
    assert not judged.misprint(b"ping\npong\n", b"")
    assert judged.misprint(b"ping\npong\npong\n", b"")
    assert judged.misprint(b"", b"ping\npong\n")


def test_without_anything_in_the_contract_something_must_be_printed() -> None:
    assert profile("socketpair").misprint(b"\n", b"")
    assert not profile("socketpair").misprint(b"", b"x")


def test_a_resolver_prints_the_family_that_is_asked_for_and_may_print_the_other() -> None:
    judged = cast(Resolver, profile("resolver"))
    assert not judged.misresolved(["192.0.2.1", "::2"], 80, b"192.0.2.1:80\n", b"")
    assert not judged.misresolved(["192.0.2.1", "::2"], 80, b"::2 80\n192.0.2.1 80\n", b"")
    assert "192.0.2.1 is not" in judged.misresolved(["192.0.2.1", "::2"], None, b"::2\n", b"")
    assert "no address of this host" in judged.misresolved(
        ["192.0.2.1"], None, b"192.0.2.1\n192.0.2.3\n", b""
    )
    assert "port" in judged.misresolved(["192.0.2.1"], 80, b"192.0.2.1:8080\n", b"")
