"""The recipes of ``sockspec explain``: right programs show what the recipe says they show."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.handbook.families import families
from harness.handbook.recipes import RECIPES, START, recipe_for
from harness.house import PROGRAMS

#: What must be in the output, in this order; by recipe.
SHOWN = {
    "accept": r"hello 1\nhello 2\nhello 3\nstill there\n",
    "accept/aborted-in-queue": r"hello\n",
    "accept/descriptor-exhaustion": r"STAT .*\n.+\nhello\n",
    "bind": r"LISTEN.*:7000.*\n(.*\n)*status [1-9]\d*\n(.*\n)*status [1-9]\d*\n",
    "concurrency": r"hello\n",
    "half-close": r"hello\nsame\n(?!(.*\n)*CLOSE-WAIT)",
    "http": r"(.*\n)*.*\\r  \\n  \\r  \\n(.*\n)*HTTP/1.1 404 .*\n(?!(.*\n)*secret)(.*\n)*still there\n",
    "cgi": r"(HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n(.*\n)*){3}",
    "listen": r"LISTEN +5 .*\nhello 3\nhello 4\nhello 5\nhello 6\nhello 7\n",
    "nonblocking": r"hello\nsame\n",
    "oob": r"hello\n\nSTAT .*\n.+\n",
    "port-reuse": r"hello\n(.*\n)*TIME-WAIT.*\n(.*\n)*LISTEN",
    "reset": r"still there\nhello\n",
    "resources": r"(?P<before>\d+)\n(?P=before)\n1\n *PID STAT COMMAND\n$",
    "security": r"65536\n%n%n%s%s\nstill there\n",
    "signals": r"status 0\n$",
    "stream": r"hello\none two\nsame\n",
    "udp": r"UNCONN.*:7000(.*\n)*hello\n0 0\n1 1\n1472 1472\n65507 65507\n$",
}

#: A person is slower than the program; a script has to look.
ALL_CLOSED = "while ss -Htn state established state close-wait 'sport = :7000' | grep -q .; do kill -0 $server || exit 9; done"

_IN_OWN_NETWORK = """
import os, sys
from harness.subject import namespaces
if os.geteuid():
    namespaces.become_root_of_own_user_namespace()
namespaces.unshare(namespaces.NEW_NET)
namespaces.raise_loopback()
os.execvp("bash", ["bash", "-c", sys.argv[1]])
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the two servers, and with OpenBSD's nc under its short name."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    place = tmp_path_factory.mktemp("recipes")
    for source, name in (
        ("echo_epoll_lt.c", "server"),
        ("udp_echo_any.c", "udp-server"),
        ("http_cgi_iterative.c", "http-server"),
    ):
        subprocess.run(["cc", "-o", str(place / name), str(PROGRAMS / "reference" / source)], check=True)
    if (nc := shutil.which("nc.openbsd")) is not None:
        (place / "nc").symlink_to(nc)
    return place


@pytest.mark.parametrize("name", SHOWN)
def test_a_right_program_shows_what_the_recipe_says(name: str, workplace: Path) -> None:
    recipe = RECIPES[name]
    for tool in ("ss", *recipe.tools):
        if not ((workplace / tool).exists() if tool == "nc" else shutil.which(tool)):
            pytest.skip(f"{tool} is not installed")
    script = [f"PATH={workplace}:$PATH"]
    server = {"udp": "./udp-server", "http": "./http-server", "cgi": "./http-server"}.get(name, "./server")
    table = "-uln" if name == "udp" else "-tln"
    for command in recipe.commands:
        script.append(command.replace("./server", server).replace("; ls /proc", f"; {ALL_CLOSED}; ls /proc"))
        if "& server=$!" in command:
            script.append(
                f"until ss -H {table} 'sport = :7000' | grep -q .; do kill -0 $server || exit 9; done"
            )
    script.append("kill -KILL $server 2>/dev/null; wait 2>/dev/null; true")
    done = subprocess.run(
        [sys.executable, "-c", _IN_OWN_NETWORK, "\n".join(script)],
        cwd=workplace,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
    )
    if "PermissionError" in done.stderr:
        pytest.skip("no network namespaces here")
    assert re.search(SHOWN[name], done.stdout), f"\n{done.stdout}\n--\n{done.stderr}"


def test_every_recipe_begins_by_starting_the_program() -> None:
    local = ("socketpair", "names/addresses")  # which talk to nobody
    for name, recipe in RECIPES.items():
        if name in local:
            assert any("./program" in command for command in recipe.commands), name
            continue
        begins = (
            "server 7000" if name == "daemon" else "& server=$!"
        )  # which starts in the background by itself
        assert any(begins in command for command in recipe.commands), name
        others = (
            "unix",
            "accept/descriptor-exhaustion",
            "client",
            "names",
            "udp-client",
            "daemon",
            "http",
            "cgi",
        )
        assert START in recipe.commands or name in others, name


def test_a_check_takes_the_recipe_of_its_family() -> None:
    assert recipe_for("accept/sequential") is RECIPES["accept"]
    assert recipe_for("accept/aborted-in-queue") is RECIPES["accept/aborted-in-queue"]
    assert recipe_for("nothing/of-the-kind") is None
    assert [name for name in families() if recipe_for(f"{name}/x") is None] == []
