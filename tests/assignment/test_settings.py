"""Each field of the field table: what it takes, what it refuses, and that it is documented."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from harness.assignment import reference
from harness.assignment.assignment import TABLES
from harness.assignment.kinds import NOTHING, Unfit
from harness.assignment.setting import settings_of

#: table.field -> values it takes, values it refuses
VALUES: dict[str, tuple[list[object], list[object]]] = {
    "assignment.name": (["Homework", ""], [3, True, "a\0b"]),
    "assignment.profile": (["echo"], [3, ["echo"]]),
    "assignment.transport": (["tcp", "tcp-dual", "unix-dgram"], ["sctp", "TCP", 6]),
    "program.build": (["make", ["cc", "a.c"]], ["", " ", [], ["cc", 1], 3]),
    "program.run": ([["./a", "{port}"], "./a {port}"], [[], "", [1], [""], "'open", 3]),
    "program.env": ([{}, {"A": "b"}], [{"A": 1}, {"": "b"}, {"A=B": "c"}, "A=b", []]),
    "program.ready": (["listening", "bound", "started"], ["connect", True]),
    "dialogue.role": (["server", "client"], ["local", "peer", 1]),
    "dialogue.steps": (
        [[{"send": "a"}], [{"on": "bob", "expect_hex": "00 ff"}, {"end": "finish"}, {"expect_end": True}]],
        [
            [],
            "send",
            [{}],
            [{"send": ""}],
            [{"send": "a", "expect": "b"}],
            [{"expect_hex": "0x1"}],
            [{"end": "up"}],
        ],
    ),
    "dialogue.alike": ([True, False], ["yes", 1]),
    "dialogue.repeats": ([True, False], ["yes", 1]),
    "contract.bind": (["localhost", "any", "unchecked"], ["127.0.0.1", True]),
    "contract.families": (["ipv4", "ipv6", "both"], ["ipv5", 4]),
    "contract.lifetime": (["forever", "one-client", "until-terminator"], ["once", 1]),
    "contract.terminator": (["LastHello"], [3]),
    "contract.concurrency": (["sequential", "concurrent"], ["parallel", False]),
    "contract.clients": ([1, 5, 10000], [0, -1, 10001, 2.5, "5", True]),
    "contract.model": (["any", "event-loop", "thread", "process"], ["fork"]),
    "contract.port_reuse": (["required", "advised", "unchecked"], ["yes", True]),
    "contract.stop": (
        [{}, {"SIGTERM": 0}, {"SIGINT": "signal", "SIGHUP": "any"}, {"SIGUSR1": 255}],
        [
            {"SIGKILL": 0},
            {"SIGSTOP": 0},
            {"SIGTERM": 256},
            {"SIGTERM": -1},
            {"SIGTERM": True},
            {"TERM": 0},
            0,
        ],
    ),
    "contract.drain": (["finish-current", "drop", "unchecked"], ["finish"]),
    "contract.closes": (["client", "server"], ["both"]),
    "contract.framing": (["none", "line", "crlf", "length", "fixed"], ["lf", 4]),
    "contract.urgent": (["unchecked", "inline"], ["aside", True]),
    "contract.abstract": ([True, False], ["@name", 1]),
    "contract.daemon": ([True, False], ["true", 1, 0]),
    "contract.idle_timeout": ([0, 2, 0.5], [-1, "2", True, float("inf"), float("nan")]),
    "contract.retry": ([True, False], ["no", 1]),
    "contract.gives_up_after": ([0, 2.5, 60], [-1, 61, "2", True]),
    "contract.peer_host": (["", "localhost"], [3, True]),
    "contract.peer_port": ([0, 4000, 65535], [-1, 65536, "4000", True]),
    "contract.exit_status": ([0, 255, "any"], [-1, 256, "signal", True, 0.5]),
    "contract.on_fin": ([0, 1, "any"], ["some", False]),
    "contract.on_reset": (["reported", "any"], ["silent", 0]),
    "contract.notices_fin": ([True, False], ["yes", 1]),
    "contract.resolves": ([True, False], ["yes", 0]),
    "contract.answers_from": (["server", "anyone"], ["both", True]),
    "contract.prints": (["exact", "text", "among"], ["all", True]),
    "contract.size": ([0, 1000], [-1, 1.5, "1000"]),
    "contract.output": (["socket", "stdout", "stderr", "either"], ["file"]),
    "contract.prefix": (["client (\\d+): ", ""], ["(", 3]),
    "contract.join": (["\\d+ has come", ""], ["[", 3]),
    "contract.leave": (["\\d+ has gone", ""], ["[", 3]),
    "contract.self_echo": (["forbidden", "required", "unchecked"], ["no", False]),
    "contract.verbatim": (["required", "advised", "unchecked"], ["yes", True]),
    "contract.longest_line": ([64, 4000, 65535], [63, 65536, "4k"]),
    "contract.max_datagram": ([1, 65507, 65527], [0, 65528, 1.5]),
    "contract.text": (["up \\d+ days", ""], ["(", 3]),
    "contract.lines": ([[], ["Read \\d+ bytes", "done"]], ["done", ["("], [1]]),
    "contract.input": (["", "1 2 3\n"], [3, "a\0b"]),
    "contract.prints_port": ([True, False], ["yes", 1]),
    "contract.mode": ([0o600, "0600", "0o644", "777"], [600, 644, "0680", 0o1000, "rw", True, -1]),
    "contract.target": (["slash", "bare"], ["/", True]),
    "contract.head": ([True, False], ["yes", 1]),
    "contract.keep_alive": ([True, False], ["yes", 1]),
    "contract.pipelined": ([True, False], ["yes", 1]),
    "contract.post": ([True, False], ["yes", 1]),
    "contract.percent_decoding": (["required", "unchecked"], ["yes", True]),
    "contract.symlinks": (["follow", "refuse", "unchecked"], ["no", False]),
    "contract.other_methods": (["refused", "unchecked"], ["501", 501]),
    "contract.unreadable": (["403", "403-or-404"], ["404", 403]),
    "contract.cgi_variables": ([[], ["QUERY_STRING"]], ["QUERY_STRING", [1]]),
    "rubric.points": ([{}, {"a/*": 10, "a/b": 0.5, "c": 0}], [{"a": -1}, {"a": "2"}, {"a": True}, 3]),
    "rubric.hidden": ([[], ["security/*"]], ["security/*", [1]]),
    "rubric.skip": ([[], ["a/b"]], ["a/b", {}]),
    "rubric.pass_at": ([0, 62.5, 100], [-1, 101, "50"]),
    "rubric.required": ([[], ["a/b"]], ["a/b", [True]]),
    "limits.cpu_seconds": ([1, 600], [0, 1.5]),
    "limits.memory_mb": ([1, 4096], [0, "256M"]),
    "limits.processes": ([1, 1024], [0]),
    "limits.descriptors": ([16, 4096], [0, 15, "64"]),
    "limits.output_mb": ([1], [0]),
    "limits.wall_seconds": ([1, 0.5e3], [0, -5]),
}


def test_every_field_is_in_the_table() -> None:
    declared = {f"{table}.{field.name}" for table, owner in TABLES.items() for field in fields(owner)}
    documented = {f"{table}.{name}" for table, owner in TABLES.items() for name in settings_of(owner)}
    assert declared == documented == set(VALUES)


@pytest.mark.parametrize("field", VALUES)
def test_field_takes_and_refuses(field: str) -> None:
    table, _, name = field.partition(".")
    kind = settings_of(TABLES[table])[name].kind
    takes, refuses = VALUES[field]
    for value in takes:
        complaints: list[Unfit] = []
        assert kind.read(value, complaints.append) is not NOTHING
        assert complaints == [], value
    for value in refuses:
        complaints = []
        kind.read(value, complaints.append)
        assert len(complaints) == 1, value
        assert complaints[0].found and complaints[0].expected


@pytest.mark.parametrize("field", VALUES)
def test_default_is_a_value_or_means_left_out(field: str) -> None:
    table, _, name = field.partition(".")
    entry = settings_of(TABLES[table])[name]
    complaints: list[Unfit] = []
    written = list(entry.default) if isinstance(entry.default, tuple) else entry.default
    if written not in (None, "", []):
        entry.kind.read(written, complaints.append)
    assert complaints == []


@pytest.mark.parametrize("field", VALUES)
def test_field_is_explained_in_a_sentence(field: str) -> None:
    table, _, name = field.partition(".")
    meaning = settings_of(TABLES[table])[name].meaning
    assert meaning[0].isupper() and meaning.endswith(".")
    assert meaning in reference.explain(table, name)


def test_every_mistake_in_a_table_is_reported() -> None:
    complaints: list[Unfit] = []
    stop = settings_of(TABLES["contract"])["stop"].kind
    assert stop.read({"SIGTREM": 0, "SIGINT": 0, "SIGHUP": 999}, complaints.append) == {"SIGINT": 0}
    assert [(unfit.inside, unfit.nearest) for unfit in complaints] == [
        (("SIGTREM",), "SIGTERM"),
        (("SIGHUP",), None),
    ]


def test_the_page_for_teachers_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "assignment-file.md"
    text = page.read_text(encoding="utf-8")
    for table in TABLES:
        assert f"<!-- fields of {table} -->" in text
    assert text == reference.renewed(text), (
        "run: python -m harness.assignment.reference docs/assignment-file.md"
    )
