"""The steps of a declared dialogue as they are played: which belong together, and what sentences call them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from harness.assignment.dialogue import Act, Step
from harness.verdict.show import literal


def merged(steps: Sequence[Step]) -> tuple[Step, ...]:
    """*steps* with sends that follow each other on one connection put into one."""
    result: list[Step] = []
    for step in steps:
        last = result[-1] if result else None
        if last is not None and last.act is step.act is Act.SEND and last.on == step.on:
            result[-1] = replace(last, data=last.data + step.data)
        else:
            result.append(step)
    return tuple(result)


def groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Expectations that follow each other on one connection together, every other step alone."""
    for (act, _, _), group in groupby(
        steps, key=lambda step: (step.act, step.on, 0 if step.act is Act.EXPECT else step.number)
    ):
        members = list(group)
        assert act is Act.EXPECT or len(members) == 1
        yield members


def named(group: Sequence[Step]) -> str:
    """What a sentence calls the steps of *group*."""
    first, last = group[0].number, group[-1].number
    return (
        f"step {first} of the dialogue"
        if first == last
        else f"the part of steps {first} to {last} of the dialogue"
    )


def wanted(step: Step) -> str:
    """What *step* expects, for a sentence."""
    return literal(step.data) if step.pattern is None else f"something that matches {step.pattern!r}"
