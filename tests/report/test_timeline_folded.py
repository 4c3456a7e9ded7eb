"""What was done, told shortly."""

from harness.verdict.timeline import HEAD, TAIL, folded, shortened


def test_same_deed_by_client_after_client() -> None:
    deeds = [f"client {n} connected to 127.0.0.1:7" for n in range(1, 9)]
    assert folded(deeds) == ["clients 1 to 8 connected to 127.0.0.1:7"]


def test_same_short_story_by_client_after_client() -> None:
    deeds = [f"client {n} {what}" for n in range(3, 9) for what in ("connected", f'sent "{n}"', "left")]
    assert folded(deeds) == ['clients 3 to 8, one by one, each connected, sent "3", left']


def test_other_order_is_not_folded() -> None:
    deeds = ["client 6 left", "client 3 left", "client 4 left"]
    assert folded(deeds) == ["client 6 left", "clients 3 to 4 left"]


def test_repetition_is_counted() -> None:
    deeds = ["client 1 sent 1 byte"] * 3 + ["sent SIGTERM"]
    assert folded(deeds) == ["client 1 sent 1 byte (3 times)", "sent SIGTERM"]


def test_different_deeds_stay() -> None:
    deeds = ["started the program", "client 1 connected", "client 1 left"]
    assert folded(deeds) == deeds


def test_long_story_is_cut_in_the_middle() -> None:
    deeds = [f"step {n}" for n in range(100)]
    short = shortened(deeds)
    assert short[:HEAD] == deeds[:HEAD]
    assert short[-TAIL:] == deeds[-TAIL:]
    assert short[HEAD] == f"({100 - HEAD - TAIL} more steps)"
