"""``sockspec list`` and ``sockspec explain``: every check can be found, and is explained."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from harness.assignment.manifest import from_options
from harness.assignment.profiles import find_profile, profile_names
from harness.catalogue import catalogue
from harness.commands import check
from harness.handbook.plays import suggestion_for
from harness.handbook.scope import scope_of
from harness.run.options import Options
from harness.verdict.outcome import Level

from .conftest import Sockspec

PLAYS = [(name, transport) for name in profile_names() for transport in find_profile(name, Path()).transports]


def ids_in(text: str) -> list[str]:
    return [check_id for check_id in catalogue() if re.search(rf"(?<!\S){re.escape(check_id)}(?!\S)", text)]


def test_without_an_assignment_all_checks_are_listed(sockspec: Sockspec) -> None:
    said = sockspec("list")
    assert said.status == 0
    assert ids_in(said.out) == list(catalogue())


def test_a_profile_lists_what_applies_and_with_v_the_reasons(sockspec: Sockspec) -> None:
    said = sockspec("list", "--profile", "udp-echo")
    assert "udp/sizes" in said.out and "half-close/" not in said.out
    said = sockspec("list", "--profile", "udp-echo", "-v")
    assert ids_in(said.out) == list(catalogue())
    assert "half-close/reply-after-fin" in said.out and "not applicable: " in said.out


def test_set_changes_what_applies(sockspec: Sockspec) -> None:
    assert "bind/address-scope" not in sockspec("list", "--profile", "echo").out
    changed = sockspec("list", "--profile", "echo", "--set", "contract.bind=any")
    assert "bind/address-scope" in changed.out


def test_the_file_of_the_directory_counts_as_it_does_for_check(sockspec: Sockspec, tmp_path: Path) -> None:
    text = '[assignment]\nprofile = "udp-echo"\n[rubric]\nskip = ["udp/garbage"]\nrequired = ["udp/sizes"]\n'
    (tmp_path / "sockspec.toml").write_text(text)
    said = sockspec("list")
    assert "accept/sequential" not in said.out and "udp/garbage" not in said.out and "(required)" in said.out
    assert ids_in(sockspec("list", "--all").out) == list(catalogue())
    assert "udp/garbage  not applicable: left out by rubric.skip" in re.sub(
        " {2,}", "  ", sockspec("list", "-v").out
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--profile", "uper"],
        ["--assignment", "nowhere.toml"],
        ["--transport", "tcp"],
        ["--profile", "echo", "--set", "contract.bnd=any"],
    ],
)
def test_what_cannot_be_is_a_usage_error(sockspec: Sockspec, words: list[str]) -> None:
    said = sockspec("list", *words)
    assert (said.status, said.out) == (2, "")
    assert said.err


def test_every_check_is_explained(sockspec: Sockspec) -> None:
    for check_id, entry in catalogue().items():
        said = sockspec("explain", check_id)
        assert said.status == 0, check_id
        for authority in entry.check.authority:
            assert authority.split()[0] in said.out, check_id
        assert "applies to" in said.out, check_id


#: Asked by profiles of a teacher's own only.
OF_NO_BUNDLED_PROFILE = {"security/length-prefix"}


def test_what_explain_suggests_to_run_is_possible(sockspec: Sockspec) -> None:
    """The command line that it shows describes an assignment which asks for the check, and selects it."""
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    for check_id, entry in catalogue().items():
        said = sockspec("explain", check_id).out.splitlines()
        shown = [line.strip() for line in said if line.strip().startswith("sockspec check ")]
        if check_id in OF_NO_BUNDLED_PROFILE:
            assert not shown, check_id
            continue
        assert len(shown) == 1, check_id
        words = parser.parse_args(shlex.split(shown[0])[2:])
        options = Options(
            words.path, words.assignment, words.profile, words.transport, words.build, words.run, words.sets
        )
        assert words.select == [check_id]
        assert entry.check.why_not(options.read_assignment()) is None, check_id


def test_explain_suggests_what_one_would_think_of() -> None:
    natural = {
        "accept/sequential": ("echo", ()),
        "concurrency/silent-client": ("echo", ("contract.concurrency=concurrent",)),
        "http/pipelined": ("http-file", ("contract.keep_alive=true", "contract.pipelined=true")),
        "udp/sizes": ("udp-echo", ()),
        "chat/partial-line": ("chat", ()),
        "client/retry": ("pipe-client", ("contract.retry=true",)),
    }
    for check_id, (profile, sets) in natural.items():
        suggestion = suggestion_for(catalogue()[check_id].check)
        assert suggestion is not None
        assert (suggestion.profile, suggestion.sets) == (profile, sets), check_id


def test_every_check_has_a_scope() -> None:
    for check_id, entry in catalogue().items():
        scope = scope_of(entry.check)
        assert scope.transports and scope.roles and scope.levels, check_id


def test_the_words_of_the_scope_agree_with_the_check() -> None:
    """A transport that is not named really does not apply, whatever the default contract says."""
    for profile, transport in PLAYS:
        assignment = from_options(profile=profile, transport=transport)
        for check_id, entry in catalogue().items():
            if entry.check.why_not(assignment) is None:
                scope = scope_of(entry.check)
                assert transport in scope.transports, check_id
                assert not scope.profiles or profile in scope.profiles, check_id


def test_levels_of_the_scope_name_the_level() -> None:
    for check_id, entry in catalogue().items():
        level = entry.check.level
        if isinstance(level, Level):
            assert scope_of(entry.check).levels == (level.value.upper(),), check_id
    by_field = scope_of(catalogue()["port-reuse/restart-in-time-wait"].check).levels
    assert by_field == (
        'MUST if contract.port_reuse is "required"',
        'ADVICE if contract.port_reuse is "advised"',
    )


def test_explain_under_an_assignment_says_what_holds_there(sockspec: Sockspec) -> None:
    said = sockspec("explain", "bind/address-scope", "--profile", "echo")
    assert "not applicable" in said.out
    said = sockspec("explain", "bind/address-scope", "--profile", "echo", "--set", "contract.bind=any")
    assert "MUST (echo over tcp)" in said.out
    assert (
        "sockspec check PATH --profile echo --set contract.bind=any --select bind/address-scope" in said.out
    )


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("half-close/reply-afterfin", "half-close/reply-after-fin"),
        ("reply-after-fin", "half-close/reply-after-fin"),
        ("sinals", "signals"),
        ("contract.conccurency", "contract.concurrency"),
    ],
)
def test_an_unknown_id_is_answered_with_the_nearest(sockspec: Sockspec, wrong: str, nearest: str) -> None:
    said = sockspec("explain", wrong)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"sockspec explain: there is no check {wrong}; the nearest is {nearest}\n"


def test_families_and_fields_are_explained_too(sockspec: Sockspec) -> None:
    assert "half-close/data-with-fin" in sockspec("explain", "half-close/*").out
    assert "SIGTERM = 0" in sockspec("explain", "contract.stop").out


def test_pages_need_neither_colours_nor_unicode_nor_width(
    sockspec: Sockspec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    for words in (["list"], ["list", "--profile", "echo", "-v"], ["explain", "signals/stop-idle"]):
        out = sockspec(*words).out
        assert out.isascii()
        assert all(line == line.rstrip() for line in out.splitlines())
