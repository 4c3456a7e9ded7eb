"""A program that talks to nobody outside itself: it is run to its end."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, cast

from harness.assignment.placeholders import expand_argv
from harness.assignment.profiles._local import LocalProfile
from harness.assignment.profiles.resolver import Resolver
from harness.observe.lowlevel import slurp
from harness.observe.pairs import Stuck, stuck_on_pairs
from harness.observe.procfs import status_field
from harness.observe.settle import Settled, SettledKind, Settler
from harness.stage.address import Address
from harness.stage.completing import Completing
from harness.stage.patience import PATIENCE_TO_COMPLETE, SPIN_TO_COMPLETE
from harness.subject.program import Program
from harness.verdict.outcome import Blocked, Inconclusive, NotApplicable, Violation
from harness.verdict.show import count, literal

if TYPE_CHECKING:
    from harness.stage.stage import Stage

#: In the command lines of processes that Python's multiprocessing leaves to end by themselves.
HELPERS = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")
#: Addresses of documentation (RFC 5737, RFC 3849): they are those of no machine.
IPV4S = ("192.0.2.17", "198.51.100.4", "203.0.113.209")
IPV6S = ("2001:db8::17", "2001:db8:a:0:4::9")
#: A name that only our /etc/hosts knows, and one beside it that is not asked for.
HOST, NEIGHBOUR, NEIGHBOURS = "several.test", "neighbour.test", "192.0.2.99"


class LocalProgram(Completing):
    """One run; every word says what the program must come to."""

    def __init__(self, stage: Stage, program: Program, address: Address, name: str) -> None:
        super().__init__(stage, program, address, name)
        #: Processes that a language's runtime has started for itself, and whether SIGCHLD was seen to be ignored,
        #: should pid 1 not be able to say that of the dead program.
        self._helpers: set[int] = set()
        self._ignores_children = False
        self._chores.append(self._watch)

    def _watch(self) -> int:
        """Note what cannot be seen any more when the program has ended."""
        for pid in self.program.members():
            if pid == self.program.pid:
                ignored = int(status_field(pid, "SigIgn") or "0", 16)
                self._ignores_children |= bool(ignored >> (signal.SIGCHLD - 1) & 1)
            else:
                with contextlib.suppress(OSError):  # it is gone
                    command = slurp(f"/proc/{pid}/cmdline")
                    if any(word in command for word in HELPERS):
                        self._helpers.add(pid)
        return 0

    @property
    def local_profile(self) -> LocalProfile:
        """The profile, known to be that of a local program."""
        return cast(LocalProfile, self.profile)

    def until(
        self,
        done: Callable[[], bool],
        fds: Iterable[socket.socket] = (),
        *,
        writable: Iterable[socket.socket] = (),
        progress: Callable[[], int] | None = None,
        patience: float = PATIENCE_TO_COMPLETE,
    ) -> Settled:
        """As `Instance.until`: what is read and printed is progress, too, and nobody waits for its pauses but we."""

        def moved() -> int:
            return self.program.output.total - self.program.stdin.pending + (progress() if progress else 0)

        return super().until(done, fds, writable=writable, progress=moved, patience=patience)

    def settler(self, patience: float) -> Settler:
        """As `Instance.settler`: one that talks to nobody may compute for a while."""
        settler = super().settler(patience)
        settler.spin_cpu_seconds = SPIN_TO_COMPLETE
        return settler

    def expect_completion(self) -> None:
        """It ends, with all its processes; if it cannot, what the kernel says of the ends of its sockets says why."""
        settled = self.until(lambda: self.program.status is not None)
        if self.program.status is None:
            raise self._stuck("the program does not end, and will not", settled)
        settled = self.until(lambda: not self.program.members())
        if self.program.members():
            raise self._stuck(
                f"the program has ended ({self.status}), but {count(len(self.program.members()), 'process')} of it "
                "cannot end",
                settled,
            )

    def _stuck(self, what: str, settled: Settled) -> Violation:
        look = self.oracle.look(explain=True)
        stuck = stuck_on_pairs(look)
        also = "".join(
            f" {sentence[0].upper()}{sentence[1:]}." for sentence in dict.fromkeys(map(str, stuck))
        )
        doing = " ".join(
            f"{reason[0].upper()}{reason[1:].rstrip('.')}."
            for reason in settled.reasons()
            if not any(one.who in reason for one in stuck)
        )
        otherwise = "spinning" if settled.kind is SettledKind.SPINNING else "client-no-end"
        observed = f"{what}.{also}{' ' + doing if doing else ''}"
        kind = "deadlock" if stuck else otherwise
        facts = {**_cause(stuck), **self.facts()}
        self.stage.memory.does_not_end = Blocked(
            observed, by="socketpair/both-ends-closed", kind=kind, **facts
        )
        return Violation(observed, kind=kind, **facts)

    def complete(self) -> None:
        """Let it come to its end; if it does not, the check is blocked by the one about that, and so are all others."""
        memory = self.stage.memory
        if memory.does_not_end is not None:
            raise memory.does_not_end.with_traceback(None)
        try:
            self.expect_completion()
        except Violation:
            assert memory.does_not_end is not None
            raise memory.does_not_end from None

    def expect_agreed_status(self) -> None:
        """It has ended by itself, with the agreed status, and so have the processes that it left behind."""
        self.complete()
        status, agreed = self.status, self.contract.exit_status
        if status is not None and status.signal is not None:
            raise Violation(f"the program was {status}.{self.last_words()}", kind="died", **self.facts())
        if status is not None and agreed != "any" and status.code != agreed:
            raise Violation(
                f"the program {status.told}; agreed is exit status {agreed}.{self.last_words()}",
                kind="client-status",
                agreed=agreed,
                **self.facts(),
            )

    def expect_printed(self) -> None:
        """Its output is what the contract asks for."""
        self.complete()
        self._take_output()
        if why := self.local_profile.misprint(self.program.output.stdout, self.program.output.stderr):
            raise Violation(f"its output is wrong: {why}.", kind="misprint", **self.facts())

    def expect_resolved(
        self, addresses: Sequence[str], port: int | None = None, *, apart_from: str = ""
    ) -> None:
        """It has printed the addresses, and the port if one is given, and has ended with the agreed status.

        *apart_from* is a text in its output that does not count: its own argument, which it may repeat.
        """
        self.expect_exit(self.contract.exit_status, "there was nothing left to do")
        self._take_output()
        output = self.program.output
        profile = cast(Resolver, self.profile)
        why = profile.misprint(output.stdout, output.stderr)
        why = why or profile.misresolved(
            addresses,
            port,
            *(text.replace(apart_from.encode(), b"") for text in (output.stdout, output.stderr)),
        )
        if why:
            raise Violation(f"its output is wrong: {why}.", kind="misprint", **self.facts())

    def _take_output(self) -> None:
        self.until(lambda: self.program.stdout_at_eof and self.program.output.stderr_at_eof)
        if self.program.output.flooded:
            raise Inconclusive("it printed more than we keep (limits.output_mb)")

    def expect_children_reaped(self) -> None:
        """When it ended, nothing of it was left: it has waited for each of its children (wait(2)), or told the
        kernel that nobody will (SIGCHLD ignored)."""
        settled = self.until(lambda: self.program.status is not None)
        left = [pid for pid in self.program.members() if pid not in self._helpers] if settled.ready else []
        self.complete()
        self.until(lambda: self.program.all_gone or not self.program.supervised)
        orphans = len(self.program.orphans) - len(self._helpers)
        ignored = self.program.ignored_children
        if self._ignores_children if ignored is None else ignored:
            return
        if orphans > 0 or left:
            number = max(orphans, len(left))
            raise Violation(
                f"when the program ended, {'a child of it had' if number == 1 else f'{number} children of it had'} not "
                "been waited for"
                + (
                    f" ({'it was' if len(left) == 1 else f'{len(left)} were'} still running)."
                    if left
                    else "."
                ),
                kind="unreaped",
                running=bool(left),
                **self.facts(),
            )


def _cause(stuck: Sequence[Stuck]) -> dict[str, object]:
    """Facts for the likely cause: what sort of a deadlock it is."""
    reading = [one for one in stuck if not one.writing]
    return {
        "own_copy": any(one.own for one in reading),
        "held": any(one.holders for one in reading),
        "writing": any(one.writing for one in stuck),
        "mutual": any(one.ends == other.ends[::-1] for one in reading for other in reading),
    }


class Runs:
    """What a check of such a program begins with."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def start(
        self, *, host: str | None = None, service: str | None = None, hosts: str | None = None
    ) -> LocalProgram:
        """Start the program; *host* and *service* are what its placeholders stand for, *hosts* is its /etc/hosts."""
        stage = self.stage
        values = stage.values(stage.address)
        for name, value in (("peer_host", host), ("service", service)):
            if value is not None:
                stage.must_take(name)
                values[name] = value
        file = None if hosts is None else stage.hosts_file(hosts)
        name = stage.instance_name()
        program = stage.launch(
            name, expand_argv(stage.built.run, values), stage.address, hosts=file, values=values, orphans=True
        )
        run = LocalProgram(stage, program, stage.address, name)
        stage.instances.append(run)
        stage.adopt(run)
        self._type(run)
        return run

    def _type(self, run: LocalProgram) -> None:
        text = self.stage.assignment.contract.input.encode()
        if text:
            run.timeline.record("peer", f"typed {count(len(text), 'byte')} {literal(text)} into its stdin")
            run.program.stdin.write(text)
        run.program.stdin.close()

    def given_host(self, host: str, *, served: bool = False) -> LocalProgram:
        """The program, told to look up *host*."""
        if host == "1.2.3":
            raise NotApplicable("getaddrinfo(3) takes 1.2.3 for 1.2.0.3, as inet_aton(3) does")
        return self.start(host=host)

    def of_several_addresses(self, *, service: str | None = None) -> LocalProgram:
        """The program, told to look up a host of which its /etc/hosts has several addresses of both families."""
        lines = [f"{address} {HOST}" for address in (*IPV4S, *IPV6S)] + [f"{NEIGHBOURS} {NEIGHBOUR}"]
        return self.start(host=HOST, service=service, hosts="".join(f"{line}\n" for line in lines))
