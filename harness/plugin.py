"""The pytest plugin: options, one session per run, results from reports, the exit status.

pytest does what it does well (selection, parametrising, workers, the last timeout); this file only
connects.  Without ``--submission`` it does nothing, so it is harmless in an environment where sockspec is
merely installed.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import signal
import sys
import time
from collections.abc import Generator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from harness import house
from harness.assignment.problem import AssignmentError, nearest
from harness.catalogue import catalogue
from harness.checks import Check
from harness.report import console, formats
from harness.run.gather import Gatherer, needs_of
from harness.run.options import Options, UsageError, add_options
from harness.run.session import Session, join_session, open_session
from harness.run.telling import tell
from harness.stage.stage import Stage
from harness.subject import network
from harness.subject.isolation import IsolationError
from harness.verdict.outcome import Level, NotApplicable, Outcome
from harness.verdict.result import CheckResult, Results

SESSION = pytest.StashKey[Session]()
STAGE = pytest.StashKey[Stage]()
PLACE = pytest.StashKey[int]()
TOLD = pytest.StashKey[CheckResult]()

#: Exit statuses (PROFILES: 0 met, 1 not met, 2 usage, 3 could not be decided).
MET, USAGE, UNDECIDED = 0, 2, 3

_LEVELS = [Level.MUST, Level.SHOULD, Level.ADVICE]

#: pytest-timeout ends a check this many times the fuse of one wait: the last fuse of all.
TIMEOUT_IN_FUSES = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sockspec", "checking a submitted socket program")
    group.addoption(
        "--submission", metavar="PATH", help="the submission: a directory, a source file or an executable"
    )
    add_options(group.addoption)


def options_of(config: pytest.Config) -> Options | None:
    """What was asked for, None without a submission."""
    get = config.getoption
    if get("--submission") is None:
        return None
    return Options(
        submission=str(get("--submission")),
        assignment=get("--assignment"),
        profile=get("--profile"),
        transport=get("--transport"),
        build=get("--build"),
        run=get("--run"),
        sets=list(get("sets")),
        select=list(get("--select")),
        skip=list(get("--skip")),
        level=get("--level"),
        seed=get("--seed"),
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "check(check): one requirement of the catalogue (harness/checks.py)")
    _load_fixtures(config)
    options = options_of(config)
    if options is None:
        return
    if hasattr(config, "workerinput"):
        network.prepare_worker()
        session = join_session(options, pickle.loads(config.workerinput["sockspec_built"]))
    else:
        try:
            network.prepare_process()
        except IsolationError as error:
            raise pytest.UsageError(str(error)) from None
        # What a cancelled job gets (SIGTERM) ends as Ctrl-C does: with the reports written and nothing left running.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _look_at_globs(config, options)
            _look_at_targets(config)
            session = open_session(options)
        except AssignmentError as error:
            raise pytest.UsageError("\n".join(str(problem) for problem in error.problems)) from None
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        config.add_cleanup(session.close)
        if not config.getoption("numprocesses", None):
            network.prepare_worker()
        config.pluginmanager.register(Controller(session), "sockspec controller")
    config.stash[SESSION] = session
    if not getattr(config.option, "timeout", None):
        config.option.timeout = session.assignment.limits.wall_seconds * TIMEOUT_IN_FUSES
    if not config.getoption("verbose") > 1 and _only_our_suites(config):
        config.option.reportchars = ""
        config.option.tbstyle = "no"  # the story of a failure is told on our own page


def _only_our_suites(config: pytest.Config) -> bool:
    return all(Path(word.partition("::")[0]).resolve().is_relative_to(house.SUITES) for word in config.args)


def _look_at_globs(config: pytest.Config, options: Options) -> None:
    """A glob that names no check is a slip of the pen; somebody's own tests may have ids of their own."""
    if not _only_our_suites(config):
        return
    for option, globs in (("--select", options.select), ("--skip", options.skip)):
        for glob in globs:
            if not any(fnmatchcase(check_id, glob) for check_id in catalogue()):
                meant = nearest(
                    glob, {*catalogue(), *(f"{check_id.partition('/')[0]}/*" for check_id in catalogue())}
                )
                hint = f"; nearest: {meant}" if meant else ""
                raise UsageError(
                    f"{option} {glob}: no check has such an id{hint} (`sockspec list` shows all)"
                )


def _look_at_targets(config: pytest.Config) -> None:
    """Reports can be written: found out before the run, not after it."""
    for option in formats():
        if (target := config.getoption(f"sockspec_{option}", None)) is None:
            continue
        path = Path(target)
        if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise UsageError(
                f"--{option} {target}: no file can be written there; is the directory right, and writable?"
            )


def _load_fixtures(config: pytest.Config) -> None:
    """Register the fixtures of ``fixtures/`` as plugins, from a checkout or from a wheel."""
    for path in sorted(house.FIXTURES.glob("*.py")):
        name = f"sockspec_fixtures_{path.stem}"
        if config.pluginmanager.has_plugin(name):
            continue
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None, path
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        config.pluginmanager.register(module, name)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist gets what the controller has built."""
    if (session := node.config.stash.get(SESSION, None)) is not None:
        node.workerinput["sockspec_built"] = pickle.dumps(session.built)


def pytest_report_header(config: pytest.Config) -> list[str]:
    session = config.stash.get(SESSION, None)
    if session is None:
        return []
    return [
        f"sockspec: {session.options.submission} against {session.assignment.name}; isolation {session.isolation}"
    ]


# -- which checks run ----------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case per stop signal that the contract asks for."""
    if "stop_signal" in metafunc.fixturenames:
        session = metafunc.config.stash.get(SESSION, None)
        names = list(session.assignment.contract.stop) if session is not None else []
        metafunc.parametrize("stop_signal", names or [None], ids=names or ["none"], indirect=True)


def check_of(item: pytest.Item) -> Check | None:
    """The check that a test function is, None if it is none."""
    mark = item.get_closest_marker("check")
    return mark.args[0] if mark is not None else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    session = config.stash.get(SESSION, None)
    if session is None:
        return
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        check = check_of(item)
        (kept if check is None or (session.built.ok and _wanted(session, check)) else dropped).append(item)
    for place, item in enumerate(kept):
        item.stash[PLACE] = place
    if dropped:
        items[:] = kept
        config.hook.pytest_deselected(items=dropped)


def _wanted(session: Session, check: Check) -> bool:
    options = session.options
    if options.select and not any(fnmatchcase(check.id, glob) for glob in options.select):
        return False
    if any(fnmatchcase(check.id, glob) for glob in options.skip) or session.assignment.rubric.is_skipped(
        check.id
    ):
        return False
    level = check.level_for(session.assignment)
    return level is None or _LEVELS.index(level) <= _LEVELS.index(Level(options.level))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    session = item.config.stash.get(SESSION, None)
    check = check_of(item)
    if session is not None and check is not None and (reason := check.why_not(session.assignment)):
        raise NotApplicable(reason)


# -- results -------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    session, check = item.config.stash.get(SESSION, None), check_of(item)
    if session is None or check is None:
        return report
    error = call.excinfo.value if call.excinfo is not None else None
    if call.when == "call" or error is not None:
        case = getattr(getattr(item, "callspec", None), "id", None)
        stage = item.stash.get(STAGE, None)
        seconds = time.monotonic() - stage.timeline.began if stage is not None else call.duration
        result = tell(session, check, case, error, seconds, stage)
        earlier = item.stash.get(TOLD, None)
        if earlier is not None and earlier.outcome is not Outcome.PASS:
            return report  # what went wrong while clearing away does not hide the verdict
        item.stash[TOLD] = result
        setattr(report, "sockspec_place", item.stash.get(PLACE, 0))  # noqa: B010
        setattr(report, "sockspec", result.to_json())  # noqa: B010 (pytest carries extra attributes to the controller)
        _dress(report, result, item)
    return report


def _dress(report: pytest.TestReport, result: CheckResult, item: pytest.Item) -> None:
    """Make pytest count the outcome as what it is: only the program's fault and ours are failures."""
    if result.outcome is Outcome.PASS:
        return
    if result.outcome in (Outcome.FAIL, Outcome.HARNESS_ERROR):
        report.outcome = "failed"
        report.longrepr = f"{result.label}: {result.observed}"
    else:
        report.outcome = "skipped"
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), (line or 0) + 1, f"{result.outcome}: {result.observed}")


class Controller:
    """The process that gathers the results: makes the document, writes the reports, sets the exit status."""

    def __init__(self, session: Session) -> None:
        checks = catalogue()
        self._session = session
        self._gatherer = Gatherer(session, needs_of(entry.check for entry in checks.values()), checks)
        self._functions = {(entry.file.name, entry.function): entry.check for entry in checks.values()}
        self._done: Results | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = getattr(report, "sockspec", None)
        if told is not None:
            self._gatherer.add(CheckResult.from_json(told), getattr(report, "sockspec_place", 0))
        elif report.failed and (check := self._lost(report.nodeid)) is not None:
            error = RuntimeError(str(report.longrepr) or "the worker that ran this check has died")
            case = report.nodeid.partition("[")[2].rstrip("]") or None
            self._gatherer.add(tell(self._session, check, case, error, report.duration, None))

    def _lost(self, nodeid: str) -> Check | None:
        """The check of a report that says nothing of ours: its worker died, or its tear-down failed."""
        file, _, function = nodeid.partition("::")
        return self._functions.get((Path(file).name, function.partition("[")[0]))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        code = int(exitstatus)
        if code == pytest.ExitCode.USAGE_ERROR:
            session.exitstatus = USAGE
            return
        if (
            self._gatherer.empty
            and self._session.built.ok
            and code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        ):
            return  # tests that are no checks: what pytest says of them stands
        interrupted = code in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR) or bool(
            session.shouldfail
        )
        self._done = self._gatherer.results(complete=not interrupted)
        self._write(session.config, self._done)
        session.exitstatus = (
            UNDECIDED if interrupted and self._done.exit_status == MET else self._done.exit_status
        )

    @staticmethod
    def _write(config: pytest.Config, results: Results) -> None:
        for option, writer in formats().items():
            if (target := config.getoption(f"sockspec_{option}", None)) is not None:
                writer.write(results, Path(target))

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, config: pytest.Config) -> None:
        if self._done is not None:
            console.print_results(self._done, verbose=config.getoption("verbose") > 0)
