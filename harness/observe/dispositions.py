"""What a process does with a signal: /proc/PID/status, signal(7)."""

from __future__ import annotations

import signal
from enum import StrEnum

from harness.observe.procfs import status_field


class Disposition(StrEnum):
    """How a process would react to a signal now."""

    DEFAULT = "default"
    IGNORED = "ignored"
    CAUGHT = "caught"


def disposition(pid: int, number: int) -> Disposition:
    """What *pid* has chosen for signal *number*; DEFAULT when the process is gone."""
    if _has(pid, "SigIgn", number):
        return Disposition.IGNORED
    return Disposition.CAUGHT if _has(pid, "SigCgt", number) else Disposition.DEFAULT


def dispositions(pid: int) -> dict[str, list[str]]:
    """Names of the signals that process *pid* ignores, catches and blocks, and of those that are pending."""
    masks = {
        word: [number.name for number in signal.Signals if _has(pid, field, number)]
        for word, field in (("ignored", "SigIgn"), ("caught", "SigCgt"), ("blocked", "SigBlk"))
    }
    return masks | {"pending": [number.name for number in signal.Signals if is_pending(pid, number)]}


def is_pending(pid: int, number: int) -> bool:
    """Whether the signal was sent and waits, since every thread blocks it (sigprocmask(2))."""
    return _has(pid, "ShdPnd", number) or _has(pid, "SigPnd", number)


def signal_sentence(pid: int, number: int) -> str:
    """What became of signal *number*, sent to a process that is still there; "" if nothing can be said."""
    name = signal.Signals(number).name
    if is_pending(pid, number):
        return f"{name} is blocked (sigprocmask) and still pending"
    match disposition(pid, number):
        case Disposition.IGNORED:
            return f"it ignores {name} (SIG_IGN)"
        case Disposition.CAUGHT:
            return f"its handler for {name} has run or is installed, but the program went on waiting"
        case Disposition.DEFAULT if _has(pid, "SigBlk", number):  # blocked, and pending no more
            return f"it has fetched {name} (by sigwait() or from a signalfd), but goes on running"
        case Disposition.DEFAULT:
            return ""


def _has(pid: int, field: str, number: int) -> bool:
    mask = status_field(pid, field)
    return bool(mask) and bool(int(mask, 16) >> (number - 1) & 1)
