"""Signals, the end of the program, and what must not be left of it."""

from __future__ import annotations

import os
from signal import Signals

from harness.assignment.role import Role
from harness.observe.dispositions import dispositions
from harness.stage import sight
from harness.stage.instance import sentences
from harness.stage.listening import Listening
from harness.subject.wait_status import WaitStatus
from harness.verdict.outcome import Violation
from harness.verdict.show import count


class Ending(Listening):
    """An instance that is going to end."""

    def signal(self, number: Signals, *, group: bool = False) -> None:
        """Send a signal to the program, or to its whole process group."""
        whom = f"the process group of {self.name}" if group else self.name
        self.timeline.record("peer", f"sent {number.name} to {whom}")
        self.last_signal = number
        if group:
            self.program.signal_group(number)
        else:
            self.program.signal(number)

    def expect_end(self, agreed: int | str) -> WaitStatus:
        """The program ends; its wait status is the one *agreed* ("any", "signal", or an exit status)."""
        settled = self.until(lambda: self.program.status is not None)
        status = self.status
        if status is None:
            raise Violation(
                f"it is still running and will not end. {self.condition(settled)}",
                kind="no-end",
                sent=self.last_signal.name if self.last_signal is not None else None,
                listener_gone=self.profile.role is Role.SERVER and not self.serving(),
                **self.facts(),
                **self.dispositions(),
            )
        if (
            agreed == "any"
            or (agreed == "signal" and status.signal is not None)
            or (status.signal is None and status.code == agreed)
        ):
            return status
        wanted = "death by the signal" if agreed == "signal" else f"exit status {agreed}"
        raise Violation(
            f"it {status.told}; agreed is {wanted}.{self.last_words()}",
            kind="status",
            agreed=agreed,
            sent_number=int(self.last_signal) if self.last_signal is not None else None,
            **self.facts(),
        )

    def dispositions(self) -> dict[str, object]:
        """How the program treats SIGTERM and SIGINT: names of the signals it ignores, catches and blocks."""
        return dict(dispositions(self.program.pid))

    def agreed(self, number: Signals) -> int | str:
        """The wait status that the contract agrees on for this signal."""
        return self.contract.stop[number.name]

    def signal_together(self) -> None:
        """Send every signal that the contract names; the program meets them all at the same moment."""
        self.settle()
        with self.paused():
            for name in self.contract.stop:
                self.signal(Signals[name])

    def stop(self, number: Signals, *, group: bool = False) -> None:
        """Send a stop signal while the program is idle, and expect the agreed end."""
        self.settle()
        self.signal(number, group=group)
        self.expect_end(self.agreed(number))

    def end(self, number: Signals | None = None) -> None:
        """Make the program end by *number*, or else in the way its contract knows; by SIGKILL if that does not end it.

        Whether it stops as agreed is the business of signals/*; here it only has to be gone.
        """
        asked = [Signals[name] for name in self.contract.stop]
        settings = [options for at in self.serving() if (options := sight.options(at)) is not None]
        self.reuses_address = settings[0].reuse_address if settings else None
        self.signal(number or (asked[0] if asked else Signals.SIGKILL))
        self.until(lambda: self.program.status is not None)
        if self.status is None:
            self.signal(Signals.SIGKILL)
            self.expect_end("any")

    # -- what must not be left ---------------------------------------------------------------

    def expect_nothing_left(self) -> None:
        """No process of the program runs on after it."""
        self.until(lambda: not self.program.members())
        left = self.program.members()
        if left:
            raise Violation(
                f"the program has ended, but {count(len(left), 'process')} of it still runs. {self.condition_of_rest()}",
                kind="left-behind",
            )

    def expect_address_free(self) -> None:
        """Nothing serves the address any more, and a socket file is gone."""
        self.until(lambda: not self.serving())
        if self.serving():
            raise Violation(
                f"the program has ended, but a process of it still holds {self.address}. {self.condition_of_rest()}",
                kind="held",
            )
        if self.address.local and os.path.lexists(self.address.path):
            raise Violation(
                f"the program has ended, but its socket file {self.address.path} is still there.",
                kind="file-left",
            )

    def condition_of_rest(self) -> str:
        """What the processes that are left are doing."""
        return sentences(self.settle().reasons())

    def note_processes(self) -> None:
        """Remember the processes there are before the first client: a pool of workers may share the listener."""
        self.settle()
        self.at_start = frozenset(self.program.members())

    def expect_listener_released_by_children(self) -> None:
        """After the main process is killed, processes that it made for clients do not hold the listening socket."""
        self.settle()
        workers = self.program.members()
        if len(workers) < 2:
            return
        born_since = [pid for pid in workers if pid not in self.at_start]
        holders = [pid for pid in born_since if sight.holds(pid, self.listening_sockets())]
        if holders:
            self.signal(Signals.SIGKILL)
            self.expect_end("any")
            raise Violation(
                f"the process that serves the client also holds the listening socket: when the server is gone, "
                f"{self.address} stays taken until that client leaves, and new clients hang in a queue that nobody serves.",
                kind="inherited-listener",
            )

    def expect_canary_alive(self) -> None:
        """The innocent process next to the program has not been hit by a signal."""
        self.until(lambda: self.program.canary_status is not None)
        if self.program.canary_status is not None:
            raise Violation(
                f"a process that has nothing to do with the program was {self.program.canary_status} when the program ended.",
                kind="hit-others",
            )
