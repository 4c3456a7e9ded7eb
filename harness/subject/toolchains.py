"""Compilers and interpreters that do not live below /usr: found, and made visible in the sandbox.

A tool of pyenv, nvm, rustup or a container image's /usr/local consists of more than its executable:
the sandbox shows its whole prefix, read-only, at the same path.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: What the sandbox shows anyway. /usr/local is left out of it: the harness itself may be installed there.
_ALWAYS_VISIBLE = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/")
_NOT_VISIBLE = ("/usr/local/",)
_STANDARD_PATH = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
#: What a running program may need, and what only a build needs: in checks every mount counts.
_INTERPRETERS = ("python3", "python", "node", "java")
_COMPILERS = ("cc", "gcc", "c++", "g++", "make", "cmake", "go", "javac", "rustc", "cargo")


@dataclass(frozen=True)
class Tool:
    """An executable, and the directory tree it needs besides the standard ones (None: nothing)."""

    name: str
    path: str
    prefix: str | None = None


@functools.cache
def find_tool(name: str) -> Tool | None:
    """The tool of that name on this machine, None if it is not installed.

    ``python3`` is the system's if there is one, otherwise the interpreter that runs the harness.
    """
    if name in ("python3", "python"):
        return _python(name)
    found = shutil.which(name)
    if found is None:
        return None
    if os.path.basename(os.path.realpath(found)) == "rustup":
        return _rust(name, found)
    return _tool(name, found)


def _python(name: str) -> Tool | None:
    if os.path.exists("/usr/bin/python3"):
        return Tool(name, "/usr/bin/python3")
    return Tool(name, os.path.realpath(sys.executable), sys.base_prefix)


def _rust(name: str, found: str) -> Tool | None:
    """What rustup's proxy would start: it needs the user's home directory, which a sandbox does not show."""
    asked = subprocess.run([found, "--version"], capture_output=True)
    compiler = str(Path(found).with_name("rustc"))
    sysroot = subprocess.run([compiler, "--print", "sysroot"], capture_output=True, text=True).stdout.strip()
    real = Path(sysroot, "bin", name)
    return Tool(name, str(real), sysroot) if asked.returncode == 0 and sysroot and real.exists() else None


def _tool(name: str, found: str) -> Tool:
    real = os.path.realpath(found)
    if is_visible(found) and is_visible(real):
        return Tool(name, found)
    return Tool(name, real, _prefix_of(real))


def _prefix_of(executable: str) -> str:
    directory = Path(executable).parent
    return str(directory.parent if directory.name in ("bin", "sbin") else directory)


def is_visible(path: str) -> bool:
    """Whether every sandbox shows this file of the machine."""
    return path.startswith(_ALWAYS_VISIBLE) and not path.startswith(_NOT_VISIBLE)


def open_to_all(path: str) -> bool:
    """Whether every user may reach *path*: one in root's home is visible to programs in a sandbox only."""
    return all(os.stat(above).st_mode & 0o001 for above in (path, *map(str, Path(path).parents)))


@dataclass(frozen=True)
class Toolbox:
    """What a sandbox needs so that the tools are found in it."""

    search_path: str
    prefixes: tuple[str, ...]


@functools.cache
def toolbox(for_build: bool = False) -> Toolbox:
    """The search path and the directories to show, for what a program may want to use, or a build."""
    names = (*_INTERPRETERS, *_COMPILERS) if for_build else _INTERPRETERS
    tools = [tool for name in names if (tool := find_tool(name)) is not None and tool.prefix is not None]
    directories = _unique(os.path.dirname(tool.path) for tool in tools)
    return Toolbox(
        ":".join([*directories, *_STANDARD_PATH]), tuple(_unique(str(tool.prefix) for tool in tools))
    )


def resolve(argv: list[str]) -> list[str]:
    """*argv* with the tool's full path, if its first word is a bare name that we know better than PATH does."""
    if argv and "/" not in argv[0] and argv[0] in _INTERPRETERS:
        tool = find_tool(argv[0])
        if tool is not None:
            return [tool.path, *argv[1:]]
    return argv


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
