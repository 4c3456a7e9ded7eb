"""Trying a feature of the kernel in a forked child, so that nothing of the trial sticks to us."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence


def attempt(feature: Callable[[], object]) -> str | None:
    """Run *feature* in a child process: None if it returned, otherwise why it did not, in words.

    The feature must not need other threads; in the child there are none.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        message = ""
        try:
            os.close(reader)
            feature()
        except OSError as error:
            message = error.strerror or str(error) or "refused"
        except BaseException as error:  # the child must not run into the parent's code
            message = str(error) or type(error).__name__
        finally:
            os.write(writer, message.encode()[:400])
            os._exit(0 if not message else 1)
    os.close(writer)
    with open(reader, "rb") as answer:
        said = answer.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if status == 0:
        return None
    return said or "the trial did not end normally"


def attempt_command(argv: Sequence[str]) -> None:
    """Run a command that is over at once; raises OSError with the last line of what it said on stderr."""
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=20,
        )
    except subprocess.TimeoutExpired:
        raise OSError(0, f"{argv[0]} did not end") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{argv[0]} ended with status {done.returncode}"]
        raise OSError(0, lines[-1])
