"""Rules by which to conclude that nothing more will happen: ours, and weaker ones for comparison."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from harness.observe.procfs import Changed, threads_below
from harness.observe.quiescence import LookKind, Oracle, _Sample
from harness.observe.settle import SettledKind, Settler

Ready = Callable[[], bool]
#: Given the question whether the reply is there: what to conclude now, and a word for statistics.
Conclude = Callable[[Ready], tuple["Conclusion", str]]


class Conclusion(Enum):
    """What a rule says at one moment."""

    NOTHING_YET = auto()
    ANSWERED = auto()
    NOTHING_MORE = auto()


def by_oracle(oracle: Oracle) -> Conclude:
    """One look of the oracle."""

    def conclude(ready: Ready) -> tuple[Conclusion, str]:
        kind = oracle.look().kind
        return _nothing_more(kind is LookKind.PROVEN), kind.value

    return conclude


def by_settler(oracle: Oracle) -> Conclude:
    """The whole policy, as the harness uses it."""
    settler = Settler(oracle)

    def conclude(ready: Ready) -> tuple[Conclusion, str]:
        connection = next(iter(oracle.peers))
        kind = settler.wait(ready, [connection.fileno()]).kind
        if kind is SettledKind.READY:
            return Conclusion.ANSWERED, kind.value
        return _nothing_more(kind in (SettledKind.QUIESCENT, SettledKind.IDLE)), kind.value

    return conclude


def by_state(oracle: Oracle) -> Conclude:
    """ "Every thread is in state S": what ps(1) shows."""

    def conclude(ready: Ready) -> tuple[Conclusion, str]:
        try:
            threads = threads_below(oracle.watched.root)
            asleep = bool(threads) and all(oracle.files.state(thread) in "SZ" for thread in threads)
        except Changed:
            asleep = False
        return _nothing_more(asleep), "asleep" if asleep else "awake"

    return conclude


class SinglePass(Oracle):
    """Everything is decoded, but the second sample is left out."""

    def _confirm(self, sample: _Sample) -> None:
        pass


def by_single_pass(oracle: Oracle) -> Conclude:
    """The oracle without its second sample."""
    single = SinglePass(oracle.watched, oracle.diag)
    single.peers = oracle.peers
    return by_oracle(single)


def _nothing_more(certain: bool) -> Conclusion:
    return Conclusion.NOTHING_MORE if certain else Conclusion.NOTHING_YET


RULES: dict[str, Callable[[Oracle], Conclude]] = {
    "oracle": by_oracle,
    "settler": by_settler,
    "state": by_state,
    "single-pass": by_single_pass,
}
