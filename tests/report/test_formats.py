"""Each format says the same, is valid for whoever reads it, and is safe to show."""

from __future__ import annotations

import io
import json
import re
import stat
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harness.report import console, formats, json_report, junit, tap
from harness.report.atomic import write_atomically
from harness.report.legible import for_log, legible
from harness.verdict.outcome import Outcome
from harness.verdict.result import Results

from .example import ALL, HOSTILE, RUN, result

RENDERERS: list[Callable[[Results], str]] = [json_report.render, junit.render, tap.render, console.render]
runs = pytest.mark.parametrize("results", ALL.values(), ids=ALL.keys())

#: Nothing below space but newline and tab, no DEL, no C1, no surrogate, no bidi, no non-character.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\ufffe\uffff]")


def test_formats_are_found_by_their_place(tmp_path: Path) -> None:
    assert {"json", "junit", "tap"} <= formats().keys()
    for name, module in formats().items():
        assert (module.OPTION, bool(module.HELP)) == (name, True)
        module.write(RUN, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500


@runs
@pytest.mark.parametrize("render", RENDERERS, ids=lambda render: render.__module__.rpartition(".")[2])
def test_nothing_unsafe_is_ever_written(results: Results, render: Callable[[Results], str]) -> None:
    assert not UNSAFE.search(render(results))


@given(st.text(st.characters()))
def test_legible_is_safe_and_idempotent(text: str) -> None:
    once = legible(text)
    assert not UNSAFE.search(once)
    assert legible(once) == once
    once.encode()


def test_legible_keeps_what_is_legible() -> None:
    assert legible("Größe: 5\n\t→ ✓") == "Größe: 5\n\t→ ✓"


def test_no_ci_command_in_a_log() -> None:
    for command in ("##[error]x", "##vso[task.complete]x", "##teamcity[x]"):
        assert command not in for_log(command)
    assert for_log("## a heading") == "## a heading"


@runs
def test_no_line_of_the_console_begins_with_a_command(results: Results) -> None:
    for width in (80, 40, 200):
        for line in console.render(results, width=width, verbose=True).splitlines():
            assert not line.strip().startswith("::")


# ---- json


@runs
def test_json_is_valid_for_its_schema(results: Results) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(json_report.SCHEMA_FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json_report.render(results)), schema)


@runs
def test_results_survive_json(results: Results, tmp_path: Path) -> None:
    assert Results.from_json(results.to_json()) == results
    json_report.write(results, tmp_path / "results.json")
    assert json_report.read(tmp_path / "results.json").summary == results.summary


def test_what_is_not_a_document_is_refused() -> None:
    with pytest.raises(ValueError, match="sockspec/1"):
        Results.from_json({"schema": "other/2"})


# ---- files


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "results.json"
    write_atomically(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(target, "half \ud800")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.touch(mode=0o640)
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_device_is_written_to_not_replaced() -> None:
    write_atomically(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()


# ---- junit


@runs
def test_junit_is_valid(results: Results) -> None:
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(str(Path(__file__).with_name("junit.xsd"))))
    schema.assertValid(etree.fromstring(junit.render(results).encode()))


def test_junit_says_whose_fault_it_is() -> None:
    root = ET.fromstring(junit.render(RUN))
    kinds = {
        f"{case.get('classname')}/{case.get('name')}": [(kind.tag, kind.get("message")) for kind in case]
        for case in root.iter("testcase")
    }
    assert kinds["bind/port-from-argument"] == []
    assert kinds["half-close/reply-after-fin[64 KiB]"] == [("failure", "closed the connection")]
    assert kinds["half-close/data-with-fin"] == [("skipped", "blocked by half-close/reply-after-fin")]
    assert kinds["signals/sigaction"] == [("skipped", "advice, not scored: used signal(2)")]
    assert kinds["ipv6/v6only"] == [("skipped", "IPv6 is off here")]
    assert kinds["resources/descriptors"][0][0] == "error"
    totals = [sum(int(s.get(a, "")) for s in root) for a in ("tests", "failures", "errors", "skipped")]
    assert totals == [9, 3, 1, 4]


@pytest.mark.parametrize(("name", "kind"), [("unbuilt", "failure"), ("interrupted", "error")])
def test_junit_of_a_run_that_went_wrong_is_not_green(name: str, kind: str) -> None:
    root = ET.fromstring(junit.render(ALL[name]))
    assert len(root.findall(f".//{kind}")) == 1


# ---- tap


@runs
def test_tap_has_its_plan_and_legal_lines(results: Results) -> None:
    version, plan, *rest = tap.render(results).splitlines()
    assert version == "TAP version 14"
    points = [line for line in rest if re.match(r"(not )?ok \d+ - ", line)]
    assert plan == f"1..{len(points)}"
    others = [line for line in rest if line not in points and not line.startswith(("  ", "Bail out! "))]
    assert others == []


def test_tap_outcomes() -> None:
    text = tap.render(RUN)
    assert "\nok 1 - bind/port-from-argument\n" in text
    assert "\nok 2 - bind/any # SKIP the contract binds localhost\n" in text
    assert "\nnot ok 3 - half-close/reply-after-fin[64 KiB]\n" in text
    assert "\nnot ok 6 - signals/sigaction # TODO advice, not scored\n" in text
    assert "Bail out!" in tap.render(ALL["unbuilt"])


def test_tap_escapes_what_would_be_a_directive() -> None:
    run = replace(RUN, checks=(result("a/b", Outcome.PASS, case="# SKIP \\"),))
    assert r"ok 1 - a/b[\# SKIP \\]" in tap.render(run)


# ---- hidden checks


@pytest.mark.parametrize("render", [junit.render, tap.render, console.render])
def test_hidden_checks_count_but_are_not_explained(render: Callable[[Results], str]) -> None:
    text = render(RUN)
    assert "format-string" in text
    assert "the secret" not in text
    assert "the secret" in json_report.render(RUN)


# ---- console


def test_console_tells_the_story_in_80_columns() -> None:
    text = console.render(RUN)
    story = text[text.index("FAIL half-close") :]
    places = [
        story.index(part)
        for part in ("What was done", "The rule", "[shutdown(2), RFC 9293]", "What your program did")
    ]
    places += [story.index(part) for part in ("Likely cause", "Try it:", "Also with", "It printed")]
    assert places == sorted(places)
    assert all(len(line) <= 80 for line in text.splitlines() if "Try it:" not in line)
    assert f"{RUN.checks[2].reproduce}\n" in text  # in one piece, to be copied
    assert "BLOCKED half-close/data-with-fin  blocked by half-close/reply-after-fin" in text
    assert "L1: no TUN device" in text


def test_the_failure_that_blocks_most_is_told_first() -> None:
    fails = [result(f"a/{slug}", Outcome.FAIL) for slug in ("first", "root")]
    blocked = [result(f"b/{n}", Outcome.BLOCKED, blocked_by="a/root") for n in range(3)]
    text = console.render(replace(RUN, checks=(*fails, *blocked)))
    assert text.index("FAIL a/root") < text.index("FAIL a/first")
    assert "3 other checks: begin here" in text


def test_the_last_line_counts_what_stands_above() -> None:
    cases = [result("a/b", Outcome.FAIL, case=str(n)) for n in range(3)]
    assert "3 failed (cases of 1 check)" in console.render(replace(RUN, checks=tuple(cases)))
    assert "1 failed " in console.render(replace(RUN, checks=tuple(cases[:1])))


def test_console_aligns_rows_of_bytes() -> None:
    lines = console.render(RUN).splitlines()
    first = next(number for number, line in enumerate(lines) if "expected: aaa" in line)
    assert lines[first + 1].index("aab") == lines[first].index("aaa")
    assert lines[first + 2].index("^") == lines[first].index("aaa") + 2


def test_console_without_colours_has_no_escape_sequences() -> None:
    page = io.StringIO()
    console.print_results(RUN, Console(file=page, force_terminal=True, width=80, color_system="truecolor"))
    coloured = page.getvalue()
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == console.render(RUN)


def test_console_in_a_narrow_encoding() -> None:
    raw = io.BytesIO()
    page = io.TextIOWrapper(raw, "ascii", write_through=True)
    console.print_results(RUN, Console(file=page, width=80))
    assert b"| What was done" in raw.getvalue()


def test_console_folds_what_many_checks_share() -> None:
    checks = [result(f"udp/check-{n}", Outcome.BLOCKED, blocked_by="bind/x") for n in range(50)]
    run = replace(RUN, checks=tuple(checks))
    assert "BLOCKED 50 checks  blocked by bind/x" in console.render(run)
    assert "udp/check-49" in console.render(run, verbose=True)


def test_console_shows_the_end_of_a_long_output() -> None:
    run = replace(RUN, checks=(result("a/b", Outcome.FAIL, program_output="\n".join(map(str, range(100)))),))
    text = console.render(run)
    assert "> 99" in text
    assert "> 5\n" not in text
    assert "92 earlier lines" in text


def test_hostile_text_is_still_there_to_be_read() -> None:
    assert "\x1b" in HOSTILE
    assert "\\x1b[2Jgone\\x00 \\x80" in console.render(RUN)
