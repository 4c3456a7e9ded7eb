"""The contract: what a profile leaves open and a suite must know.

The defaults ask only what the profile's text says (docs/decisions/0001-contract-defaults.md).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from harness.assignment.terms.clients import Clients
from harness.assignment.terms.files import Files
from harness.assignment.terms.rooms import Rooms
from harness.assignment.terms.servers import Servers


@dataclass(frozen=True)
class Contract(Files, Rooms, Clients, Servers):
    """The table ``[contract]``; its fields stand in the order of the bases from the last to the first."""

    def as_dict(self) -> dict[str, object]:
        """The fields by name, as the results (``assignment.contract``) show them."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        return values | lists | {"stop": dict(self.stop)}
