"""What a program is started with if nobody says otherwise (``program.run``)."""

from __future__ import annotations

from harness.assignment.profiles._base import Profile
from harness.assignment.profiles._client import ClientProfile
from harness.assignment.profiles._local import LocalProfile
from harness.assignment.transport import Transport


def default_arguments(profile: Profile, transport: Transport) -> tuple[str, ...]:
    """The words behind the program, with placeholders."""
    if isinstance(profile, LocalProfile):
        return profile.arguments
    if transport.is_unix:
        address: tuple[str, ...] = ("{path}",)
    else:
        address = profile.arguments if isinstance(profile, ClientProfile) else ("{port}",)
    # A server of files is given the directory behind its port.
    return (*address, "{root}") if "root" in profile.placeholders else address
