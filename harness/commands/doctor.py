"""Say what this machine allows, what falls back, and what is lost by it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence

from harness import __version__
from harness.handbook.choice import FINE, UNDECIDED
from harness.handbook.eyesight import SOCK_DIAG, eyesight
from harness.handbook.page import Page
from harness.handbook.remedies import remedies
from harness.subject.isolation import FORCE, IsolationError
from harness.subject.probe import TOOLS, Feature, Findings, probe

NAME = "doctor"
HELP = "what this machine allows, and what falls back"

#: Without these nothing can be checked.
_ESSENTIAL = ("pid 1 compiled", SOCK_DIAG)

#: The packages we build on, by what they are for (pyproject.toml).
_PACKAGES = {
    "pytest": "running the checks",
    "pytest-timeout": "the last fuse of a check",
    "pytest-xdist": "-n, checking in several processes",
    "rich": "the pages on the terminal",
    "scapy": "taking segments apart",
    "h11": "reading HTTP",
    "hypothesis": "finding the smallest failing split",
    "jinja2": "reports in HTML",
}

#: How a tool is asked for its version, unless by --version.
_VERSION_OPTION = {"go": ["version"], "strace": ["-V"]}
#: So long may a tool take to say its version, in seconds; the answer decides nothing.
_PATIENCE = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are no options."""


def execute(arguments: argparse.Namespace) -> int:
    """Print the findings; the exit status is 3 if nothing can be checked here, otherwise 0."""
    page = Page()
    page.line(f"sockspec {__version__}", "bold")
    page.entry("kernel", f"{platform.system()} {platform.release()} ({platform.machine()})")
    page.entry("Python", f"{platform.python_version()}, {sys.executable}")
    try:
        findings = probe()
    except IsolationError as error:
        page.line()
        page.line(f"Nothing can be checked: {error}", "bold red")
        return UNDECIDED
    looks = eyesight()
    tools = [feature for feature in findings.features if feature.name in TOOLS]
    others = [feature for feature in findings.features if feature.name not in TOOLS]
    _isolation(page, findings)
    _features(page, "The system", others)
    _features(page, "What the observer may look at", looks)
    _features(page, "Tools", [_with_version(tool) for tool in tools])
    _features(page, "Python packages", _packages())
    return _summary(page, findings, [*others, *looks, *tools, *_packages()])


def _isolation(page: Page, findings: Findings) -> None:
    isolation = findings.isolation
    forced = f" ({FORCE} asks for it)" if os.environ.get(FORCE) else ""
    page.entry("isolation", f"{isolation}{forced}")
    for level, answer in isolation.refused.items():
        page.entry("", f"not {level}: {answer}", "dim")


def _features(page: Page, title: str, features: Iterable[Feature]) -> None:
    page.line()
    page.line(title, "bold")
    page.rows(
        (
            page.text("ok" if feature.works else "missing", "green" if feature.works else "bold yellow"),
            page.text(feature.name),
            page.text(_told(feature), "dim" if feature.works else ""),
        )
        for feature in features
    )


def _told(feature: Feature) -> str:
    if feature.works:
        return feature.detail or feature.use
    return f"{feature.detail}; lost: {feature.use}"


def _with_version(tool: Feature) -> Feature:
    if not tool.works:
        return tool
    return Feature(tool.name, True, f"{tool.detail}{_version(tool)}", tool.use)


def _version(tool: Feature) -> str:
    """What the tool says of itself: the first line that has a digit in it."""
    try:
        done = subprocess.run(
            [tool.detail, *_VERSION_OPTION.get(tool.name, ["--version"])],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f" (cannot be asked: {error})"
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    return next((f": {line}" for line in lines if any(map(str.isdigit, line))), "")


def _packages() -> list[Feature]:
    found = []
    for name, use in _PACKAGES.items():
        try:
            found.append(Feature(name, True, f"{importlib.metadata.version(name)}: {use}", use))
        except importlib.metadata.PackageNotFoundError:
            found.append(Feature(name, False, "not installed", use))
    return found


def _summary(page: Page, findings: Findings, features: Sequence[Feature]) -> int:
    page.line()
    missing = {feature.name: feature for feature in features if not feature.works}
    for number, remedy in enumerate(remedies(findings)):
        page.entry("" if number else "remedy", remedy)
    for name in _ESSENTIAL:
        if name in missing:
            page.line(f"Nothing can be checked: {missing[name].detail}", "bold red")
            return UNDECIDED
    if missing:
        page.paragraph(
            f"Programs can be checked here, at isolation {findings.isolation.level}; "
            f"what is lost is named above ({', '.join(missing)})."
        )
    else:
        page.paragraph("Programs can be checked here, and nothing is missing.")
    return FINE
