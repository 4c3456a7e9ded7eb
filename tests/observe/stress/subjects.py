"""Two ways to run the stress server: bare, or like a submission, in the sandbox and under the supervisor."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from harness.observe.watched import Watched
from harness.subject.isolation import detect
from harness.subject.launch import Launcher
from harness.subject.network import Network, prepare_process

from ..tree import Tree

#: Given the server's path, the directory for its counter file and its mode: the running server.
Start = Callable[[Path, Path, str, ExitStack], Watched]

COUNTER = "finished"


def bare(program: Path, directory: Path, mode: str, stack: ExitStack) -> Watched:
    """Below a reaper, nothing else. Alarms are not seen."""
    return stack.enter_context(Tree([str(program), str(directory / COUNTER), mode]))


def bare_without_borrowing(program: Path, directory: Path, mode: str, stack: ExitStack) -> Watched:
    """As if a supervisor were there: without the right to borrow nobody else could see SO_RCVTIMEO."""
    tree = stack.enter_context(Tree([str(program), str(directory / COUNTER), mode]))
    tree.supervised = True
    return tree


def supervised(program: Path, directory: Path, mode: str, stack: ExitStack) -> Watched:
    """In a network of its own, in the sandbox, below our pid 1 and its seccomp supervisor."""
    isolation = detect()
    if isolation.needs_user_namespace:
        isolation = prepare_process()
    stack.enter_context(Network(isolation, random.Random(1)))
    launched = Launcher(isolation).start(
        [str(program), str(directory / COUNTER), mode], readable=[program], rendezvous=directory
    )
    stack.callback(launched.close)
    return launched
