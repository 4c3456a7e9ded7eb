"""Lines of TOML values: whatever the style of the file, every path tomllib knows has its line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from harness.assignment.locate import Path, lines_of


def paths_in(value: object, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_in(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths_in(item, (*path, index))


EVERY_STYLE = '''\
# a comment with [brackets] = and "quotes"
top = 1   # [no.table]
[assignment] # here
name = "a # b ] } = \\" c"
'quoted key' = 'lite"ral'
"es\\u0063aped" = """one
two \\""" still
three"""" # a quote, then the end

[contract]
stop.SIGTERM = 0
stop . "SIGINT" = "any"
nested = { a = [1, 2, { b = 'x', c = "}" }], d = {} }
long = [
  "first", # a comment ] here
  [ "in", "side" ],

  """many
lines""",
  \'\'\'raw " \'\' quote\'\'\',
]
when = 1979-05-27 07:32:00
[[step]]
send = "x"
[step.deep]
er = 1
[[step]]
send = "y"
[[step.sub]]
z = 1
[ a . "b.c" ]
last = 0x1F'''


def test_every_style_has_its_line() -> None:
    lines = lines_of(EVERY_STYLE)
    assert set(lines) == set(paths_in(tomllib.loads(EVERY_STYLE)))
    written = EVERY_STYLE.splitlines()
    assert lines["assignment",] == 3
    assert lines["assignment", "escaped"] == 6
    assert lines["contract", "stop"] == lines["contract", "stop", "SIGTERM"] == 11
    assert lines["contract", "stop", "SIGINT"] == 12
    assert lines["contract", "nested", "a", 2, "c"] == 13
    assert written[lines["contract", "long", 0] - 1] == '  "first", # a comment ] here'
    assert lines["contract", "long", 1, 1] == 16
    assert lines["contract", "long", 3] == 20
    assert lines["step", 0, "deep", "er"] == 26
    assert lines["step", 1, "send"] == 28
    assert lines["step", 1, "sub", 0, "z"] == 30
    assert lines["a", "b.c", "last"] == 32


def test_line_ends_of_another_system_count_the_same() -> None:
    assert lines_of(EVERY_STYLE.replace("\n", "\r\n")) == lines_of(EVERY_STYLE)


texts = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=8)
quoted = st.one_of(
    texts.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    texts.map(lambda text: "'" + text.replace("'", "") + "'"),
    texts.map(lambda text: '"""\n' + text.replace("\\", "\\\\").replace('"', '\\"') + '\n"""'),
    texts.map(lambda text: "'''" + text.replace("'", "") + "\n'''"),
)
keys = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), quoted.filter(lambda q: "\n" not in q))
blanks = st.sampled_from(["", " ", "\n", ' # ] } , = "\n', "\n\n\t"])


def arrays(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda values, blank, comma: (
            "[" + blank + ("," + blank).join(values) + (comma if values else "") + blank + "]"
        ),
        st.lists(items, max_size=4),
        blanks,
        st.sampled_from(["", ","]),
    )


def inline_tables(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(keys, items), max_size=3).map(
        lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs) + " }"
    )


values = st.recursive(
    st.one_of(quoted, st.sampled_from(["1", "true", "-1.5e3", "1979-05-27"])),
    lambda inner: st.one_of(arrays(inner), inline_tables(inner)),
    max_leaves=8,
)
documents = st.lists(st.one_of(st.tuples(keys, values), st.tuples(keys, st.none())), max_size=6).map(
    lambda parts: "\n".join(f"[{key}]" if value is None else f"{key} = {value}" for key, value in parts)
)


@given(documents)
def test_any_document_is_located_whole(document: str) -> None:
    try:
        wanted = set(paths_in(tomllib.loads(document)))
    except tomllib.TOMLDecodeError:
        return  # a key twice; tomllib's to refuse
    lines = lines_of(document)
    assert set(lines) == wanted
    assert all(1 <= line <= document.count("\n") + 1 for line in lines.values())
