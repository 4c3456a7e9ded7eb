"""Likely causes: what is known decides, and a guess that does not fit is not made."""

from __future__ import annotations

from harness.verdict.cause import likely_cause
from harness.verdict.symptom import Symptom

USUAL = ((Symptom.UNREACHED, "the port lacks htons()"),)
SIZEOF = ((Symptom.SENT, "sizeof(buf)"),)


def connects(**facts: object) -> str:
    return likely_cause("client/connects", "not-reached", facts, USUAL)


def test_a_client_that_has_not_tried_is_told_how_it_was_started() -> None:
    cause = connects(tried=False, alive=False, code=2, signal=None, run="./x {peer_host}", by_default=True)
    assert "`./x {peer_host}`" in cause and "--run" in cause and "nobody has said" in cause
    assert "htons" not in cause


def test_a_client_that_has_tried_elsewhere_is_told_the_usual_mistake() -> None:
    assert "htons" in connects(tried=True, alive=False, code=1, signal=None, run="./x")
    assert "htons" in connects(tried=None, alive=False, code=1, signal=None, run="./x")


def test_a_crash_before_connecting_is_a_crash() -> None:
    assert "crashed" in connects(tried=False, alive=False, code=None, signal="SIGSEGV", run="./x")


def test_byte_order_is_blamed_only_for_bytes_in_the_other_order() -> None:
    wrong = likely_cause("client/dialogue", "wrong-request", {"swapped": True}, SIZEOF)
    assert "htonl" in wrong
    assert "htonl" not in likely_cause("client/dialogue", "wrong-request", {"swapped": False}, SIZEOF)
