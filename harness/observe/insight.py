"""What a look reveals of the reason why a program does not go on, as plain facts for the likely cause."""

from __future__ import annotations

from harness.observe.locks import Locks
from harness.observe.quiescence import Look
from harness.observe.tcp_info import TcpState
from harness.observe.wait import OUT, Wait, WaitKind
from harness.observe.who import Who


def insight(look: Look) -> dict[str, object]:
    """The facts that hold.

    *deadlock*: threads wait for one another's locks. *mutex_held*: a thread waits for a mutex whose holder waits for
    something from outside. *edge_triggered_unread*: bytes wait unread on a descriptor watched with EPOLLET, of which no
    event will tell. *pipe_full*: a thread waits in write() to a pipe. *stuck_writing*: the only thread there is waits in
    write() to a connection. *accepting*: a thread waits in accept(). *waits_for_child*: one waits in wait().
    """
    locks = Locks(look.waits, Who(look.waits))
    facts = {
        "deadlock": bool(locks.cycles()),
        "mutex_held": any(holder.lock is None and holder.fds for holder in locks.holders()),
        "edge_triggered_unread": any(map(_leaves_an_edge, look.waits)),
        "pipe_full": any(map(_writes_to_a_pipe, look.waits)),
        "stuck_writing": _only_writer(look),
        "accepting": any(map(_accepts, look.waits)),
        "waits_for_child": any(wait.call in ("wait4", "waitid") for wait in look.waits),
    }
    return {fact: True for fact, holds in facts.items() if holds}


def _leaves_an_edge(wait: Wait) -> bool:
    return any(
        target.edge_triggered
        and target.socket is not None
        and target.socket.state is not TcpState.LISTEN
        and target.socket.receive_queue > 0
        for outer in wait.descriptors
        for target in outer.targets
    )


def _accepts(wait: Wait) -> bool:
    return wait.direct and any(
        d.socket is not None and d.socket.state is TcpState.LISTEN for d in wait.descriptors
    )


def _writes_to_a_pipe(wait: Wait) -> bool:
    return wait.direct and any(d.events == OUT and d.link.startswith("pipe:") for d in wait.descriptors)


def _only_writer(look: Look) -> bool:
    alive = [wait for wait in look.waits if wait.kind is not WaitKind.DEAD and not wait.internal]
    return (
        len(alive) == 1
        and alive[0].direct
        and any(d.events == OUT and d.socket is not None for d in alive[0].descriptors)
    )
