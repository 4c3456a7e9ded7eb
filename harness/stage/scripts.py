"""The words of the cgi checks: scripts that wait for us, and what they hold, inherit and leave."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable

from harness.observe.dispositions import dispositions
from harness.observe.procfs import Changed, descriptors
from harness.stage.patience import PATIENCE
from harness.stage.server import Server
from harness.stage.web import Visit, Web
from harness.verdict.outcome import Violation
from harness.verdict.show import count, literal

#: The FIFO that a waiting script reads from.
GATE = "gate"
#: A script that says that it runs, and ends when somebody writes to the gate.
WAITING = "printf 'Content-Type: text/plain\\r\\n\\r\\nrunning\\n'; read line < '{root}/gate'; echo \"$line\""
#: Zombies of scripts that may be there: a server may wait for the last ones when the next client comes.
LATE = 3

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] 200[^\r\n]*\r?\n")
_HEADER_LINES = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r?\n)*")
_STANDARD_OUTPUT = 1

#: What a variable must be (RFC 3875 section 4.1), given the request; others must only be there.
_EXPECTED: dict[str, Callable[[Server, str, str], str]] = {
    "REQUEST_METHOD": lambda server, name, query: "GET",
    "QUERY_STRING": lambda server, name, query: query,
    "SCRIPT_NAME": lambda server, name, query: f"/{name}",
    "SERVER_PROTOCOL": lambda server, name, query: "HTTP/1.1",
    "GATEWAY_INTERFACE": lambda server, name, query: "CGI/1.1",
    "SERVER_PORT": lambda server, name, query: str(server.address.port),
    "REMOTE_ADDR": lambda server, name, query: server.address.host,
    "HTTP_HOST": lambda server, name, query: "localhost",
}


class Cgi(Web):
    """A server of files that runs those that are executable."""

    def script(self, name: str, text: str) -> None:
        """Put a script of sh(1) into the directory."""
        self.documents.script(name, text)

    def writer(self, name: str, output: bytes, *, complaints: bool = False) -> None:
        """A script that writes exactly *output*; with *complaints*, it writes on standard error, too, before and after."""
        self.documents.put(f"{name}.out", output)
        cat = f"cat '{{root}}/{name}.out'"
        self.script(name, f"echo 'a warning' >&2; {cat}; echo 'another' >&2" if complaints else f"exec {cat}")

    # -- scripts that wait ---------------------------------------------------------------------

    def start_waiting(self, name: str = "waits.sh") -> Visit:
        """Ask for a script that runs until we open the gate; it runs."""
        self.documents.fifo(GATE)
        self.script(name, WAITING)
        visit = self.begin(name)
        self.server.settle()
        if not self.server.executed():
            visit.read().expect_status(200)
            raise Violation(
                f"the script does not run: it should wait, but {literal(visit.raw)} came.", kind="no-script"
            )
        return visit

    def open_gate(self) -> None:
        """Let the waiting script go on to its end."""
        self.server.timeline.record("peer", "let the script end")
        with contextlib.suppress(OSError):  # ENXIO: it waits no more
            gate = os.open(self.documents.root / GATE, os.O_WRONLY | os.O_NONBLOCK)
            os.write(gate, b"go\n")
            os.close(gate)

    # -- expectations --------------------------------------------------------------------------

    def expect_output(self, visit: Visit, output: bytes) -> None:
        """The answer is the server's status line (and perhaps header lines of its own), then *output* as it is, then FIN."""
        status = _STATUS_LINE.match(visit.raw)
        if status is None:
            visit.expect_status(200)
            raise Violation(
                f"the answer has no status line of its own: {literal(visit.raw, 80)}", kind="no-http"
            )
        rest = visit.raw[status.end() :]
        own = rest[: len(rest) - len(output)] if rest.endswith(output) else None
        if own is None or _HEADER_LINES.fullmatch(own) is None:
            raise Violation(
                f"after the status line {literal(rest, 100)} came; the script wrote {literal(output, 100)}",
                kind="not-as-is",
            )
        visit.expect_whole()  # a Content-Length of the server's own would have to be right
        visit.expect_close()

    def expect_script_ended(self) -> None:
        """No script runs any more."""
        settled = self.server.until(lambda: not self.server.executed(), patience=PATIENCE)
        if not settled.ready:
            raise Violation(
                f"the client has gone, but the script still runs. {self.server.condition(settled)}",
                kind="left-behind",
            )

    def expect_few_zombies(self) -> None:
        """The server has waited for its scripts, the last ones perhaps excepted."""
        zombies = self.server.holdings().zombies
        if len(zombies) > LATE:
            raise Violation(
                f"{len(zombies)} scripts have ended and nobody has waited for them: they stay as zombies.",
                kind="zombies",
            )

    def expect_only_standard_descriptors(self) -> None:
        """A running script has descriptors 0, 1 and 2 of the server's; a copy of its own output does no harm."""
        listening = self.server.listening_sockets()
        for pid in self.server.executed():
            try:
                held = descriptors(pid)
            except (Changed, OSError):
                continue  # it has ended meanwhile
            own = held.get(_STANDARD_OUTPUT)
            root = str(self.documents.root)
            surplus = {
                fd: link
                for fd, link in held.items()
                if fd > 2 and link not in (own, os.devnull) and not link.startswith(root)
            }
            if surplus:
                named = [
                    f"{fd} ({'the listening socket' if _inode(link) in listening else link})"
                    for fd, link in sorted(surplus.items())
                ]
                raise Violation(
                    f"besides 0, 1 and 2 the script has inherited descriptor {', '.join(named)}.",
                    kind="inherited",
                )

    def expect_no_blocked_signals(self) -> None:
        """A running script can be ended by a signal: none is blocked."""
        for pid in self.server.executed():
            if blocked := dispositions(pid)["blocked"]:
                raise Violation(
                    f"the script runs with {count(len(blocked), 'signal')} blocked ({', '.join(blocked[:6])}): "
                    "a signal mask survives fork() and execve().",
                    kind="mask",
                )

    def expect_variables(self, names: tuple[str, ...], query: str = "") -> None:
        """A script finds these variables, with the values of the request."""
        self.script("environment.sh", "printf 'Content-Type: text/plain\\r\\n\\r\\n'; env")
        visit = self.get("environment.sh" + (f"?{query}" if query else ""))
        visit.expect_status(200)
        found = dict(line.partition("=")[::2] for line in visit.body.decode("utf-8", "replace").splitlines())
        for name in names:
            if name not in found:
                raise Violation(f"the script has no variable {name} in its environment.", kind="variable")
            wanted = _EXPECTED[name](self.server, "environment.sh", query) if name in _EXPECTED else None
            if wanted is not None and found[name] != wanted:
                raise Violation(
                    f"the script finds {name}={literal(found[name].encode())}; it should be {literal(wanted.encode())}",
                    kind="variable",
                )


def _inode(link: str) -> int:
    found = re.fullmatch(r"socket:\[(\d+)\]", link)
    return int(found[1]) if found else 0
