"""Violations in words: what arrived, what should have, and what the kernel says the program is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.observe.settle import Settled, SettledKind
from harness.stage.patience import PACE
from harness.verdict.outcome import Inconclusive, Verdict, Violation
from harness.verdict.show import count, difference, literal, text

if TYPE_CHECKING:
    from harness.assignment.profiles._base import Judgement
    from harness.stage.client import Client
    from harness.stage.instance import Instance


#: The part of an idle timeout after which a program may have given up: its clock may have begun before ours did.
ALMOST = 0.8


def _state(client: Client, settled: Settled) -> str:
    """What the program is doing now, as one paragraph."""
    return client.server.condition(settled)


def _got(client: Client, judgement: Judgement) -> str:
    received = len(client.received)
    if judgement.expected is None:
        owed = judgement.why or "more was owed"
        return (
            f"{client.name} got {literal(bytes(client.received))}, and {owed}"
            if received
            else f"{client.name} got no answer"
        )
    if not received:
        return f"{client.name} got nothing of the {count(len(judgement.expected), 'byte')} it is owed"
    return f"{client.name} got {received} of the {count(len(judgement.expected), 'byte')} it is owed"


def given_up(client: Client) -> Inconclusive | None:
    """Not the program's fault: we were silent for so long that its contract lets it give up on us."""
    agreed, pause = client.server.contract.idle_timeout, client.peer.longest_pause
    if not agreed or not client.peer.over or pause < ALMOST * agreed or client.server.status is not None:
        return None
    return Inconclusive(
        f"the program closed the connection of {client.name}, which had neither sent nor read for {pause:.1f} s at some time; "
        f"contract.idle_timeout lets it give up after {agreed:g} s. A longer timeout, or a quieter machine, allows a verdict"
    )


def missing_reply(client: Client, judgement: Judgement, settled: Settled) -> Verdict:
    """Not everything owed came, and nothing more will."""
    if client.peer.over:  # if that is because the program ends, its end is about to be seen
        settled = client.server.until(lambda: client.server.status is not None, patience=PACE)
    if (excuse := given_up(client)) is not None:
        return excuse
    state = _state(client, settled)
    facts = {"received": len(client.received), "fin_sent": client.peer.fin_sent, **client.server.facts()}
    if judgement.expected is not None:
        facts["owed"] = len(judgement.expected)
        facts["next"] = judgement.expected[len(client.received) : len(client.received) + 1]
    if client.peer.reset:
        how, kind = "; then the program reset the connection (RST)", "reset"
    elif client.peer.eof:
        how, kind = "; then the program closed the connection", "closed-early"
    else:
        how, kind = f", and {no_more(settled)}", "no-reply"
    return Violation(f"{_got(client, judgement)}{how}. {state}", kind=kind, **facts)


def no_more(settled: Settled) -> str:
    """What is certain of a program that still runs: of one with a timer only that it had time enough, and was idle."""
    if settled.kind is SettledKind.IDLE:
        return f"no more comes within the {settled.patience:g} s of idle time that it is granted"
    return "no more will come"


def cut_short(client: Client, owed: int, settled: Settled) -> Verdict:
    """A stop signal has cost the client part of what the program had already read."""
    if (excuse := given_up(client)) is not None:
        return excuse
    how = (
        "reset the connection (RST)"
        if client.peer.reset
        else "closed the connection"
        if client.peer.eof
        else "sent no more"
    )
    return Violation(
        f"the program had read {count(owed, 'byte')} of {client.name} when the signal came; it sent {len(client.received)} of them back and then "
        f"{how}. {_state(client, settled)}",
        kind="cut-short",
        **client.server.facts(),
    )


def wrong_bytes(client: Client, judgement: Judgement) -> Violation:
    """A byte that cannot be right has come."""
    received = bytes(client.received)
    offset = judgement.offset if judgement.offset is not None else 0
    facts: dict[str, object] = {"offset": offset, "received": len(received)}
    if judgement.expected is None:
        return Violation(
            f"{client.name} got a wrong answer: {judgement.why}.\n{literal(received)}",
            kind="wrong-bytes",
            **facts,
        )
    facts["expected_byte"] = judgement.expected[offset : offset + 1]
    facts["received_byte"] = received[offset : offset + 1]
    facts["extra"] = offset >= len(judgement.expected)
    facts["more_than_sent"] = len(received) > client.peer.sent and client.server.server_profile.piecemeal
    if not judgement.expected:
        return Violation(
            f"{client.name} got {count(len(received), 'byte')} {literal(received)} though nothing was owed yet.",
            kind="wrong-bytes",
            **facts,
        )
    what = (
        f"{client.name} got more than the {count(len(judgement.expected), 'byte')} it is owed"
        if facts["extra"]
        else f"{client.name} got a wrong byte at offset {offset}"
    )
    return Violation(
        f"{what}.\n{difference(judgement.expected, received, offset)}", kind="wrong-bytes", **facts
    )


def reset_instead_of_close(client: Client, settled: Settled) -> Verdict:
    """The connection ended with an RST where a FIN was due."""
    if (excuse := given_up(client)) is not None:
        return excuse
    return Violation(
        f"the connection of {client.name} was reset (RST) after {count(len(client.received), 'byte')} instead of being closed in order (FIN). "
        f"{_state(client, settled)}",
        kind="reset-at-close",
        **client.server.facts(),
    )


def not_closed(client: Client, settled: Settled) -> Violation:
    """The program keeps its side open, and will go on doing so."""
    server_side = client.server.far_end(client.peer.socket)
    state = f" Its socket is in state {server_side}." if server_side else ""
    return Violation(
        f"the program has not closed its side of {client.name} and will not.{state} {_state(client, settled)}",
        kind="not-closed",
        state=server_side,
        **client.server.facts(),
    )


_STREAMS = {
    "stdout": "standard output",
    "stderr": "standard error",
    "either": "standard output or standard error",
}


def _printed(instance: Instance) -> str:
    """The end of what the program has printed so far."""
    output = instance.program.output
    said = [
        f"on {name} {literal(data[-160:], 160)}"
        for name, data in (("stdout", output.stdout), ("stderr", output.stderr))
        if data.strip()
    ]
    return f"It has printed {' and '.join(said)}." if said else "It has printed nothing at all."


def missing_output(instance: Instance, judgement: Judgement, settled: Settled) -> Violation:
    """What should be printed is not, and will not be."""
    where = _STREAMS[instance.contract.output]
    output = instance.program.output
    status = instance.status  # its last words are told already
    state = instance.condition(settled) if status is None else f"The program has ended: {status}."
    return Violation(
        f"on {where} the program printed {judgement.why}, and {no_more(settled)}. {_printed(instance)} {state}",
        kind="no-output",
        silent=not (output.stdout or output.stderr),
        **instance.facts(),
    )


def wrong_output(instance: Instance, judgement: Judgement) -> Violation:
    """Something was printed that cannot be right."""
    where = _STREAMS[instance.contract.output]
    return Violation(
        f"on {where} the program printed something wrong: {text(judgement.why.encode())}", kind="wrong-output"
    )
