"""From a submission to something that starts: guesses, failures, hostile builds."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.assignment.limits import Limits
from harness.subject import build as build_module
from harness.subject import build_wait
from harness.subject.build import Built, SubmissionError, Workshop
from harness.subject.isolation import Isolation
from harness.subject.language import CLIENT, SERVER, Preference, choose
from harness.subject.launch import Launcher

from .conftest import until_ended

C_MAIN = "extern int puts(const char *);\nint main(int c, char **v) { puts(v[c - 1]); return 0; }\n"
SOURCES = {
    "c": {"echo.c": C_MAIN},
    "c++": {
        "echo.cpp": "#include <iostream>\nint main(int c, char **v) { std::cout << v[c - 1] << '\\n'; }\n"
    },
    "python": {"server.py": "import sys; print(sys.argv[1])\n"},
    "javascript": {"server.js": "console.log(process.argv[2])\n"},
    "go": {"main.go": 'package main\nimport ("fmt"; "os")\nfunc main() { fmt.Println(os.Args[1]) }\n'},
    "go module": {
        "go.mod": "module m\n\ngo 1.18\n",
        "main.go": 'package main\nimport ("fmt"; "os")\nfunc main() { fmt.Println(os.Args[1]) }\n',
    },
    "java": {
        "Echo.java": "public class Echo { public static void main(String[] a) { System.out.println(a[0]); } }\n"
    },
    "java package": {
        "src/a/Echo.java": "package a;\nclass Echo { public static void main(String[] v) { System.out.println(v[0]); } }\n"
    },
    "java main elsewhere": {
        "homework_3.java": "class Other { }\n\nfinal class Echo {\n    static class Inner { }\n"
        "    public static void main(String[] v) { System.out.println(v[0]); }\n}\n"
    },
    "rust": {"main.rs": 'fn main() { println!("{}", std::env::args().nth(1).unwrap()); }\n'},
    "cargo": {
        "Cargo.toml": '[package]\nname = "echo"\nversion = "0.1.0"\nedition = "2021"\n',
        "src/main.rs": 'fn main() { println!("{}", std::env::args().nth(1).unwrap()); }\n',
    },
    "make": {"Makefile": "all: prog\nprog: prog.c\n\t$(CC) -o prog prog.c\n", "prog.c": C_MAIN},
    "cmake": {
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.5)\nproject(p C)\nadd_executable(prog prog.c)\n",
        "prog.c": C_MAIN,
    },
    "wrapped": {"homework-1/echo.c": C_MAIN},
}
TOOLS = {
    "c": "cc", "c++": "c++", "python": "python3", "javascript": "node", "go": "go", "go module": "go", "java": "javac",
    "java package": "javac", "java main elsewhere": "javac", "rust": "rustc", "cargo": "cargo", "make": "make", "cmake": "cmake", "wrapped": "cc",
}  # fmt: skip

Build = Callable[..., Built]


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


@pytest.fixture
def build(isolation: Isolation) -> Iterator[Build]:
    workshops: list[Workshop] = []

    def build_it(
        path: Path, command: object = None, run: list[str] | None = None, **options: object
    ) -> Built:
        workshop = Workshop(path, command, run, Limits(), isolation, **options)  # type: ignore[arg-type]
        workshops.append(workshop)
        return workshop.build()

    yield build_it
    for workshop in workshops:
        workshop.close()


def run(launcher: Launcher, built: Built, port: str = "4711") -> str:
    assert built.ok, built.explanation + built.output
    words = [word.replace("{port}", port) for word in built.run]
    # Node and Java start more threads than the 256 MB of the default limit are made for on some machines.
    with launcher.start(words, files=built.directory, limits=Limits(memory_mb=512)) as program:
        until_ended(program)
    assert program.status is not None and program.status.success, (program.status, program.output.stderr)
    return program.output.stdout.decode()


@pytest.mark.parametrize("language", SOURCES)
def test_guess_and_start(language: str, build: Build, launcher: Launcher, tmp_path: Path) -> None:
    write(tmp_path, SOURCES[language])
    try:
        built = build(tmp_path)
    except SubmissionError as error:
        assert f"{TOOLS[language]}, which" in str(error)
        pytest.skip(str(error))
    assert built.ok, built.output
    assert built.explanation and built.run[-1] == "{port}"
    assert run(launcher, built) == "4711\n"


def test_a_single_file(build: Build, launcher: Launcher, tmp_path: Path) -> None:
    path = write(tmp_path, {"echo.c": C_MAIN, "other.c": "not C"}) / "echo.c"
    assert run(launcher, build(path)) == "4711\n"


def test_an_executable(build: Build, launcher: Launcher, tmp_path: Path) -> None:
    script = write(tmp_path, {"serve": "#!/bin/sh\necho $1\n"}) / "serve"
    script.chmod(0o755)
    assert run(launcher, build(script)) == run(launcher, build(tmp_path)) == "4711\n"


def test_the_submission_is_not_touched(build: Build, tmp_path: Path) -> None:
    write(
        tmp_path,
        {**SOURCES["make"], "Makefile": "all:\n\trm -f prog.c; echo x > new; $(CC) -v 2>/dev/null\n"},
    )
    build(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["Makefile", "prog.c"]


def test_server_is_preferred_to_client(build: Build, tmp_path: Path) -> None:
    write(tmp_path, {"client.c": C_MAIN, "server.c": C_MAIN, "util.c": "int f(void) { return 1; }\n"})
    built = build(tmp_path)
    assert built.run == ["./server", "{port}"] and "server.c (not client.c)" in built.explanation
    assert build(tmp_path, preferred=CLIENT).run == ["./client", "{port}"]


def test_a_build_that_fails_shows_command_and_messages(build: Build, tmp_path: Path) -> None:
    built = build(write(tmp_path, {"echo.c": "int main(void) { return x; }\n"}))
    assert not built.ok and "`cc " in built.explanation and "exit status 1" in built.explanation
    assert "undeclared" in built.output


def test_messages_are_bounded(build: Build, tmp_path: Path) -> None:
    built = build(
        write(tmp_path, {"a": ""}), "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; false"
    )
    assert (
        not built.ok
        and len(built.output) < 20_000
        and "line 0\n" in built.output
        and "line 19999" in built.output
    )


def test_given_commands(build: Build, launcher: Launcher, tmp_path: Path) -> None:
    write(tmp_path, {"x.c": C_MAIN})
    assert run(launcher, build(tmp_path, "cc -o one x.c", ["./one", "{port}"])) == "4711\n"
    assert run(launcher, build(tmp_path, ["cc", "-o", "two words", "x.c"], ["./two words", "7"])) == "7\n"
    assert run(launcher, build(tmp_path, "cc -o found x.c")) == "4711\n"


def test_started_without_building(build: Build, launcher: Launcher, tmp_path: Path) -> None:
    write(tmp_path, {"say.txt": "print('hi')\n"})
    assert run(launcher, build(tmp_path, None, ["python3", "say.txt"])) == "hi\n"


def test_what_is_not_there_after_the_build(build: Build, tmp_path: Path) -> None:
    write(tmp_path, {"x.c": C_MAIN})
    built = build(tmp_path, "true", ["./server"])
    assert not built.ok and built.explanation == "there is no ./server after the build"
    write(tmp_path, {"Makefile": "all:\n\ttrue\n"})
    assert "made nothing to start" in build(tmp_path).explanation


def test_not_executable(build: Build, tmp_path: Path) -> None:
    built = build(write(tmp_path, {"serve": "#!/bin/sh\n"}), None, ["./serve"])
    assert not built.ok and "chmod +x" in built.explanation


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "empty directory"),
        ({"a.h": "", "b.h": ""}, "only headers"),
        ({"essay.txt": "a server"}, "not executable and of no known type"),
        ({"a.txt": "", "b.txt": ""}, "say how to build"),
    ],
)
def test_nothing_to_start(files: dict[str, str], words: str, build: Build, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=words):
        build(write(tmp_path, files))


def test_no_such_file(build: Build, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="No such file"):
        build(tmp_path / "nothing")


def test_what_is_copied(build: Build, tmp_path: Path) -> None:
    write(tmp_path, {"echo.c": C_MAIN, "data/page": "page"})
    (tmp_path / "inside").symlink_to("data/page")
    (tmp_path / "outside").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(tmp_path / "s"))
    copied = sorted(os.listdir(build(tmp_path).directory))
    assert copied == ["data", "echo", "echo.c", "inside"]


def test_a_hostile_makefile(build: Build, isolation: Isolation, tmp_path: Path) -> None:
    if not isolation.sandboxed:
        pytest.skip("no bubblewrap at this level")
    (tmp_path / "hidden").write_text("answer=42")
    submission = tmp_path / "submission"
    makefile = f"""all:
	-ls -a {Path.home()} | grep -v '^[.]*$$' | grep -v rustup
	-cat {tmp_path}/hidden {Path(__file__)}
	-cat /etc/shadow
	-ls /proc/{os.getpid()}
	-kill -9 -1
	-grep : /proc/net/dev | grep -v lo:
	-setsid sleep 1000 &
	echo done; false
"""
    built = build(write(submission, {"Makefile": makefile}))
    assert (
        not built.ok and "answer" not in built.output.replace(makefile, "") and "import" not in built.output
    )
    assert "root:" not in built.output and "eth" not in built.output


def test_a_build_that_waits_for_ever(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_wait, "IDLE", 0.5)
    built = build(write(tmp_path, {"Makefile": "all:\n\tsleep 1000\n"}))
    assert not built.ok and "does not end" in built.explanation


def test_a_build_that_fills_the_disk(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_wait, "MOST_BUILT", 20 << 20)
    makefile = "all:\n\tfor i in 1 2 3 4 5 6 7 8; do head -c 9000000 /dev/zero > f$$i; sleep 0.2; done\n"
    built = build(write(tmp_path, {"Makefile": makefile}))
    assert not built.ok and "20 MB of files" in built.explanation


def test_a_build_that_eats_memory(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "BUILD_LIMITS", Limits(memory_mb=64))
    code = "b = []\nwhile True: b.append(bytearray(b'x') * (1 << 20))\n"
    built = build(write(tmp_path, {"eat.py": code}), "python3 eat.py")
    assert not built.ok and "64 MB of memory" in built.explanation


def test_nothing_is_left_after_close(isolation: Isolation, tmp_path: Path) -> None:
    write(tmp_path, {"echo.c": C_MAIN})
    with Workshop(tmp_path, None, None, Limits(), isolation) as workshop:
        directory = workshop.build().directory
        assert directory.exists()
    assert not directory.exists() and not directory.parent.exists()


@pytest.mark.parametrize(
    ("preferred", "names", "chosen"),
    [
        (SERVER, ["client.c", "server.c"], "server.c"),
        (CLIENT, ["client.c", "server.c"], "client.c"),
        (SERVER, ["client.c", "echo.c"], "echo.c"),
        (CLIENT, ["fetch.c", "main_server.c"], "fetch.c"),
        (CLIENT, ["main.c", "alarm.c"], "main.c"),
        (CLIENT, ["EchoServer.java"], "EchoServer.java"),
    ],
)
def test_of_two_programs_the_one_on_the_right_side_is_started(
    preferred: Preference, names: list[str], chosen: str
) -> None:
    assert choose(names, preferred) == chosen
