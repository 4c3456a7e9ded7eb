"""dialogue: a protocol that the assignment declares step by step."""

import pytest

from harness.checks import (
    LOST,
    MUST,
    OPEN,
    WRONG,
    check,
    declared,
)
from harness.stage.dialogue import play


@pytest.mark.parametrize("delivery", ["whole", "byte-by-byte", "coalesced"])
@check(
    "dialogue/steps",
    MUST,
    "the assignment, table [dialogue]",
    "RFC 9293 section 3.1",
    only=declared,
    usual={
        OPEN: "the connection is not closed when everything has been said",
        LOST: "one read() is taken for one message",
        WRONG: "the text that is sent is not exactly the one that is asked for, or one read() is taken for one message",
    },
)
def test_steps(stage, delivery):
    """The program says exactly what the dialogue of the assignment asks for, however the bytes that it is sent arrive."""
    play(stage, delivery)
