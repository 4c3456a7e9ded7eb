"""The part a submitted program plays in a conversation."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Which side of the conversation is the program under test."""

    SERVER = "server"
    CLIENT = "client"
    LOCAL = "local"
    """Talks to nobody outside itself: runs to completion, output and status are judged."""

    @property
    def noun(self) -> str:
        """What one calls such a program."""
        return "local program" if self is Role.LOCAL else self.value
