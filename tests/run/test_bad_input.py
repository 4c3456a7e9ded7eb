"""What goes wrong before or instead of a check: each has a clear message and the right exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.running import Ran, sockspec

ECHO = "fixtures/programs/reference/echo_poll.c"

MAIN = "#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n#include <sys/socket.h>\n#include <netinet/in.h>\n"

LISTEN = """
static int serve(unsigned short port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = port};
  if (bind(fd, (void *)&a, sizeof a) || listen(fd, 5)) { perror("bind"); exit(1); }
  return fd;
}
"""


def program(tmp_path: Path, body: str) -> Path:
    source = tmp_path / "server.c"
    source.write_text(
        MAIN + LISTEN + f"int main(int argc, char **argv) {{ (void)argc; (void)argv; (void)serve; {body} }}\n"
    )
    return source


def check(tmp_path: Path, submission: object, *options: str) -> Ran:
    return sockspec(str(submission), "--profile", "echo", *options, tmp_path=tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--profile", "ecko"), ["ecko", "echo"]),
        (("--profile", "echo", "--transport", "tpc"), ["tpc", "tcp"]),
        (("--profile", "echo", "--set", "contract.bnid=any"), ["bnid", "bind"]),
        ((), ["--assignment", "--profile"]),
        (("--assignment", "no-such.toml"), ["no-such.toml", "no such file"]),
    ],
)
def test_options_that_cannot_be_used(tmp_path: Path, options: tuple[str, ...], words: list[str]) -> None:
    ran = sockspec(ECHO, *options, tmp_path=tmp_path)
    assert ran.status == 2, ran.printed
    assert all(word in ran.printed for word in words), ran.printed
    assert "Traceback" not in ran.printed


def test_all_three_mistakes_of_an_assignment_are_told(tmp_path: Path) -> None:
    file = tmp_path / "sockspec.toml"
    file.write_text(
        '[assignment]\nprofile = "ecko"\n[contract]\nbnid = "any"\n[limits]\ncpu_seconds = "ten"\n'
    )
    ran = sockspec(ECHO, "--assignment", file, tmp_path=tmp_path)
    assert ran.status == 2
    for place in (f"{file}:2", f"{file}:4", f"{file}:6"):
        assert place in ran.printed, ran.printed


def test_a_submission_that_is_not_there(tmp_path: Path) -> None:
    ran = check(tmp_path, tmp_path / "nowhere.c")
    assert ran.status == 2
    assert "nowhere.c" in ran.printed and "no such file" in ran.printed


def test_a_file_that_cannot_be_executed(tmp_path: Path) -> None:
    file = tmp_path / "server.dat"
    file.write_bytes(b"\0\1\2")
    ran = check(tmp_path, file)
    assert ran.status == 2
    assert "Traceback" not in ran.printed


def test_a_build_that_fails_is_the_programs_fault(tmp_path: Path) -> None:
    source = tmp_path / "server.c"
    source.write_text("int main(void) { return missing; }\n")
    ran = check(tmp_path, source)
    assert ran.status == 1
    assert ran.results is not None and not ran.results["submission"]["build"]["ok"]
    assert "missing" in ran.results["submission"]["build"]["output"]
    assert "missing" in ran.printed


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("fprintf(stderr, \"no luck today\\n\"); return 3;", ["exit status 3", "no luck today"]),
        ("char c; return (int)read(0, &c, 1);", ["read"]),
        ("serve(htons(1234)); pause(); return 0;", ["0.0.0.0:1234"]),
        ("serve((unsigned short)atoi(argv[1])); pause(); return 0;", ["swapped"]),
        ("int fd = socket(AF_INET, SOCK_STREAM, 0); struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};"
         "bind(fd, (void *)&a, sizeof a); pause(); return 0;", ["listen()"]),
    ],
    ids=["dies-at-once", "never-listens", "listens-elsewhere", "byte-swapped", "only-binds"],
)  # fmt: skip
def test_a_program_that_does_not_come_to_serve_costs_one_verdict(
    tmp_path: Path, body: str, words: list[str]
) -> None:
    ran = check(tmp_path, program(tmp_path, body), "--skip", "bind/bad-arguments", "--skip", "bind/busy-port")
    assert ran.status == 1
    assert ran.results is not None
    failed = [entry for entry in ran.results["checks"] if entry["outcome"] == "fail"]
    assert len(failed) == 1, [(e["id"], e["observed"]) for e in failed]
    assert all(word in failed[0]["observed"] for word in words), failed[0]["observed"]
    assert {"blocked"} == ran.outcomes("accept/first-client") == ran.outcomes("signals/stop-idle")


def test_a_program_that_ignores_every_signal_is_ended_by_us(tmp_path: Path) -> None:
    body = "for (int s = 1; s < 32; s++) signal(s, SIG_IGN); serve(htons((unsigned short)atoi(argv[1]))); for (;;) pause();"
    ran = check(tmp_path, program(tmp_path, body), "--select", "signals/stop-idle")
    assert ran.status == 1
    assert "still running" in ran.observed("signals/stop-idle")
    assert "SIG_IGN" in ran.printed


def test_a_flood_of_output_is_bounded_and_told(tmp_path: Path) -> None:
    body = 'int fd = serve(htons((unsigned short)atoi(argv[1]))); (void)fd; for (;;) puts("all work and no play makes a dull server");'
    ran = check(
        tmp_path, program(tmp_path, body), "--select", "accept/first-client", "--set", "limits.output_mb=1"
    )
    assert ran.status == 1
    assert "stdout" in ran.observed("accept/first-client")
    assert len(ran.printed) < 20_000
