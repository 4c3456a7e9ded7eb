"""One file per sub-command, found by its place.

A command is a module with ``NAME``, ``HELP``, ``add_arguments(parser)`` and ``execute(arguments) -> exit status``.
"""
