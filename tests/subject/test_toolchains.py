"""Tools outside of /usr, and what their prefixes must not show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.subject import sandbox, toolchains
from harness.subject.isolation import Isolation, Level
from harness.subject.toolchains import Tool, find_tool, is_visible, resolve


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for cached in (find_tool, toolchains.toolbox):
        cached.cache_clear()


def test_visible_paths() -> None:
    assert is_visible("/usr/bin/cc") and is_visible("/bin/sh")
    assert not is_visible("/usr/local/bin/node") and not is_visible("/opt/go/bin/go")


@pytest.mark.usefixtures("nothing_known")
def test_a_tool_of_a_version_manager_brings_its_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "versions" / "v20" / "bin" / "node"
    real.parent.mkdir(parents=True)
    real.write_text("#!/bin/sh\necho node\n")
    real.chmod(0o755)
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "node").symlink_to(real)
    monkeypatch.setenv("PATH", f"{shims}:/usr/bin:/bin")
    assert find_tool("node") == Tool("node", str(real), str(tmp_path / "versions" / "v20"))
    box = toolchains.toolbox()
    assert (
        box.search_path.startswith(f"{real.parent}:") and str(tmp_path / "versions" / "v20") in box.prefixes
    )
    assert resolve(["node", "x.js"]) == [str(real), "x.js"]
    find_tool.cache_clear()
    toolchains.toolbox.cache_clear()


@pytest.mark.usefixtures("nothing_known")
def test_python_without_a_system_python_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "exists", lambda path: path != "/usr/bin/python3")
    tool = toolchains._python("python3")
    assert tool is not None and tool.prefix is not None and Path(tool.path).is_file()


def test_only_bare_names_are_resolved() -> None:
    assert resolve(["./server", "1"]) == ["./server", "1"]
    assert resolve(["python3", "x.py"])[0].startswith("/")
    assert resolve([]) == []


def test_the_harness_is_hidden_in_a_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "lib" / "site-packages" / "harness"
    monkeypatch.setattr(sandbox, "hidden_paths", lambda: (package,))
    monkeypatch.setattr(sandbox, "toolbox", lambda build: toolchains.Toolbox("/usr/bin", (str(tmp_path),)))
    words = sandbox.bwrap_command(Isolation(Level.L1, changes_user=False), sandbox.View(), Path("/x"))
    assert words[words.index(str(package)) - 1] == "--tmpfs"
    assert words.index(str(tmp_path)) < words.index(str(package))
