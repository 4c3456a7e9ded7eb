"""What is agreed on for a server that passes on lines, or prints them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.assignment.kinds import Number, OneOf, Pattern
from harness.assignment.role import Role
from harness.assignment.setting import setting

SelfEcho = Literal["forbidden", "required", "unchecked"]
Verbatim = Literal["required", "advised", "unchecked"]

_SERVERS = (Role.SERVER,)


@dataclass(frozen=True)
class Rooms:
    """Fields of the table ``[contract]``."""

    prefix: str = field(
        default="",
        metadata=setting(
            Pattern(),
            "What the server must put before the text of a line that it passes on or prints; left out, anything "
            "printable, or nothing. The first group in it, if there is one, is the id of the member who said it.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    join: str = field(
        default="",
        metadata=setting(
            Pattern(),
            "The line that the other members get when one joins; left out, nobody asks. "
            "The first group in it, if there is one, is the new member's id.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    leave: str = field(
        default="",
        metadata=setting(
            Pattern(),
            "The line that the other members get when one leaves; left out, nobody asks.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    self_echo: SelfEcho = field(
        default="unchecked",
        metadata=setting(
            OneOf(get_args(SelfEcho)),
            "Whether the line of a member comes back to that member as well.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    verbatim: Verbatim = field(
        default="advised",
        metadata=setting(
            OneOf(get_args(Verbatim)),
            "Whether lines are passed on exactly as they were typed, with the blanks at their ends, and empty ones too.",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
    longest_line: int = field(
        default=4000,
        metadata=setting(
            Number(64, 65535, unit="bytes, the line end included"),
            "The longest line it must carry; at a terminal nobody can type more than 4096 bytes (termios(3)).",
            roles=_SERVERS,
            by_profile=True,
        ),
    )
