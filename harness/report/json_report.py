"""``--json``: the whole document, schema ``sockspec/1`` (``sockspec-1.schema.json`` beside this file).

It is the full record: hidden checks keep their story and carry ``"hidden": true``.
"""

from __future__ import annotations

import json
from pathlib import Path

from harness.report.atomic import write_atomically
from harness.report.legible import legible_document
from harness.verdict.result import Results

OPTION = "json"
HELP = "write the results as JSON, schema sockspec/1"

SCHEMA_FILE = Path(__file__).with_name("sockspec-1.schema.json")


def render(results: Results) -> str:
    """The document as text, control characters of the program's output escaped."""
    return json.dumps(legible_document(results.to_json()), indent=1, ensure_ascii=False) + "\n"


def write(results: Results, path: Path) -> None:
    """Write *results* to *path*, whole or not at all."""
    write_atomically(path, render(results))


def read(path: Path) -> Results:
    """Read what `write` wrote; raises OSError, or ValueError or KeyError if it is something else."""
    return Results.from_json(json.loads(path.read_text(encoding="utf-8")))
