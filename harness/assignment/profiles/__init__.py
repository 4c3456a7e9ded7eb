"""The profiles, one file each, found by their place.

Each module of this package whose name does not begin with an underscore defines
``PROFILE``; the profile's name is the module's, with dashes.  A teacher's own is
``"path/to/file.py:ClassName"``.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

from harness.assignment.problem import nearest
from harness.assignment.profiles._base import Profile


class ProfileError(Exception):
    """There is no such profile; says what was expected, and the nearest name."""

    def __init__(self, found: str, expected: str, nearest: str | None = None) -> None:
        super().__init__(f"{found}; expected {expected}")
        self.found = found
        self.expected = expected
        self.nearest = nearest


def profile_names() -> list[str]:
    """The names of the profiles that come with us, sorted."""
    return sorted(
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    )


def find_profile(name: str, beside: Path) -> Profile:
    """The profile *name*; the path of a teacher's own is relative to the directory *beside*.

    Loading a teacher's own runs its file, with our rights: it is part of the
    assignment, never of a submission.  Raises ProfileError.
    """
    if ":" in name or name.endswith(".py"):
        return _own(name, beside)
    known = profile_names()
    if name not in known:
        raise ProfileError(f'the profile "{name}"', f"one of {', '.join(known)}", nearest(name, known))
    profile = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").PROFILE
    assert isinstance(profile, Profile) and profile.name == name
    return profile


def _own(name: str, beside: Path) -> Profile:
    file, _, class_name = name.partition(":")
    path = beside / file
    if not path.is_file():
        raise ProfileError(f'the profile "{name}"', f"a Python file {path}, which does not exist")
    module = _loaded(path)
    own = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Profile) and value.__module__ == module.__name__
    }
    if class_name not in own:
        expected = f"a class in {file} derived from Profile" + (
            f": {', '.join(own)}" if own else ", there is none"
        )
        raise ProfileError(f'the class "{class_name}"', expected, nearest(class_name, own))
    found = own[class_name]
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise ProfileError(f'the class "{class_name}"', f"a class that also defines {missing}")
    stated = [word for word in ("name", "summary", "role", "transports") if not hasattr(found, word)]
    if stated:
        raise ProfileError(f'the class "{class_name}"', f"a class that also states {', '.join(stated)}")
    return found()


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"sockspec_own_profile_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ProfileError(f'the file "{path}"', "a Python file, with a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever it raises is a mistake in that file
        raise ProfileError(f'the file "{path}"', f"Python that loads; it raised {error!r}") from error
    return module
