"""The headers of programs: what is read, and what is said about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.assignment.transport import Transport
from harness.catalogue import catalogue
from harness.programs import HeaderError, Play, header_lines, programs, read

RIGHT = """/* right: an echo server
 *   over two lines.
 * profile: echo
 * transport: tcp, unix-stream
 * also-profiles: message-echo
 * set: contract.concurrency=concurrent, contract.stop={ SIGTERM = 0, SIGINT = 0 }
 */
int main(void) { return 0; }
"""
BROKEN = """#!/usr/bin/env python3
# broken: drops the answer: what is left is gone.
# fails: half-close/reply-after-fin
# consequences: half-close/?*,
#   reset/idle
# profile: echo
# transport: tcp

# profile: not part of the header
"""


def put(root: Path, name: str, text: str) -> Path:
    path = root / "programs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(path: Path) -> list[str]:
    with pytest.raises(HeaderError) as caught:
        read(path, catalogue())
    return [str(problem).splitlines()[0] for problem in caught.value.problems]


def test_right_program(tmp_path: Path) -> None:
    path = put(tmp_path, "reference/echo.c", RIGHT)
    found = read(path, catalogue())
    assert found.right and found.fails is None and found.name == "reference/echo.c"
    assert found.sentence == "an echo server over two lines."
    assert found.transports == (Transport.TCP, Transport.UNIX_STREAM)
    assert found.sets == (
        "contract.concurrency=concurrent",
        "contract.stop={ SIGTERM = 0, SIGINT = 0 }",
    )
    assert found.plays[:2] == (Play("echo", Transport.TCP), Play("echo", Transport.UNIX_STREAM))
    assert Play("message-echo", Transport.TCP) in found.plays
    assert found.check_arguments(found.plays[0])[:5] == [
        str(path),
        "--profile",
        "echo",
        "--transport",
        "tcp",
    ]


def test_broken_program(tmp_path: Path) -> None:
    found = read(put(tmp_path, "broken/half-close/reply-after-fin--drops.py", BROKEN), catalogue())
    assert not found.right and found.fails == "half-close/reply-after-fin"
    assert found.consequences == ("half-close/?*", "reset/idle")
    assert found.covers("half-close/data-with-fin") and found.covers("half-close/reply-after-fin")
    assert not found.covers("reset/mid-reply")
    assert found.name == "broken/half-close/reply-after-fin--drops.py"


def test_program_of_several_files(tmp_path: Path) -> None:
    put(tmp_path, "reference/two/echo.h", "/* declarations */\n")
    put(tmp_path, "reference/two/main.c", RIGHT)
    assert read(tmp_path / "programs/reference/two", catalogue()).right
    put(tmp_path, "reference/two/other.c", RIGHT)
    (said,) = mistakes(tmp_path / "programs/reference/two")
    assert "main.c and " in said


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("transport:", "transports:", 4, '"transports: tcp, unix-stream"'),
        ("tcp, unix-stream", "tcp, unixstream", 4, 'the transport "unixstream"'),
        ("tcp, unix-stream", "udp", 3, "echo with none of these transports"),
        ("profile: echo", "profile: ecco", 3, 'the profile "ecco"'),
        ("message-echo", "mesage-echo", 5, 'the profile "mesage-echo"'),
        ("concurrency=concurrent", "concurrency=many", 6, "echo over tcp: concurrency"),
        ("concurrency=concurrent", "concurency=concurrent", 6, "echo over tcp: the unknown field"),
        (" * profile: echo\n", "", 1, "a right program without profile:"),
        ("also-profiles: message-echo", "profile: echo", 5, "profile: again"),
        ("also-profiles: message-echo", "fails: reset/idle", 5, "fails: in a right program"),
        ("also-profiles: message-echo", "an idle remark", 5, '"an idle remark"'),
        ("right: an", "an", 1, "no header"),
    ],
)
def test_mistake_names_file_and_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    path = put(tmp_path, "reference/echo.c", RIGHT.replace(old, new))
    assert mistakes(path)[0].startswith(f"{path}:{line}: {said}")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("reset/idle", "reset/idel", 4, "no check reset/idel"),
        ("reset/idle", "half-close/reply-after-fin", 4, "half-close/reply-after-fin, which is what it fails"),
        ("half-close/?*", "halfclose/?*", 4, "no check halfclose/?*"),
        ("fails: half-close/reply-after-fin", "fails: reset/idle", 3, "fails: reset/idle in a program named"),
        (
            "# transport: tcp",
            "# transport: tcp\n# also-profiles: echo",
            8,
            "also-profiles: in a broken program",
        ),
        ("# transport: tcp", "# transport: tcp\n# set: contract.lifetime=ever", 8, "echo over tcp: lifetime"),
    ],
)
def test_mistake_in_a_broken_program(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    path = put(tmp_path, "broken/half-close/reply-after-fin--drops.py", BROKEN.replace(old, new))
    assert mistakes(path)[0].startswith(f"{path}:{line}: {said}")


def test_check_that_is_not_asked_for(tmp_path: Path) -> None:
    text = BROKEN.replace("half-close/reply-after-fin", "half-close/server-first").replace(
        "half-close/?*,", ""
    )
    path = put(tmp_path, "broken/half-close/server-first.py", text)
    (said,) = mistakes(path)
    assert said.startswith(f"{path}:3: half-close/server-first is not asked for with echo over tcp")


def test_program_at_the_wrong_place(tmp_path: Path) -> None:
    (said,) = mistakes(put(tmp_path, "broken/reset/echo.c", RIGHT))
    assert "a right program at this place" in said


def test_programs_are_found_by_their_place(tmp_path: Path) -> None:
    put(tmp_path, "reference/echo.c", RIGHT)
    put(tmp_path, "reference/README.md", "")
    put(tmp_path, "broken/half-close/reply-after-fin.py", BROKEN)
    put(tmp_path, "broken/half-close/__pycache__/x.pyc", "")
    found = [path.name for path in programs(tmp_path / "programs")]
    assert found == ["echo.c", "reply-after-fin.py"]


def test_header_ends_where_the_comment_does() -> None:
    assert header_lines("// right: x\n// profile: echo\n#include <a>\n// set: y\n") == [
        (1, "right: x"),
        (2, "profile: echo"),
    ]
    assert header_lines("\n/* right: x */\n/* profile: echo */\n") == [(2, "right: x")]
