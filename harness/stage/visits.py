"""Clients that come and go in numbers, all of whom have left when it is counted what the program still holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.assignment.profiles._base import Audience
from harness.observe import census

if TYPE_CHECKING:
    from harness.stage.client import Client
    from harness.stage.server import Server

#: Clients that come together where a program serves several: one that polls sees them all with one look.
GROUP = 20


def visit(server: Server, clients: int) -> None:
    """So many *clients*, one after another: each gets its answer and leaves in order."""
    for _ in range(clients):
        server.serves()


def visit_and_break_off(server: Server, clients: int) -> None:
    """The same, but every third resets, or closes, in the middle of its request.

    The program has read the first half by then, and has answered if it answers halves: whether it would otherwise
    meet the reset when it reads or when it writes would be a matter of chance.
    """
    for number in range(clients):
        if number % 3 != 2:
            server.serves()
            continue
        client = server.client()
        client.send_part()
        server.settle()
        (client.abort if number % 2 else client.vanish)()


def visit_in_groups(server: Server, clients: int) -> None:
    """The same, side by side where that changes nothing for what the program holds afterwards.

    With more than one thread it does: how many stacks and arenas are kept depends on how many were needed at once.
    """
    concurrent = server.contract.concurrency == "concurrent"
    if not concurrent or server.server_profile.audience is not Audience.CLIENT or not _has_one_thread(server):
        visit(server, clients)
        return
    while clients > 0:
        group = server.crowd(min(GROUP, clients)) or [server.client()]
        for client in group:
            client.ask()
        take_leave(server, group)
        clients -= len(group)


def take_leave(server: Server, clients: Sequence[Client]) -> None:
    """All *clients* get the answer that they are owed, and end their conversations in order.

    Whoever has had its answer finishes at once, in whatever order answers come: a pool with fewer workers than
    there are clients must get each worker back.
    """
    with server.meanwhile(lambda: sum(client.finish_when_answered() for client in clients)):
        for client in clients:
            client.expect_reply()
            client.finish_sending()
    for client in clients:
        client.leave()


def _has_one_thread(server: Server) -> bool:
    """Whether the program serves a client without a thread or process for it."""
    client = server.client()
    client.be_served()
    held = census.take(server.program, server.stage.diag)
    client.leave()
    return held.thread_count == 1
