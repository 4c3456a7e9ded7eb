"""``sockspec lint`` and ``sockspec init``, and the examples: files that are right, and mistakes all at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import house
from harness.assignment.manifest import from_options, load
from harness.assignment.profiles import find_profile, profile_names
from harness.catalogue import catalogue
from harness.handbook.template import template

from .conftest import Sockspec

PLAYS = [(name, transport) for name in profile_names() for transport in find_profile(name, Path()).transports]


def test_all_mistakes_are_told_at_once(sockspec: Sockspec, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[assignment]\nprofile = "ech"\n\n[contrct]\na = 1\n\n[rubric]\nskip = ["half-clos/*"]\n')
    said = sockspec("lint", "bad.toml")
    assert said.status == 2
    for place in ("bad.toml:2:", "bad.toml:4:", "bad.toml:8:", "bad.toml: 3 mistakes"):
        assert place in said.out


def test_a_right_file_is_summed_up(sockspec: Sockspec, tmp_path: Path) -> None:
    (tmp_path / "sockspec.toml").write_text(
        '[assignment]\nname = "Übung 3"\nprofile = "echo"\ntransport = "unix-stream"\n'
        '[contract]\nstop = { SIGTERM = "any" }\n[rubric]\npass_at = 80\nrequired = ["accept/*"]\n'
    )
    said = sockspec("lint")
    assert said.status == 0
    plain = " ".join(said.out.split())
    assert plain.startswith("sockspec.toml: ok")
    for words in (
        "echo over unix-stream",
        "SIGTERM (with any status)",
        "80 per cent",
        "accept/*",
        "the path",
    ):
        assert words in plain


def test_several_files_and_one_that_is_not_there(sockspec: Sockspec, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[assignment]\nprofile = "echo"\n')
    said = sockspec("lint", "good.toml", "gone.toml")
    assert said.status == 2
    assert "good.toml: ok" in said.out and "gone.toml: no such file" in said.out


@pytest.mark.parametrize("file", sorted(house.EXAMPLES.glob("*.toml")), ids=lambda file: file.stem)
def test_examples_are_right(sockspec: Sockspec, file: Path) -> None:
    assert sockspec("lint", str(file)).status == 0
    assert load(file).name != "sockspec"  # each says what homework it is for


@pytest.mark.parametrize(("profile", "transport"), PLAYS)
def test_init_asks_for_what_the_options_alone_ask_for(
    sockspec: Sockspec, tmp_path: Path, profile: str, transport: str
) -> None:
    said = sockspec("init", "new/place", "--profile", profile, "--transport", transport)
    assert said.status == 0
    written = load(tmp_path / "new/place/sockspec.toml", known_ids=catalogue())
    asked = from_options(profile=profile, transport=transport)
    assert written.contract == asked.contract
    assert (written.program, written.rubric, written.limits) == (asked.program, asked.rubric, asked.limits)


@pytest.mark.parametrize(("profile", "transport"), PLAYS)
def test_every_line_that_is_commented_out_may_be_used(tmp_path: Path, profile: str, transport: str) -> None:
    text = template(from_options(profile=profile, transport=transport))
    for place in re.finditer(r"^#(\w+) = ", text, re.MULTILINE):
        if place[1] == "terminator":  # has a meaning only together with lifetime
            continue
        file = tmp_path / f"{place[1]}.toml"
        file.write_text(text[: place.start()] + text[place.start() + 1 :])
        load(file, known_ids=catalogue())  # raises AssignmentError if it may not


def test_init_overwrites_nothing(sockspec: Sockspec, tmp_path: Path) -> None:
    (tmp_path / "sockspec.toml").write_text("mine")
    said = sockspec("init")
    assert said.status == 2 and "is there already" in said.err
    assert (tmp_path / "sockspec.toml").read_text() == "mine"


def test_init_with_an_unknown_profile(sockspec: Sockspec, tmp_path: Path) -> None:
    said = sockspec("init", "--profile", "uper")
    assert said.status == 2 and "upper" in said.err
    assert list(tmp_path.iterdir()) == []


def test_init_where_nothing_can_be_written(sockspec: Sockspec, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = sockspec("init", "file/below")
    assert said.status == 2 and said.err.startswith("sockspec init: ")
