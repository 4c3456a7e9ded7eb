"""What the profile of a program is that talks to nobody outside itself: its arguments, and what it must print."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from typing import ClassVar

from harness.assignment.profiles._base import Profile
from harness.assignment.profiles._difference import shown
from harness.assignment.role import Role


class LocalProfile(Profile):
    """A program that runs to completion; its output and its exit status are judged."""

    role = Role.LOCAL
    outputs = ("stdout", "stderr", "either")
    arguments: ClassVar[tuple[str, ...]] = ()
    """What it is started with if nobody says otherwise."""
    names_host: ClassVar[bool] = False
    """It is given the name of a host (``{peer_host}``) and looks it up."""

    @abstractmethod
    def misprint(self, stdout: bytes, stderr: bytes) -> str:
        """Why what it printed is wrong, a sentence; empty if it is right."""

    def streams(self, stdout: bytes, stderr: bytes) -> dict[str, bytes]:
        """What counts as its output, by ``contract.output``."""
        both = {"standard output": stdout, "standard error": stderr}
        wanted = {"stdout": "standard output", "stderr": "standard error"}.get(self.contract.output)
        return {name: text for name, text in both.items() if wanted in (None, name)}


def unmet(texts: dict[str, bytes], text: str, lines: tuple[str, ...]) -> str:
    """What of ``contract.text`` and ``contract.lines`` does not hold for any of *texts*; empty if nothing."""
    where = " and ".join(texts)
    if not any(written.strip() for written in texts.values()):
        return f"it printed nothing on {where}"
    if text and not any(_fits(text, written) for written in texts.values()):
        has = "; ".join(
            f"{name} has {shown(written, 200)}" for name, written in texts.items() if written.strip()
        )
        return f"asked is a text that matches {text!r} from beginning to end, and {has}"
    # A regular expression may mean \r with $; what ends a line is no part of it.
    free = [line for written in texts.values() for line in written.splitlines()]
    for pattern, wanted in Counter(lines).items():
        found = sum(bool(re.search(pattern.encode(), line)) for line in free)
        if found < wanted:
            none = f"no line on {where} matches {pattern!r}"
            few = f"{pattern!r} is asked for in {wanted} lines, and found in {found}"
            return f"{few if found else none}; it printed {shown(b'; '.join(free), 200)}"
    return ""


def _fits(text: str, written: bytes) -> bool:
    return any(re.fullmatch(text.encode(), whole) for whole in (written, written.rstrip(b"\r\n")))
