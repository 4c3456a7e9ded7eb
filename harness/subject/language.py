"""Guessing from the files of a submission how it is built and started. Always the same guess, and it says which."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.subject.toolchains import find_tool
from harness.subject.workcopy import SubmissionError

#: What a program is started with if nobody says otherwise.
ARGUMENTS = ("{port}",)


@dataclass(frozen=True)
class Preference:
    """Which of several programs is meant, by words in their names."""

    #: The first word that fits any.
    words: tuple[str, ...]
    #: Rather one without these words, which belong to the other side of the conversation.
    avoided: tuple[str, ...] = ()


SERVER = Preference(("server", "srv", "daemon", "main", "program"), ("client",))
CLIENT = Preference(("client", "main", "program"), ("server", "srv", "daemon"))


@dataclass(frozen=True)
class Plan:
    """How to build and start a submission."""

    language: str
    #: A text for sh, None if there is nothing to build.
    build: str | None
    #: The words that start it; None: an executable that the build makes, found afterwards.
    run: tuple[str, ...] | None
    #: Where and why, for the student.
    reason: str
    #: Programs that must be installed here.
    tools: tuple[str, ...] = ()
    #: The directory, relative to the submission, in which executables are looked for afterwards.
    where: str = "."
    environment: dict[str, str] = field(default_factory=dict)


def make_plan(directory: Path, preferred: Preference = SERVER) -> Plan | None:
    """The first guess that fits the files in *directory*; None if nothing does.

    Raises `SubmissionError` when the guess needs a tool that is not installed.
    """
    names = sorted(path.name for path in directory.iterdir() if path.is_file())
    for guess in _GUESSES:
        plan = guess(directory, names, preferred)
        if plan is None:
            continue
        for tool in plan.tools:
            if find_tool(tool) is None:
                raise SubmissionError(f"{plan.reason}; that needs {tool}, which is not installed here")
        return plan
    return None


def choose(names: Sequence[str], preferred: Preference) -> str:
    """One of several *names*: by the words of *preferred*, else the first in alphabetical order."""

    def of_other_side(name: str) -> bool:
        return any(word in Path(name).stem.lower() for word in preferred.avoided)

    candidates = sorted(name for name in names if not of_other_side(name)) or sorted(names)
    for word in preferred.words:
        for name in candidates:
            if word in Path(name).stem.lower():
                return name
    return candidates[0]


def _among(chosen: str, candidates: Sequence[str]) -> str:
    others = [name for name in sorted(candidates) if name != chosen]
    return f"{chosen} (not {', '.join(others[:5])})" if others else chosen


def _with_suffix(names: Sequence[str], *suffixes: str) -> list[str]:
    return [name for name in names if name.endswith(suffixes)]


def _having(directory: Path, names: Sequence[str], pattern: str) -> list[str]:
    """Files that contain *pattern*, comments not excepted."""
    wanted = re.compile(pattern)
    return [name for name in names if wanted.search((directory / name).read_text(errors="replace"))]


def _executable_name(directory: Path, stem: str) -> str:
    return f"{stem}.out" if (directory / stem).is_dir() else stem


def _makefile(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    found = next((name for name in ("GNUmakefile", "makefile", "Makefile") if name in names), None)
    return (found and Plan("make", "make", None, f"there is a {found}: built by make", ("make",))) or None


def _cmake(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    if "CMakeLists.txt" not in names:
        return None
    build = "cmake -S . -B build-sockspec -DCMAKE_BUILD_TYPE=Release && cmake --build build-sockspec"
    reason = "there is a CMakeLists.txt: built by cmake"
    return Plan("cmake", build, None, reason, ("cmake",), where="build-sockspec")


def _cargo(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    if "Cargo.toml" not in names:
        return None
    environment = {"CARGO_TARGET_DIR": "target", "CARGO_TERM_COLOR": "never"}
    reason = "there is a Cargo.toml: built by cargo (offline)"
    build = "cargo build --release --offline"
    return Plan("rust", build, None, reason, ("cargo",), "target/release", environment)


_JAVA_MAIN = re.compile(r"\bstatic\s+void\s+main\s*\(")
_GO = {"GOPROXY": "off", "GOTOOLCHAIN": "local"}


def _go_module(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    if "go.mod" not in names:
        return None
    reason = "there is a go.mod: built by go"
    return Plan(
        "go", "go build -o go-program .", ("./go-program", *ARGUMENTS), reason, ("go",), environment=_GO
    )


def _compiled(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    """C or C++: the file with main() that is meant, and all files without."""
    for language, compiler, suffixes in (("C", "cc", (".c",)), ("C++", "c++", (".cpp", ".cc", ".cxx"))):
        sources = _with_suffix(names, *suffixes)
        if not sources:
            continue
        mains = _having(directory, sources, r"\bmain\s*\(") or sources
        main = choose(mains, preferred)
        linked = sorted({main} | (set(sources) - set(mains)))
        program = _executable_name(directory, Path(main).stem)
        files = " ".join(shlex.quote(f"./{name}") for name in linked)
        build = f"{compiler} -O2 -Wall -o {shlex.quote(program)} {files} -pthread -lm"
        return Plan(
            language, build, (f"./{program}", *ARGUMENTS), f"main() is in {_among(main, mains)}", (compiler,)
        )
    return None


def _single_rust(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    sources = _with_suffix(names, ".rs")
    mains = _having(directory, sources, r"\bfn\s+main\s*\(") or sources
    if not mains:
        return None
    main = choose(mains, preferred)
    build = f"rustc -O -o rust-program {shlex.quote(main)}"
    return Plan(
        "rust", build, ("./rust-program", *ARGUMENTS), f"main() is in {_among(main, mains)}", ("rustc",)
    )


def _loose_go(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    sources = [name for name in _with_suffix(names, ".go") if not name.endswith("_test.go")]
    mains = _having(directory, sources, r"\bfunc\s+main\s*\(") or sources
    if not mains:
        return None
    main = choose(mains, preferred)
    linked = " ".join(shlex.quote(f"./{name}") for name in sorted({main} | (set(sources) - set(mains))))
    build = f"go build -o go-program {linked}"
    reason = f"main() is in {_among(main, mains)}"
    return Plan("go", build, ("./go-program", *ARGUMENTS), reason, ("go",), environment=_GO)


def _java(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    sources = sorted(str(path.relative_to(directory)) for path in directory.rglob("*.java") if path.is_file())
    if not sources:
        return None
    mains = _having(directory, sources, _JAVA_MAIN.pattern) or sources
    main = choose(mains, preferred)
    text = (directory / main).read_text(errors="replace")
    package = re.search(r"^\s*package\s+([\w.]+)\s*;", text, re.MULTILINE)
    name = _main_class(text, Path(main).stem)
    if package:
        name = f"{package[1]}.{name}"
    files = " ".join(map(shlex.quote, sources))
    # The heap is bounded: by default it would grow to a quarter of the machine before anything is collected.
    run = ("java", "-Xmx128m", "-cp", "java-classes", name, *ARGUMENTS)
    build = f"javac -encoding UTF-8 -d java-classes {files}"
    return Plan("java", build, run, f"main() is in {_among(main, mains)}", ("javac", "java"))


def _main_class(text: str, stem: str) -> str:
    """The class of a Java file *text* that main() is in: only a public one must be called as the file is, *stem*
    (Java Language Specification, section 7.6)."""
    declared = r"^(?:(?:public|final|abstract|strictfp)\s+)*(?:class|interface|enum|record)\s+(\w+)"
    main = _JAVA_MAIN.search(text)
    if main is None or re.search(rf"\b(?:class|interface|enum|record)\s+{re.escape(stem)}\b", text):
        return stem
    before = re.findall(declared, text[: main.start()], re.MULTILINE)
    return before[-1] if before else stem


def _interpreted(directory: Path, names: Sequence[str], preferred: Preference) -> Plan | None:
    for language, interpreter, suffixes in (
        ("javascript", "node", (".js", ".mjs", ".cjs")),
        ("python", "python3", (".py",)),
    ):
        sources = _with_suffix(names, *suffixes)
        if sources:
            chosen = choose(sources, preferred)
            reason = f"started is {_among(chosen, sources)}"
            return Plan(language, None, (interpreter, chosen, *ARGUMENTS), reason, (interpreter,))
    return None


_GUESSES: tuple[Callable[[Path, Sequence[str], Preference], Plan | None], ...] = (
    _makefile,
    _cmake,
    _cargo,
    _go_module,
    _compiled,
    _single_rust,
    _loose_go,
    _java,
    _interpreted,
)
