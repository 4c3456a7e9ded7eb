"""What this machine lets us see."""

from __future__ import annotations

import dataclasses
import os

from harness.observe.capabilities import Rung, capabilities
from harness.observe.procfs import children


def test_here() -> None:
    before = children(os.getpid())
    found = capabilities()
    assert found.tcp and found.unix and found.children
    assert found.rung in (Rung.FULL, Rung.NO_BORROWING, Rung.STATES_ONLY)
    assert children(os.getpid()) == before


def test_rungs() -> None:
    everything = dataclasses.replace(capabilities(), syscall=True, memory=True, borrow=True, table=True)
    assert everything.rung is Rung.FULL
    assert dataclasses.replace(everything, borrow=False).rung is Rung.NO_BORROWING
    assert dataclasses.replace(everything, syscall=False).rung is Rung.STATES_ONLY
    assert dataclasses.replace(everything, table=False).rung is Rung.STATES_ONLY
    assert dataclasses.replace(everything, children=False).rung is Rung.NOTHING
    assert dataclasses.replace(everything, borrow=False).missing()[:1] == ["borrow"]
