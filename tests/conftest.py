"""What has to be done before there is a second thread: with ``-n`` each worker has one from its beginning."""

from __future__ import annotations

import pytest

from harness.subject.isolation import detect
from harness.subject.network import prepare_process


def pytest_configure(config: pytest.Config) -> None:
    """Make an ordinary user root of a user namespace here, so that the workers, which cannot, are born into it.

    unshare(2) refuses CLONE_NEWUSER to a process with several threads.
    """
    starts_workers = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if starts_workers and detect().needs_user_namespace:
        prepare_process()
