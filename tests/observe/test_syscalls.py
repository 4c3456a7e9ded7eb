"""Our numbers against those that the kernel publishes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.observe.syscalls import KINDS, CallKind, Calls, aarch64, x86_64

#: From the Debian packages linux-libc-dev and linux-libc-dev-arm64-cross.
X86_64 = [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")]
AARCH64 = [
    Path("/usr/aarch64-linux-gnu/include/asm-generic/unistd.h"),
    Path("/usr/include/asm-generic/unistd.h"),
]


def published(candidates: list[Path]) -> dict[str, int]:
    """``#define __NR_read 63``; in the generic table some are spelt ``__NR3264_fcntl``."""
    header = next((path for path in candidates if path.exists()), None)
    if header is None:
        pytest.skip(f"kernel headers are not installed: {candidates[0]}")
    found = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", header.read_text(), re.MULTILINE)
    return {name: int(number) for name, number in found}


@pytest.mark.parametrize(("ours", "headers"), [(x86_64.NUMBERS, X86_64), (aarch64.NUMBERS, AARCH64)])
def test_numbers_are_the_published_ones(ours: dict[str, int], headers: list[Path]) -> None:
    theirs = published(headers)
    assert {name: theirs.get(name) for name in ours} == ours


@pytest.mark.parametrize(("ours", "headers"), [(x86_64.NUMBERS, X86_64), (aarch64.NUMBERS, AARCH64)])
def test_every_call_that_we_can_decode_has_its_number(ours: dict[str, int], headers: list[Path]) -> None:
    theirs = published(headers)
    assert {name for name in KINDS if name in theirs} <= set(ours)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_calls_of_a_known_architecture(machine: str) -> None:
    calls = Calls(machine)
    numbers = {"x86_64": x86_64.NUMBERS, "aarch64": aarch64.NUMBERS}[machine]
    assert calls.supported
    assert calls.kind(numbers["accept"]) is CallKind.READ
    assert calls.name(numbers["futex"]) == "futex"
    assert calls.kind(99999) is CallKind.OPAQUE
    assert calls.name(99999) == "system call 99999"


def test_an_unknown_architecture_decodes_nothing() -> None:
    calls = Calls("sparc")
    assert not calls.supported
    assert calls.kind(0) is CallKind.OPAQUE
