"""Reading an assignment: what is right is read, what is wrong is told all at once, in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.assignment.manifest import from_options, load
from harness.assignment.problem import AssignmentError, Problem
from harness.assignment.transport import Transport

IDS = (
    "accept/sequential",
    "bind/port-from-argument",
    "half-close/orderly-close",
    "half-close/reply-after-fin",
    "signals/stop-idle",
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return tmp_path / "sockspec.toml"


def problems(path: Path, text: str, **options: object) -> list[Problem]:
    path.write_text(text)
    with pytest.raises(AssignmentError) as caught:
        load(path, known_ids=IDS, **options)  # type: ignore[arg-type]
    return caught.value.problems


def one_problem(path: Path, text: str, **options: object) -> Problem:
    (problem,) = problems(path, text, **options)
    return problem


def refused(*sets: str, profile: str = "echo", transport: str | None = None, **options: str) -> Problem:
    with pytest.raises(AssignmentError) as caught:
        from_options(profile=profile, transport=transport, sets=sets, known_ids=IDS, **options)
    (problem,) = caught.value.problems
    return problem


def test_smallest_file(manifest: Path) -> None:
    manifest.write_text('[assignment]\nprofile = "echo"\n')
    assignment = load(manifest)
    assert assignment.name == assignment.profile.name == "echo"
    assert assignment.transport is Transport.TCP
    assert assignment.program.run == () and assignment.program.build is None
    assert assignment.program.ready == "listening"
    assert assignment.contract.stop == {"SIGTERM": 0, "SIGINT": 0}
    assert assignment.profile.contract is assignment.contract
    assert assignment.source == manifest


def test_everything_written(manifest: Path) -> None:
    manifest.write_text(
        """\
[assignment]
name = "Homework 3"
profile = "upper"
transport = "tcp6"
[program]
build = ["make", "server"]
run = ["./server", "-p", "{port}"]
env = { HOST = "{host}" }
ready = "started"
[contract]
bind = "any"
stop = { SIGTERM = "signal" }
model = "thread"
[rubric]
points = { "half-close/*" = 10 }
hidden = ["signals/*"]
skip = ["accept/sequential"]
pass_at = 62.5
required = ["bind/port-from-argument"]
[limits]
memory_mb = 64
"""
    )
    assignment = load(manifest, known_ids=IDS)
    assert assignment.name == "Homework 3"
    assert assignment.program.build == ("make", "server")
    assert assignment.program.run == ("./server", "-p", "{port}")
    assert assignment.program.ready == "started"
    assert assignment.contract.bind == "any"
    assert assignment.contract.families == "ipv6"
    assert assignment.contract.stop == {"SIGTERM": "signal"}
    assert assignment.contract.model == "thread"
    assert assignment.contract.concurrency == "concurrent"
    assert assignment.rubric.pass_at == 62.5
    assert assignment.rubric.required == ("bind/port-from-argument",)
    assert assignment.limits.memory_mb == 64


def test_three_mistakes_are_three_problems(manifest: Path) -> None:
    found = problems(
        manifest,
        """\
[assignment]
profile = "echo"
transprot = "tcp"

[contract]
concurrency = "concurent"

[rubric]
required = [
  "bind/port-from-argument",
  "signal/stop-idle",
]
""",
    )
    assert [(problem.where.line, problem.nearest) for problem in found] == [
        (3, "transport"),
        (6, "concurrent"),
        (11, "signals/stop-idle"),
    ]
    assert all(problem.where.source == str(manifest) for problem in found)
    assert all(problem.expected and problem.next_step for problem in found)
    assert str(found[1]).splitlines() == [
        f'{manifest}:6: concurrency = "concurent"',
        '  expected: "sequential" or "concurrent"',
        "  nearest:  concurrent",
        "  next:     write concurrent",
    ]


@pytest.mark.parametrize(
    ("text", "line", "nearest"),
    [
        ('[assignment]\nprofile = "ehco"', 2, "echo"),
        ('[assignment]\nprofile = "message_echo"', 2, "message-echo"),
        ('[assignment]\nprofile = "echo"\ntransport = "udp"', 3, None),
        ('[assignment]\nprofile = "echo"\ntransport = "tcp4"', 3, "tcp"),
        ('[assignment]\nprofile = "echo"\n[rubrik]\npass_at = 1', 3, "[rubric]"),
        ('[assignment]\nprofile = "echo"\n[contract]\nmemory_mb = 1', 4, None),
        ('[assignment]\nprofile = "echo"\n[limits]\ncpu_secs = 1', 4, "cpu_seconds"),
        ('[assignment]\nprofile = "echo"\n[contract]\nstop = { SIGTERM = 0, SIGITN = 0 }', 4, "SIGINT"),
        ('[assignment]\nprofile = "echo"\n[contract]\nstop.TERM = 0', 4, "SIGTERM"),
        ('[assignment]\nprofile = "echo"\n[contract.stop]\nSIGTERM = 0\nSIGINT = "sginal"', 5, "signal"),
        ('[assignment]\nprofile = "echo"\n[program]\nrun = ["./s",\n"{prot}"]', 5, "{port}"),
        ('[assignment]\nprofile = "echo"\n[program]\nenv = { A = "1",  PORT = "{Port}" }', 4, "{port}"),
        (
            '[assignment]\nprofile = "echo"\n[rubric.points]\n"half-close/*" = 1\n"halfclose/*" = 1',
            5,
            "half-close/*",
        ),
        ('[assignment]\nprofile = "echo"\n[rubric]\nskip = ["bind/port"]', 4, "bind/port-from-argument"),
        ('[assignment]\nprofile = "echo"\n[rubric]\nskip = ["nothing/like/this"]', 4, None),
        ('contract = 3\n[assignment]\nprofile = "echo"', 1, None),
        ('drain = "drop"\n[assignment]\nprofile = "echo"', 1, None),
        ("# nothing", 1, None),
    ],
)
def test_the_place_and_the_nearest_word(manifest: Path, text: str, line: int, nearest: str | None) -> None:
    problem = one_problem(manifest, text)
    assert (problem.where.line, problem.nearest) == (line, nearest)
    assert problem.next_step or problem.expected


def test_a_wrong_profile_hides_no_other_mistake(manifest: Path) -> None:
    found = problems(
        manifest,
        '[assignment]\nprofile = "ehco"\n[program]\nrun = ["./s", "{prot}"]\n[contract]\nclients = 0\n',
    )
    assert [problem.where.line for problem in found] == [2, 4, 6]


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("[assignment]\nprofile = echo\n", 2, 'key = "text"'),
        ('[assignment]\nprofile: "echo"\n', 2, "equals sign"),
        ("[contract]\nstop = { SIGTERM = 0,\n SIGINT = 0 }\n", 2, "one line"),
        ('[assignment]\n\nname = "a\n', 3, ""),
        ('[program]\nrun = ["a",\n', 2, ""),
    ],
)
def test_what_is_no_toml_has_a_line_too(manifest: Path, text: str, line: int, hint: str) -> None:
    problem = one_problem(manifest, text)
    assert problem.where.line == line
    assert hint in problem.next_step


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match="no such file"):
        load(tmp_path / "absent.toml")
    with pytest.raises(AssignmentError, match="is a directory"):
        load(tmp_path)
    (tmp_path / "latin1.toml").write_bytes('# one\n[assignment]\nname = "ü"'.encode("latin-1"))
    with pytest.raises(AssignmentError, match="UTF-8") as caught:
        load(tmp_path / "latin1.toml")
    assert caught.value.problems[0].where.line == 3


# Options


def test_options_alone() -> None:
    assignment = from_options(
        profile="echo",
        transport="unix-stream",
        build="make",
        run="./server '{path}' -v",
        name="mine",
        sets=["contract.stop.SIGINT=signal", "contract.drain=finish-current", "limits.cpu_seconds=3"],
    )
    assert assignment.name == "mine" and assignment.source is None
    assert assignment.program.build == "make"
    assert assignment.program.run == ("./server", "{path}", "-v")
    assert assignment.contract.stop == {"SIGTERM": 0, "SIGINT": "signal"}
    assert assignment.contract.drain == "finish-current"
    assert assignment.limits.cpu_seconds == 3


def test_values_of_set_are_toml_or_bare_words() -> None:
    assignment = from_options(
        profile="echo",
        sets=[
            "contract.stop={SIGTERM=1}",
            'assignment.name="42"',
            'program.run=["./a b", "{port}"]',
            "program.env.PORT={port}",
            "program.build=cc -o server 'server.c' && true",
            "rubric.points.half-close/*=10",
            'rubric.points."signals/*"=2.5',
            "contract.idle_timeout=0.5",
        ],
    )
    assert assignment.contract.stop == {"SIGTERM": 1}
    assert assignment.name == "42"
    assert assignment.program.run == ("./a b", "{port}")
    assert assignment.program.build == "cc -o server 'server.c' && true"
    assert assignment.rubric.points == {"half-close/*": 10, "signals/*": 2.5}
    assert assignment.contract.idle_timeout == 0.5


def test_env_given_as_option_keeps_its_braces() -> None:
    assert from_options(profile="echo", sets=['program.env.PORT="{port}"']).program.env == {"PORT": "{port}"}


def test_options_override_the_file(manifest: Path) -> None:
    manifest.write_text(
        '[assignment]\nprofile = "echo"\n[contract]\nstop = { SIGTERM = 3, SIGINT = 4 }\nclients = 7\n'
    )
    assignment = load(
        manifest, profile="upper", transport="tcp6", sets=["contract.stop.SIGINT=any", "contract.clients=8"]
    )
    assert assignment.profile.name == "upper"
    assert assignment.transport is Transport.TCP6
    assert assignment.contract.stop == {"SIGTERM": 3, "SIGINT": "any"}
    assert assignment.contract.clients == 8


@pytest.mark.parametrize(
    ("option", "found", "nearest"),
    [
        ("contract.foo=3", "the unknown field foo", None),
        ("contract.drian=drop", "the unknown field drian", "drain"),
        ("contact.drain=drop", "the unknown table", "[contract]"),
        ("drain=drop", "drain outside of a table", None),
        ("contract.daemon=yes", 'daemon = "yes"', None),
        ("contract.daemon=True", 'daemon = "True"', "true"),
        ("contract.drain.SIGTERM=0", "contract.drain.SIGTERM", None),
        ("contract.stop.SIGTREM=0", "the signal SIGTREM", "SIGTERM"),
        ("contract.clients", '"contract.clients"', None),
        ("contract.stop={SIGTERM", "", None),
        ("=3", '"=3"', None),
    ],
)
def test_a_wrong_set_is_told_with_the_option(option: str, found: str, nearest: str | None) -> None:
    problem = refused(option)
    assert str(problem.where) == f"--set {option}"
    assert found in problem.found
    assert problem.nearest == nearest


def test_wrong_options_are_told_by_name() -> None:
    assert str(refused(profile="ehco").where) == "--profile"
    assert str(refused(transport="udp").where) == "--transport"
    assert str(refused(run="./a '{port}").where) == "--run"
    assert str(refused(run="./a {root}").where) == "--run"


def test_mistakes_of_file_and_options_together(manifest: Path) -> None:
    found = problems(
        manifest,
        '[assignment]\nprofile = "echo"\n[contract]\nclients = 0\n',
        sets=["contract.drain=dorp", "nonsense"],
    )
    assert [str(problem.where).removeprefix(str(manifest)) for problem in found] == [
        ":4",
        "--set nonsense",
        "--set contract.drain=dorp",
    ]


# Impossible combinations


@pytest.mark.parametrize(
    ("profile", "transport", "sets", "blamed"),
    [
        ("echo", "unix-stream", ["contract.families=both"], "families"),
        ("echo", "unix-stream", ["contract.bind=localhost"], "bind"),
        ("echo", "unix-stream", ["program.run=./server {port}"], "run"),
        ("echo", "tcp", ["contract.families=ipv6"], "families"),
        ("echo", "tcp6", ["contract.families=both"], "families"),
        ("echo", "tcp", ["program.run=./server {path}"], "run"),
        ("echo", "tcp", ["program.run=./server {peer_port}"], "run"),
        ("echo", "tcp", ["contract.max_datagram=100"], "max_datagram"),
        ("echo", "tcp", ["contract.mode=0600"], "mode"),
        ("echo", "tcp", ["contract.retry=true"], "retry"),
        ("echo", "tcp", ["contract.text=hello"], "text"),
        ("udp-echo", "udp", ["contract.closes=server"], "closes"),
        ("echo", "tcp", ["contract.output=stdout"], "output"),
        ("echo", "tcp", ["contract.framing=crlf"], "framing"),
        ("echo", "tcp", ["contract.lifetime=until-terminator"], "lifetime"),
        ("upper", "tcp", ["contract.concurrency=concurrent", "contract.lifetime=one-client"], "concurrency"),
        ("echo", "tcp", ["contract.drain=drop", "contract.stop={}"], "drain"),
        ("message-echo", "tcp", ["contract.framing=line"], "framing"),
        ("udp-echo", "udp", ["contract.framing=line"], "framing"),
        ("udp-echo", "udp", ["contract.port_reuse=advised"], "port_reuse"),
        ("udp-echo", "udp", ["contract.max_datagram=65508"], "max_datagram"),
        ("udp-echo", "udp", ["contract.families=both"], "families"),
        ("udp-echo", "udp", ["program.ready=listening"], "ready"),
        ("echo", "tcp", ["rubric.skip=['bind/*']", "rubric.required=['bind/port-from-argument']"], "rubric"),
    ],
)
def test_what_cannot_be_is_refused(profile: str, transport: str, sets: list[str], blamed: str) -> None:
    with pytest.raises(AssignmentError) as caught:
        from_options(profile=profile, transport=transport, sets=sets, known_ids=IDS)
    for problem in caught.value.problems:
        assert blamed in str(problem.where)
        assert problem.where.source.startswith("--set")


@pytest.mark.parametrize(
    ("profile", "transport", "sets"),
    [
        ("echo", "unix-stream", ["contract.bind=unchecked", "contract.port_reuse=unchecked"]),
        ("echo", "unix-stream", ["contract.mode=0600"]),
        ("echo", "tcp", ["contract.closes=client", "contract.max_datagram=65507"]),
        ("echo", "tcp", ["contract.concurrency=sequential", "contract.model=thread"]),
        ("echo", "tcp-dual", ["contract.families=both"]),
        ("udp-echo", "udp6", ["contract.families=both", "contract.max_datagram=65527"]),
        ("echo", "tcp", ["program.ready=started"]),
    ],
)
def test_what_holds_anyway_may_be_written(profile: str, transport: str, sets: list[str]) -> None:
    from_options(profile=profile, transport=transport, sets=sets)


def test_defaults_give_way_to_what_was_written() -> None:
    assert (
        from_options(profile="upper", sets=["contract.lifetime=one-client"]).contract.concurrency
        == "sequential"
    )
    assert from_options(profile="stop-fd-server", sets=["contract.stop={}"]).contract.drain == "unchecked"


# Profiles

DEFAULTS = {
    "echo": {"concurrency": "sequential", "drain": "unchecked", "model": "any"},
    "upper": {"concurrency": "concurrent", "drain": "unchecked", "model": "event-loop"},
    "message-echo": {"concurrency": "concurrent", "drain": "unchecked", "model": "any"},
    "stop-fd-server": {"concurrency": "sequential", "drain": "finish-current", "model": "any"},
    "udp-echo": {"concurrency": "sequential", "drain": "unchecked", "model": "any"},
}
SHARED = {
    "bind": "unchecked",
    "lifetime": "forever",
    "port_reuse": "required",
    "stop": {"SIGTERM": 0, "SIGINT": 0},
    "closes": "client",
    "framing": "none",
    "families": "ipv4",
    "daemon": False,
    "max_datagram": 65507,
    "clients": 5,
}


@pytest.mark.parametrize("profile", DEFAULTS)
def test_defaults_ask_only_what_the_text_says(profile: str) -> None:
    contract = from_options(profile=profile).contract.as_dict()
    assert {name: contract[name] for name in SHARED} == SHARED
    assert {name: contract[name] for name in DEFAULTS[profile]} == DEFAULTS[profile]


@pytest.mark.parametrize(
    ("transport", "families"),
    [("tcp", "ipv4"), ("tcp6", "ipv6"), ("tcp-dual", "both"), ("unix-stream", "ipv4")],
)
def test_families_follow_the_transport(transport: str, families: str) -> None:
    assert from_options(profile="echo", transport=transport).contract.families == families


def test_readiness_follows_the_transport() -> None:
    assert from_options(profile="udp-echo", transport="unix-dgram").program.ready == "bound"
    assert from_options(profile="echo", transport="unix-seqpacket").program.ready == "listening"


OWN = """
from harness.assignment.profiles._base import CannotAsk, DatagramProfile
from harness.assignment.transport import Transport

class Reverse(DatagramProfile):
    name = "reverse"
    summary = "sends each datagram back, reversed"
    transports = (Transport.UDP,)
    defaults = {"concurrency": "concurrent"}

    def request(self, token=0, size=None):
        return b"%d" % token

    def carry(self, data):
        return data

    def replies(self, request):
        return [request[::-1]]

class Unfinished(DatagramProfile):
    name = "unfinished"

class Misled(Reverse):
    defaults = {"concurrency": "concurent", "drian": 1}
"""


def test_a_profile_of_ones_own(manifest: Path) -> None:
    (manifest.parent / "mine.py").write_text(OWN)
    manifest.write_text('[assignment]\nprofile = "mine.py:Reverse"\n')
    assignment = load(manifest)
    assert assignment.name == "reverse"
    assert assignment.transport is Transport.UDP
    assert assignment.contract.concurrency == "concurrent"
    assert assignment.profile.replies(b"abc") == [b"cba"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("profile", "found", "expected", "nearest"),
    [
        ("nine.py:Reverse", "nine.py", "does not exist", None),
        ("mine.py:Revers", '"Revers"', "Reverse", "Reverse"),
        ("mine.py", '""', "Reverse", None),
        ("mine.py:Unfinished", "Unfinished", "carry, replies, request", None),
        ("broken.py:Reverse", "broken.py", "ZeroDivisionError", None),
    ],
)
def test_a_wrong_profile_of_ones_own(
    manifest: Path, profile: str, found: str, expected: str, nearest: str | None
) -> None:
    (manifest.parent / "mine.py").write_text(OWN)
    (manifest.parent / "broken.py").write_text("1 / 0\n")
    problem = one_problem(manifest, f'[assignment]\nprofile = "{profile}"\n')
    assert found in problem.found and expected in problem.expected
    assert (problem.where.line, problem.nearest) == (2, nearest)


EVERY_FIELD = """
[assignment]
name    = "a server of files"
profile = "files.py:Files"
transport = "tcp"

[program]
build = "cc -O2 -Wall -Wextra -o server *.c"
run   = ["./server", "{port}", "{root}"]
env   = { }
ready = "listening"

[contract]
bind        = "localhost"
families    = "ipv4"
lifetime    = "forever"
concurrency = "sequential"
model       = "any"
port_reuse  = "required"
stop        = { SIGTERM = 0, SIGINT = 0 }
drain       = "finish-current"
closes      = "server"
framing     = "crlf"
daemon      = false
idle_timeout = 0
retry       = false
output      = "socket"
max_datagram = 65507

[rubric]
points  = { "half-close/*" = 10, "signals/stop-idle" = 5 }
hidden  = ["accept/*"]
skip    = []
pass_at = 100
required = ["bind/port-from-argument"]

[limits]
cpu_seconds = 10
memory_mb   = 256
processes   = 256
output_mb   = 8
wall_seconds = 60
"""
FILES = """
from harness.assignment.profiles.echo import Echo

class Files(Echo):
    name = "files"
    summary = "stands for a profile that closes first and reads lines"
    framings = ("crlf",)
    options = frozenset({"closes"})
    placeholders = ("root",)
"""


def test_every_field_written_as_documented(manifest: Path) -> None:
    (manifest.parent / "files.py").write_text(FILES)
    manifest.write_text(EVERY_FIELD)
    assignment = load(manifest, known_ids=IDS)
    assert assignment.contract.closes == "server" and assignment.contract.framing == "crlf"
    assert assignment.program.run == ("./server", "{port}", "{root}")


def test_defaults_of_ones_own_profile_are_looked_at(manifest: Path) -> None:
    (manifest.parent / "mine.py").write_text(OWN)
    found = problems(manifest, '[assignment]\nprofile = "mine.py:Misled"\n')
    assert [(problem.where.line, problem.nearest) for problem in found] == [(2, "concurrent"), (2, "drain")]
