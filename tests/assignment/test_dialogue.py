"""Dialogues that an assignment declares: how they are read, and how what comes is judged against them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from harness.assignment.dialogue import Act
from harness.assignment.manifest import from_options, load
from harness.assignment.problem import AssignmentError, Problem
from harness.assignment.profiles._base import CannotAsk, Standing
from harness.assignment.profiles.dialogue import DialogueClient, DialogueServer
from harness.assignment.role import Role
from harness.stage.steps import merged

HEAD = '[assignment]\nprofile = "dialogue"\n\n[dialogue]\n'


def server(steps: str, more: str = "") -> DialogueServer:
    assignment = from_options(profile="dialogue", sets=[f"dialogue.steps={steps}", *filter(None, [more])])
    return cast(DialogueServer, assignment.profile)


def problems(path: Path, text: str) -> list[Problem]:
    path.write_text(text)
    with pytest.raises(AssignmentError) as caught:
        load(path)
    return caught.value.problems


def standing(profile: DialogueServer, sent: bytes, received: bytes, eof_sent: bool = False) -> Standing:
    return profile.judge(sent, received, eof_sent=eof_sent).standing


def test_every_mistake_is_told_with_its_line_and_the_nearest_word(tmp_path: Path) -> None:
    found = problems(
        tmp_path / "a.toml",
        HEAD
        + 'steps = [\n    { sent = "a" },\n    { expect_regex = "(" },\n    { send = "a", expect = "b" },\n'
        + '    { end = "finsh" },\n    "send",\n    { send_hex = "0g" },\n]\n',
    )
    assert [problem.where.line for problem in found] == [6, 7, 8, 9, 10, 11]
    assert [problem.nearest for problem in found] == ["send", None, None, "finish", None, None]
    assert "step 3" in found[2].found


def test_steps_may_be_an_array_of_tables(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(HEAD + '[[dialogue.steps]]\nsend = "a"\n[[dialogue.steps]]\nexpect = "b"\n')
    assert [step.act for step in load(path).dialogue.steps] == [Act.SEND, Act.EXPECT]
    (problem,) = problems(path, HEAD + '[[dialogue.steps]]\nsend = "a"\n[[dialogue.steps]]\nexpects = "b"\n')
    assert (problem.where.line, problem.nearest) == (8, "expect")


def test_a_dialogue_needs_steps_and_steps_need_a_dialogue(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "a.toml", HEAD)
    assert "without steps" in problem.found
    (problem,) = problems(
        tmp_path / "a.toml", HEAD.replace('"dialogue"', '"echo"') + 'steps = [{ send = "a" }]\n'
    )
    assert problem.where.line == 5 and "echo" in problem.found


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ('{ type = "a" }', 6),
        ('{ expect_end = true },\n{ send = "a" }', 7),
        ('{ end = "finish" },\n{ expect = "a" },\n{ send = "a" }', 8),
    ],
)
def test_steps_that_cannot_be_are_told(tmp_path: Path, steps: str, line: int) -> None:
    (problem,) = problems(tmp_path / "a.toml", HEAD + f"steps = [\n{steps}\n]\n")
    assert problem.where.line == line


def test_the_request_is_the_first_turn() -> None:
    profile = server(
        '[{expect="HI\\n"},{send="A"},{send="B\\n"},{expect="1\\n"},{expect="2\\n"},{send="C"},{expect="3"}]'
    )
    assert profile.request() == b"AB\n"
    assert standing(profile, b"", b"HI\n") is Standing.SETTLED
    assert standing(profile, b"AB\n", b"HI\n1\n") is Standing.OWING
    assert standing(profile, b"AB\n", b"HI\n1\n2\n") is Standing.SETTLED
    assert standing(profile, b"AB\n", b"HI\n1\n2\n3") is Standing.WRONG
    assert standing(profile, b"AB\n", b"HO") is Standing.WRONG
    assert standing(profile, b"A", b"HI\n?\n", eof_sent=True) is Standing.SETTLED
    with pytest.raises(CannotAsk):
        profile.request(0, 100)
    with pytest.raises(CannotAsk):
        profile.carry(b"x")


def test_it_is_asked_once_unless_it_repeats() -> None:
    steps = '[{send="A\\n"},{expect="1\\n"}]'
    assert server(steps).one_request
    twice = server(steps, "dialogue.repeats=true")
    assert not twice.one_request
    assert standing(twice, b"A\nA\n", b"1\n") is Standing.OWING
    assert standing(twice, b"A\nA\n", b"1\n1\n") is Standing.SETTLED


def test_a_regular_expression_is_owed_until_it_matches() -> None:
    profile = server('[{send="A"},{expect_regex="n [0-9]+\\n"}]')
    assert standing(profile, b"A", b"n 1") is Standing.OWING
    assert standing(profile, b"A", b"n 12\n") is Standing.SETTLED
    assert standing(profile, b"A", b"n 12\nx") is Standing.WRONG


def test_the_server_closes_first_where_the_first_turn_ends_so() -> None:
    assert server('[{send="A"},{expect="B"},{expect_end=true}]').contract.closes == "server"
    assert server('[{send="A"},{end="finish"},{expect="B"},{expect_end=true}]').contract.closes == "client"
    assert not server('[{send="A"},{end="finish"},{expect="B"}]').prompt
    assert server('[{expect="B"},{expect_end=true}]').speaks_first


def test_what_depends_on_others_cannot_be_asked_of_one() -> None:
    steps = '[{on="a",send="A"},{on="b",send="B"},{on="a",expect="B"}]'
    with pytest.raises(CannotAsk, match="other connections"):
        server(steps).request()
    alone = '[{on="a",send="A"},{on="a",expect="1"},{on="b",send="B"},{on="a",expect="B"}]'
    assert server(alone).request() == b"A"
    with pytest.raises(CannotAsk, match="alike"):
        server(alone, "dialogue.alike=false").request()


def test_sends_that_follow_each_other_can_be_put_together() -> None:
    profile = server('[{send="A"},{send="B"},{on="x",send="C"},{send="D"},{expect="E"},{send="F"}]')
    assert [step.data for step in merged(profile.script.steps)] == [b"AB", b"C", b"D", b"E", b"F"]


def test_the_role_is_that_of_the_program(tmp_path: Path) -> None:
    assignment = from_options(
        profile="dialogue", sets=['dialogue.role="client"', 'dialogue.steps=[{expect="A"}]']
    )
    assert isinstance(assignment.profile, DialogueClient)
    assert assignment.profile.role is Role.CLIENT and assignment.contract.stop == {}
