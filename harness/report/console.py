"""What a student sees: calm when all is well, a story for each failure.

Works without colours, in 80 columns and in any encoding.  Every line that carries text of
the program begins with something of ours, so that no CI system takes it for a command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from harness.report.legible import for_log
from harness.report.story import WORDS, parts, reason
from harness.verdict.outcome import Level, Outcome
from harness.verdict.result import CheckResult, Results
from harness.verdict.show import count
from harness.verdict.summary import Decision

#: Above this, checks with the same reason are one line with their number.
_FOLD = 6
#: Lines of the program's output below a story; all of them with ``-v``.
_OUTPUT_LINES = 8

#: Where the text of a story begins.
_COLUMN = 23

_STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.BLOCKED: "yellow",
    Outcome.INCONCLUSIVE: "cyan",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.HARNESS_ERROR: "bold magenta",
}
_VERDICTS = {
    Decision.PASS: ("PASS", "bold green"),
    Decision.FAIL: ("FAIL", "bold red"),
    Decision.UNDECIDED: ("UNDECIDED", "bold cyan"),
}


def print_results(results: Results, console: Console | None = None, *, verbose: bool = False) -> None:
    """Print the whole report; *verbose* adds timelines, all output and what was not asked for."""
    _Page(results, console or Console(highlight=False), verbose).print()


def render(results: Results, *, width: int = 80, verbose: bool = False) -> str:
    """The report as plain text without colours, *width* columns wide."""
    page = StringIO()
    print_results(results, Console(file=page, width=width, color_system=None), verbose=verbose)
    return page.getvalue()


class _Page:
    """One report on one console."""

    def __init__(self, results: Results, console: Console, verbose: bool) -> None:
        self.results = results
        self.console = console
        self.verbose = verbose
        unicode = console.encoding.startswith("utf")
        self.bar = "│ " if unicode else "| "
        self.dot = " · " if unicode else " - "
        #: How many checks wait for each that failed: what holds up most is told first.
        blocked = {(c.id, c.blocked_by) for c in results.checks if c.outcome is Outcome.BLOCKED}
        self.blocks = Counter(blocker for _, blocker in blocked)

    def print(self) -> None:
        shown = [check.for_student() for check in self.results.checks]
        self._header()
        self._build()
        self._families()
        failed = [check for check in shown if check.outcome is Outcome.FAIL]
        binding = list(Level)
        self._stories(
            sorted(
                (check for check in failed if not check.advice),
                key=lambda check: (binding.index(check.level), -self.blocks[check.id]),
            )
        )
        self._stories([check for check in failed if check.advice])
        self._reasons(shown, Outcome.BLOCKED)
        self._reasons(shown, Outcome.INCONCLUSIVE)
        self._reasons(shown, Outcome.HARNESS_ERROR)
        if self.verbose:
            self._reasons(shown, Outcome.NOT_APPLICABLE)
        self._end()

    # ---- parts of the page

    def _header(self) -> None:
        tool, asked, submission = self.results.tool, self.results.assignment, self.results.submission
        self._line(("sockspec ", "bold"), (tool.version, "bold"), (f"{self.dot}seed {tool.seed}", "dim"))
        over = f"{asked.profile} over {asked.transport}" if asked.transport else asked.profile
        self._entry("assignment", f"{asked.name}: {over}" if asked.name else over)
        self._entry("submission", submission.path)
        if submission.run:
            guess = submission.build.guess
            self._entry("program", " ".join(submission.run) + (f" (chosen: {guess})" if guess else ""))
        isolation = tool.isolation or "unknown"
        self._entry("isolation", isolation + (f": {'; '.join(tool.lost)}" if tool.lost else ""))
        self._line()

    def _build(self) -> None:
        build = self.results.submission.build
        if build.ok:
            return
        self._line(("FAIL ", "bold red"), ("the submission does not build", "bold"))
        self._output(build.output)
        self._line()

    def _families(self) -> None:
        families = self.results.families()
        column = max((len(name) for name in families), default=0) + 4
        for name, checks in families.items():
            counts = Counter(check.outcome for check in checks)
            words = [
                (f"{counts[outcome]} {WORDS[outcome]}", outcome) for outcome in Outcome if counts[outcome]
            ]
            line: list[tuple[str, str]] = [(f"  {name}".ljust(column), "")]
            for number, (text, outcome) in enumerate(words):
                line += [(", " if number else "", "dim"), (text, _STYLES[outcome])]
            self._line(*line)
        if families:
            self._line()

    def _stories(self, failed: Sequence[CheckResult]) -> None:
        """One story for each check; its further cases are a line each."""
        by_id: dict[str, list[CheckResult]] = {}
        for check in failed:
            by_id.setdefault(check.id, []).append(check)
        for first, *others in by_id.values():
            self._story(first)
            for other in others[: None if self.verbose else _FOLD]:
                self._barred("Also with", f"{other.case}: {reason(other)}")
            if len(others) > _FOLD and not self.verbose:
                self._barred("Also with", f"{len(others) - _FOLD} more cases; -v shows all")
            if first.program_output:
                self._barred("It printed", "")
                self._output(first.program_output)
            self._line()

    def _story(self, check: CheckResult) -> None:
        word, style = ("ADVICE", "yellow") if check.advice else ("FAIL", "bold red")
        note = check.level.value if check.max_points <= 0 else f"{check.level.value}, {_points(check)}"
        self._line((f"{word} ", style), (check.label, "bold"), (f"  ({note})", "dim"))
        if waiting := self.blocks[check.id]:
            self._barred("It blocks", f"{count(waiting, 'other check')}: begin here")
        if check.title and not check.rule.text:
            self._barred("", check.title)
        told = dict(parts(check))
        command = told.pop("Try it", "")
        for name, text in told.items():
            self._barred(name, text)
        if command:
            self._command(command)
        if self.verbose:
            for event in check.timeline:
                self._barred(f"{event.t * 1000:.3f} ms", f"{event.who}: {event.what}")

    def _reasons(self, checks: Iterable[CheckResult], outcome: Outcome) -> None:
        """A line for each check, or for each reason that many checks share."""
        by_reason: dict[str, list[CheckResult]] = {}
        for check in checks:
            if check.outcome is outcome:
                by_reason.setdefault(reason(check), []).append(check)
        for why, same in by_reason.items():
            folded = len(same) > _FOLD and not self.verbose
            for label in [f"{len(same)} checks"] if folded else [check.label for check in same]:
                head = self._text(
                    (outcome.value.upper(), _STYLES[outcome]), (f" {label}  ", "bold"), (why, "")
                )
                self._wrapped(head, Text(), Text("    "))
        if by_reason:
            self._line()

    def _end(self) -> None:
        summary = self.results.summary
        counted = [
            f"{n} {WORDS[outcome]}{self._shown_as(outcome, n)}"
            for outcome in Outcome
            if (n := summary.counts.get(outcome, 0))
        ]
        seconds = f"{self.results.seconds:.1f} s"
        counts = self.dot.join([", ".join(counted) or "no checks", seconds])
        self._wrapped(self._text((counts, "dim")), Text(), Text())
        word, style = _VERDICTS[summary.verdict]
        score = (
            f"  {round(summary.score, 2):g} of {round(summary.max_score, 2):g} points"
            if summary.max_score
            else ""
        )
        why = f"  ({'; '.join(summary.why)})" if summary.why else ""
        self._wrapped(self._text((word, style), (score, "bold"), (why, "")), Text(), Text("    "))

    def _shown_as(self, outcome: Outcome, cases: int) -> str:
        """How many stories stand above for so many failed *cases*: a check has one, whatever it is tried with."""
        told = len({check.id for check in self.results.checks if check.outcome is outcome})
        return f" (cases of {count(told, 'check')})" if outcome is Outcome.FAIL and told != cases else ""

    # ---- lines

    def _text(self, *pieces: tuple[str, str]) -> Text:
        """Text that can be shown on this console; nothing in it is taken for markup."""
        encoding = self.console.encoding
        text = Text()
        for piece, style in pieces:
            text.append(for_log(piece).encode(encoding, "backslashreplace").decode(encoding), style)
        return text

    def _line(self, *pieces: tuple[str, str]) -> None:
        self.console.print(self._text(*pieces), soft_wrap=True, highlight=False)

    def _entry(self, name: str, value: str) -> None:
        if value:
            self._wrapped(self._text((value, "")), Text(f"  {name:<12}", "dim"), Text(" " * 14))

    def _barred(self, name: str, value: str) -> None:
        """A part of a story: its name, its text in a column of its own, then any lines below at the left.

        Lines after the first are tables and rows of bytes, where every column counts.
        """
        bar = Text(self.bar, "red")
        sentence, _, rows = for_log(value).partition("\n")
        first = bar + Text(f"{name:<{_COLUMN}}" if name else "", "bold")
        self._wrapped(self._text((sentence, "")), first, bar + Text(" " * _COLUMN if name else ""))
        for row in rows.splitlines():
            self._wrapped(self._text((row, "")), bar + Text("  "), bar + Text("  "))

    def _wrapped(self, text: Text, first: Text, others: Text) -> None:
        """Print *text* wrapped, *first* before its first line and *others* before the rest."""
        width = max(self.console.width - max(first.cell_len, others.cell_len), 20)
        for number, line in enumerate(text.wrap(self.console, width) or [Text()]):
            line.rstrip()
            whole = (others if number else first) + line
            whole.rstrip()
            self.console.print(whole, soft_wrap=True, highlight=False)

    def _command(self, command: str) -> None:
        """Never wrapped by us, so that it can be copied in one piece."""
        for number, line in enumerate(command.splitlines()):
            name = f"{'' if number else 'Try it:':<{_COLUMN}}"
            self._line((self.bar, "red"), (name, "bold"), (line, "green"))

    def _output(self, output: str) -> None:
        lines = for_log(output).splitlines()
        if len(lines) > _OUTPUT_LINES and not self.verbose:
            self._line(
                (self.bar, "red"), (f"  ({len(lines) - _OUTPUT_LINES} earlier lines; -v shows all)", "dim")
            )
            lines = lines[-_OUTPUT_LINES:]
        for line in lines:
            marker = Text(self.bar, "red") + Text("  > ", "dim")
            self._wrapped(self._text((line, "")), marker, marker)


def _points(check: CheckResult) -> str:
    return f"{round(check.points, 2):g} of {round(check.max_points, 2):g} points"
