"""Compiling our pid 1, and the cache it is kept in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.subject import pid1_binary as module
from harness.subject.private_cache import NoCache, is_ours, private_cache

compile_now = module.pid1_binary.__wrapped__


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sources_are_clean(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    sources = sorted(str(path) for path in module.SOURCES.glob("*.c"))
    command = [compiler, *module.FLAGS, "-Werror", "-o", str(tmp_path / "pid1"), *sources]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_sources_are_short() -> None:
    for path in module.SOURCES.iterdir():
        assert len(path.read_text().splitlines()) < 150, path


def test_compiled_once_into_a_private_cache(cache: Path) -> None:
    binary = compile_now()
    assert binary.is_relative_to(cache / "sockspec") and is_ours(binary) and is_ours(binary.parent)
    assert (cache / "sockspec").stat().st_mode & 0o777 == 0o700
    made = binary.stat().st_mtime_ns
    assert compile_now() == binary and binary.stat().st_mtime_ns == made
    assert [path.name for path in binary.parent.iterdir()] == ["pid1"]


def test_what_others_can_write_is_not_used(cache: Path) -> None:
    binary = compile_now()
    binary.write_bytes(b"planted")
    binary.chmod(0o777)
    assert compile_now() == binary and binary.read_bytes().startswith(b"\x7fELF")


def test_no_compiler_is_said_clearly(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/does/not/exist")
    with pytest.raises(module.Pid1Unavailable, match="install cc"):
        compile_now()


def test_a_compiler_that_fails_is_quoted(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho no headers >&2; exit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(module.Pid1Unavailable, match="no headers"):
        compile_now()


def test_a_cache_that_others_can_write_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "sockspec").mkdir()
    (tmp_path / "sockspec").chmod(0o777)
    fallback = private_cache()
    assert fallback.parent == tmp_path / "tmp"
    fallback.chmod(0o777)
    with pytest.raises(NoCache):
        private_cache()
