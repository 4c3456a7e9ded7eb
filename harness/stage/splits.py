"""Cutting a request into pieces, everywhere, and finding the simplest cut that does harm."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Sequence

from harness.verdict.outcome import Violation

#: Cuts that are tried besides every cut in two.
EXAMPLES = 12
#: How many of either are tried where each takes a program of its own.
FEW = 6


class Splits:
    """Draws cuts from a seed; a failing one is shrunk by hypothesis to the fewest pieces."""

    def __init__(self, seed: int, *, few: bool = False) -> None:
        """*few*: try a few cuts only, since each of them takes a program of its own."""
        self._seed = seed
        self._few = few

    def of(self, request: bytes) -> Callable[[Callable[[Sequence[bytes]], None]], None]:
        """Run the decorated function at once with *request* cut in many ways.

        What it raises for the simplest failing cut is raised; the pieces stand in the timeline.
        """
        # Nothing is to be left in the directory from which we are run.
        os.environ.setdefault(
            "HYPOTHESIS_STORAGE_DIRECTORY",
            os.path.join(tempfile.gettempdir(), f"sockspec-hypothesis-{os.getuid()}"),
        )
        import hypothesis  # costs a quarter of a second to import, so only those pay who use it
        from hypothesis import strategies

        positions = strategies.integers(1, len(request) - 1)

        def run(exchange: Callable[[Sequence[bytes]], None]) -> None:
            for position in range(1, len(request), max(1, len(request) // FEW) if self._few else 1):
                exchange([request[:position], request[position:]])

            simplest: list[Violation] = []

            @hypothesis.seed(self._seed)
            @hypothesis.settings(
                max_examples=FEW if self._few else EXAMPLES,
                database=None,
                deadline=None,
                suppress_health_check=list(hypothesis.HealthCheck),
                print_blob=False,
                report_multiple_bugs=False,
            )
            @hypothesis.given(strategies.sets(positions, max_size=6))
            def anywhere(cuts: set[int]) -> None:
                edges = [0, *sorted(cuts), len(request)]
                try:
                    exchange([request[a:b] for a, b in itertools.pairwise(edges)])
                except Violation as violation:
                    simplest.append(violation)
                    raise

            try:
                anywhere()
            except hypothesis.errors.HypothesisException:
                # The program has changed by what was sent (it is gone, say), so the search ran into the sand.
                raise simplest[-1] from None

        return run
