"""A program that is to end by itself: with the agreed status, or, if it cannot do its work, with a message."""

from __future__ import annotations

from harness.stage import client_findings as findings
from harness.stage.ending import Ending
from harness.stage.patience import PATIENCE_TO_GIVE_UP
from harness.verdict.outcome import Violation


class Completing(Ending):
    """An instance that nobody has to stop."""

    def last_chance_to_end(self) -> bool:
        """Whether our side could still do something that may make it end, and has just done it."""
        return False

    def expect_exit(self, agreed: int | str, after: str) -> None:
        """It ends by itself, with the status *agreed*, and leaves no process behind; *after* says when."""
        settled = self.until(lambda: self.program.status is not None)
        status = self.status
        if status is None:
            raise findings.no_end(self, after, settled)
        if status.signal is not None:
            raise Violation(
                f"{after}, and the program was {status}.{self.last_words()}", kind="died", **self.facts()
            )
        if agreed != "any" and status.code != agreed:
            raise Violation(
                f"{after}, and the program {status.told}; agreed is exit status {agreed}.{self.last_words()}",
                kind="client-status",
                agreed=agreed,
                **self.facts(),
            )
        self.expect_nothing_left()

    def expect_failure(self, why: str, *, patience: float = PATIENCE_TO_GIVE_UP) -> None:
        """It cannot do its work: it ends by itself, with a status other than 0 and a message; *why* says why.

        *patience*: seconds of idle time that it may take to find that out.
        """
        settled = self.until(lambda: self.program.status is not None, patience=patience)
        if self.status is None and self.last_chance_to_end():
            settled = self.until(lambda: self.program.status is not None, patience=patience)
        status = self.status
        if status is None:
            raise findings.no_end(self, why, settled)
        if status.signal is not None:
            raise Violation(
                f"{why}, and the program was {status}.{self.last_words()}", kind="died", **self.facts()
            )
        if status.code == 0:
            raise Violation(
                f"{why}, and the program ended with exit status 0, which says that all went well.",
                kind="status-zero",
                **self.facts(),
            )
        if not self.says_something():
            raise Violation(
                f"{why}, and the program {status.told}, but said nothing.",
                kind="silent",
                **self.facts(),
            )

    def says_something(self) -> bool:
        """Whether it has written anything; ask when it has ended."""
        self.until(lambda: self.program.stdout_at_eof)
        output = self.program.output
        return bool(output.stderr.strip() or output.stdout.strip())
