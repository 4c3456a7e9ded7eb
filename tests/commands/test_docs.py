"""docs/checks is what the suites say today."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
from pathlib import Path

from harness import commands
from harness.assignment import reference
from harness.handbook.pages import pages, write

DOCS = Path(__file__).parents[2] / "docs"
ADVICE = "run scripts/generate-docs"


def test_the_check_reference_is_up_to_date() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in (DOCS / "checks").glob("*.md")}
    assert written == pages(), ADVICE


def test_the_field_tables_are_up_to_date() -> None:
    page = (DOCS / "assignment-file.md").read_text(encoding="utf-8")
    assert reference.renewed(page) == page, ADVICE


def test_every_link_between_the_pages_leads_somewhere() -> None:
    made = pages()
    for name, text in made.items():
        for file, fragment in re.findall(r"\]\(([\w-]*(?:\.md)?)#([\w-]+)\)", text):
            headings = re.findall(r"^## (.*)$", made[file or name], re.MULTILINE)
            assert fragment in {heading.replace("/", "").lower() for heading in headings}, (name, fragment)
        for path in re.findall(r"\]\((\.\./[^)#]*)", text):
            assert (DOCS / "checks" / path).exists(), (name, path)


def test_a_page_whose_family_is_gone_is_removed(tmp_path: Path) -> None:
    write(tmp_path)
    generated = (tmp_path / "accept.md").read_text()
    (tmp_path / "gone.md").write_text(generated)
    (tmp_path / "mine.md").write_text("# Mine\n")
    write(tmp_path)
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "mine.md").exists()


def options_of(command: str) -> set[str]:
    """The options that a command knows."""
    found = (
        importlib.import_module(f"harness.commands.{m.name}") for m in pkgutil.iter_modules(commands.__path__)
    )
    parser = argparse.ArgumentParser()
    next(module for module in found if command == module.NAME).add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


def test_every_command_the_guide_shows_exists() -> None:
    text = (DOCS / "user-guide.md").read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()] + re.findall(
        r"`(sockspec [^`\n]*)`", text
    )
    shown = [found.groups() for line in lines if (found := re.match(r"\s*sockspec (\w+)([^#]*)", line))]
    assert len(shown) > 10
    for command, words in shown:
        known = options_of(command)
        for option in re.findall(r"(?<=\s)(--?[a-z-]+)", words):
            assert option in known, f"sockspec {command} {option}"


def test_every_file_the_guide_names_is_there() -> None:
    text = (DOCS / "user-guide.md").read_text(encoding="utf-8")
    for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (DOCS / path).exists(), path
