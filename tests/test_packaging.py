"""The wheel carries the whole house, puts only ``harness`` where others live, and works from anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
BUNDLED = ("suites", "fixtures", "examples")


@dataclass(frozen=True)
class Built:
    """What ``python -m build`` made."""

    sdist: Path
    wheel: Path

    @property
    def names(self) -> set[str]:
        """The files of the wheel."""
        with zipfile.ZipFile(self.wheel) as wheel:
            return set(wheel.namelist())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An sdist, and a wheel made from it: a file the sdist forgets is missed here."""
    pytest.importorskip("build", reason="build is not installed (scripts/setup --dev)")
    pytest.importorskip("hatchling", reason="hatchling is not installed (scripts/setup --dev)")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(HOUSE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(next(out.glob("*.tar.gz")), next(out.glob("*.whl")))


def files_of(directory: Path) -> set[str]:
    """The files below *directory* that belong to the project, relative to the checkout."""
    return {
        str(path.relative_to(HOUSE))
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_the_engine_travels_with_its_c_sources_and_schema(built: Built) -> None:
    engine = files_of(HOUSE / "harness")
    assert any(name.endswith(".schema.json") for name in engine)
    assert engine <= built.names


def test_suites_fixtures_and_examples_travel_inside_harness(built: Built) -> None:
    for directory in BUNDLED:
        expected = {f"harness/bundled/{name}" for name in files_of(HOUSE / directory)}
        assert expected, f"{directory} is empty"
        assert expected <= built.names


def test_only_harness_is_at_the_top(built: Built) -> None:
    tops = {name.partition("/")[0] for name in built.names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"harness"}


def test_no_leftovers_travel(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = built.names | set(sdist.getnames())
    assert not [name for name in names if re.search(r"__pycache__|\.pyc$|\.venv|\.git/|\.\w+_cache", name)]


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, and the dependencies of this one behind it."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index"]
    subprocess.run([*command, "--no-deps", str(built.wheel)], check=True)
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    own = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
    # Behind our own: .pth entries come last, and those of an editable install in there are not followed.
    Path(own, "dependencies.pth").write_text("\n".join(sorted(paths)))
    return home


def run(installed: Path, directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in *directory*, without what could lead back to the checkout."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    program = str(installed / "bin" / command[0])
    return subprocess.run([program, *command[1:]], cwd=directory, env=env, capture_output=True, text=True)


def test_the_installed_house_is_the_bundled_one(installed: Path, tmp_path: Path) -> None:
    code = "from harness import house; print(house.SUITES, house.PROGRAMS, house.EXAMPLES, sep='\\n')"
    done = run(installed, tmp_path, "python", "-c", code)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        assert Path(line).is_dir()
        assert "/harness/bundled/" in line
        assert Path(line).is_relative_to(installed)


def test_suites_and_fixtures_are_not_importable(installed: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u; print([n for n in ('suites', 'fixtures', 'examples') if u.find_spec(n)])"
    )
    assert run(installed, tmp_path, "python", "-c", code).stdout == "[]\n"


def test_the_command_works_from_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "sockspec", "--help")
    assert done.returncode == 0, done.stderr
    assert "sockspec" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_house_of_a_checkout_is_the_checkout() -> None:
    from harness import house

    assert (house.SUITES, house.FIXTURES) == (HOUSE / "suites", HOUSE / "fixtures")


def test_the_plugin_is_registered_under_the_name_of_its_module() -> None:
    """Else pytest_plugins = ["harness.plugin"] in a conftest would register it a second time."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"harness.plugin": "harness.plugin"}
