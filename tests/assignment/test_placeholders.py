"""Placeholders in command lines and environment values."""

from __future__ import annotations

import pytest

from harness.assignment.placeholders import expand, expand_argv, expand_env, names_in, usable
from harness.assignment.role import Role
from harness.assignment.transport import Transport

VALUES = {"port": 4711, "host": "::1", "root": "/srv/with blank"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("{port}", "4711"),
        ("[{host}]:{port}", "[::1]:4711"),
        ("{{port}}", "{port}"),
        ("{{{port}}}", "{4711}"),
        ("awk '{print $1}'", "awk '{print $1}'"),
        ("{}", "{}"),
        ("{ port }", "{ port }"),
        ("plain", "plain"),
    ],
)
def test_expand(text: str, expanded: str) -> None:
    assert expand(text, VALUES) == expanded


def test_a_value_stays_one_word_and_is_not_expanded_again() -> None:
    assert expand_argv(["./s", "{root}"], VALUES) == ["./s", "/srv/with blank"]
    assert expand("{root}", {"root": "{port}", "port": 1}) == "{port}"


def test_environment_names_are_left_alone() -> None:
    assert expand_env({"{port}": "{port}"}, VALUES) == {"{port}": "4711"}


def test_one_without_value_is_named() -> None:
    with pytest.raises(KeyError, match="path"):
        expand("{path}", VALUES)


def test_names() -> None:
    assert names_in("{port} {{host}} {nonsense} {a b}") == ["port", "nonsense"]


def test_who_can_use_what() -> None:
    assert usable(Role.SERVER, Transport.TCP, ("root",)) == ("port", "host", "root")
    assert usable(Role.SERVER, Transport.UNIX_DGRAM) == ("path",)
    assert usable(Role.CLIENT, Transport.UDP) == ("peer_port", "peer_host")
    assert usable(Role.CLIENT, Transport.UNIX_STREAM) == ("path",)
    assert usable(Role.LOCAL, Transport.TCP) == ()
