"""What people want to know before and after a run: ``list``, ``explain``, ``init``, ``doctor`` and docs/checks.

Reads the suites, the field tables and the known-bad programs; runs nothing that was handed in.
"""
