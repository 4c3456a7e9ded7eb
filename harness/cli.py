"""The command ``sockspec``: each sub-command is a module of :mod:`harness.commands`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence

from harness import __version__, commands


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0 met, 1 not met, 2 usage or file error, 3 could not be decided."""
    parser = argparse.ArgumentParser(prog="sockspec", description="Check programs that use sockets.")
    parser.add_argument("--version", action="version", version=f"sockspec {__version__}")
    sub = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for found in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"{commands.__name__}.{found.name}")
        own = sub.add_parser(module.NAME, help=module.HELP, description=module.__doc__)
        module.add_arguments(own)
        own.set_defaults(execute=module.execute)
    arguments = parser.parse_args(argv)
    return int(arguments.execute(arguments))


if __name__ == "__main__":
    sys.exit(main())
