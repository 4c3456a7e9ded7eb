"""Every header says what it must, and every check has a program that fails it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import house
from harness.catalogue import catalogue
from harness.programs import HeaderError, programs, read, specimens

from .generate import PAGE, page, unproven


@pytest.mark.parametrize("path", [pytest.param(p, id=f"{p.parent.name}/{p.name}") for p in programs()])
def test_header_is_right(path: Path) -> None:
    wrong = ""
    try:
        read(path, catalogue())
    except HeaderError as error:
        wrong = str(error)
    if wrong:
        pytest.fail(wrong, pytrace=False)


def test_every_check_is_failed_by_a_program() -> None:
    missing = unproven(catalogue(), [read(path, None) for path in programs()])
    assert not missing, f"no program in fixtures/programs/broken fails {', '.join(missing)}"


def test_page_is_up_to_date() -> None:
    written = (house.HOUSE / PAGE).read_text(encoding="utf-8")
    checks = catalogue()
    assert written == page(checks, specimens(None)), f"{PAGE}: run python -m tests.matrix.generate"
