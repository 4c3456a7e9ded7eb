"""The sandbox's /etc: harmless configuration of this machine, copied once; nothing that tells about its users.

One directory, since every single bind mount of bubblewrap costs a tenth of a millisecond in each check.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from harness.subject.private_cache import private_cache

_HARMLESS = (
    "alternatives",
    "gai.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "nsswitch.conf",
    "protocols",
)
#: Debian's Java keeps part of itself in /etc/java-17-openjdk.
_RUNTIMES = ("java-",)
#: services(5): the same on every machine, also where none is installed; ruptime is the service of APUE chapter 16.
_SERVICES = {
    "echo": 7, "discard": 9, "daytime": 13, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "time": 37, "domain": 53,
    "tftp": 69, "finger": 79, "http": 80, "pop3": 110, "ntp": 123, "imap2": 143, "irc": 194, "https": 443, "imaps": 993,
    "pop3s": 995, "ruptime": 4000, "http-alt": 8080,
}  # fmt: skip
_OWN = {
    # Several addresses of one name are several lines of hosts(5), and "multi" says that all count (host.conf(5)).
    "host.conf": "multi on\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 sandbox\n",
    "services": "".join(f"{name} {port}/tcp\n{name} {port}/udp\n" for name, port in _SERVICES.items()),
    "passwd": "root:x:0:0::/tmp:/bin/sh\nstudent:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n",
    "group": "root:x:0:\nstudent:x:1000:\nnogroup:x:65534:\n",
}


@functools.cache
def etc_directory() -> Path:
    """A directory to show as /etc; made anew when the originals have changed. Raises `NoCache`."""
    names = [*_HARMLESS, *(name for name in sorted(os.listdir("/etc")) if name.startswith(_RUNTIMES))]
    sources = [Path("/etc", name) for name in names if os.path.exists(f"/etc/{name}")]
    state = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sources]
    digest = hashlib.sha256(repr((state, _OWN)).encode()).hexdigest()[:24]
    directory = private_cache() / f"etc-{digest}"
    if not directory.is_dir():
        _fill(directory, sources)
    return directory


def _fill(directory: Path, sources: list[Path]) -> None:
    unfinished = Path(tempfile.mkdtemp(dir=directory.parent))
    for path in sources:
        with contextlib.suppress(OSError, shutil.Error):  # unreadable for us: the program does without
            _copy(path, unfinished / path.name)
    for name, text in _OWN.items():
        (unfinished / name).write_text(text)
    with (
        contextlib.suppress(OSError),
        open("/etc/services") as machines,
        open(unfinished / "services", "a") as ours,
    ):
        ours.write(machines.read())  # the first line of a name counts
    for made in (unfinished, *unfinished.rglob("*")):
        if not made.is_symlink():
            made.chmod(0o755 if made.is_dir() else 0o644)
    try:
        os.rename(unfinished, directory)
    except OSError:  # somebody else was faster
        shutil.rmtree(unfinished, ignore_errors=True)


def _copy(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, target, symlinks=True, ignore=shutil.ignore_patterns("private"))
    else:
        shutil.copyfile(path, target)
