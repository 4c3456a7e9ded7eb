"""What one blocked thread does, in words: "is blocked in accept(3), which is listening on ..."."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from harness.observe import wait as wait_words
from harness.observe.sock_diag import Address, InetSocket, UnixSocket
from harness.observe.tcp_info import TcpState
from harness.observe.wait import OUT, Descriptor, Wait
from harness.verdict.show import count

#: The name that the student wrote, where the kernel's differs.
_FAMILIAR = {
    "accept4": "accept",
    "recvfrom": "recv",
    "sendto": "send",
    "wait4": "waitpid",
    "openat": "open",
    "ppoll": "poll",
    "pselect6": "select",
    "epoll_pwait": "epoll_wait",
    "epoll_pwait2": "epoll_wait",
    "rt_sigsuspend": "sigsuspend",
    "rt_sigtimedwait": "sigwait",
}
_STANDARD = {0: "its standard input", 1: "its standard output", 2: "its standard error"}
_MOST_DESCRIPTORS = 6


Names = Mapping[Address, str]


def familiar(call: str) -> str:
    """The name under which a student knows the system call *call*."""
    return _FAMILIAR.get(call, call)


def phrase(wait: Wait, names: Names) -> str:
    """The predicate of a sentence about the thread; *names*: what to call whom, by address."""
    match wait.call:
        case "wait4" | "waitid":
            return "waits for a child process to end"
        case "pause" | "rt_sigsuspend" | "rt_sigtimedwait":
            return f"waits for a signal in {familiar(wait.call)}()"
        case "nanosleep" | "clock_nanosleep" | wait_words.UNSEEN_CALL:
            return "is asleep"
        case "flock" | "fcntl":
            return "waits for a file lock"
        case "semop" | "semtimedop" | "msgrcv" | "msgsnd":
            return f"is blocked in {wait.call}() (System V)"
        case "timer_create":
            return "has a POSIX timer"
        case "setitimer":
            return "has set an alarm" if wait.due is not None else "has or may have set an alarm"
    name = _call_name(wait)
    if not wait.descriptors:
        return f"is blocked in {name}()"
    if len(wait.descriptors) == 1 and not wait.descriptors[0].targets:
        (descriptor,) = wait.descriptors
        return f"is blocked in {name}({descriptor.fd}), {_clause(descriptor, names)}"
    watched = [inner for outer in wait.descriptors for inner in (outer.targets or (outer,))]
    listed = [f"{descriptor.fd} ({_noun(descriptor, names)})" for descriptor in watched[:_MOST_DESCRIPTORS]]
    if len(watched) > _MOST_DESCRIPTORS:
        listed.append(f"{len(watched) - _MOST_DESCRIPTORS} more")
    return f"is blocked in {name}(), watching {', '.join(listed)}"


def _call_name(wait: Wait) -> str:
    """recv(2) and recvfrom(2) are one system call; programs use the latter for datagrams."""
    sockets = [descriptor.socket for descriptor in wait.descriptors]
    if sockets and isinstance(sockets[0], InetSocket) and not sockets[0].is_tcp:
        return wait.call
    return familiar(wait.call)


def _clause(descriptor: Descriptor, names: Names) -> str:
    """A relative clause about the only awaited descriptor."""
    sock = descriptor.socket
    if isinstance(sock, InetSocket) and sock.is_tcp and descriptor.events == OUT:
        waiting = f", while {count(sock.send_queue, 'byte')} wait to be sent" if sock.send_queue else ""
        return f"its {_inet(sock, names)[0]}{waiting}, since the other side does not read"
    if sock is not None and sock.state is TcpState.LISTEN:
        return f"which is {_noun(descriptor, names)}"
    return _noun(descriptor, names)


def _noun(descriptor: Descriptor, names: Names) -> str:
    """What the descriptor is, with what it holds."""
    sock = descriptor.socket
    remarks: list[str] = []
    if isinstance(sock, InetSocket):
        noun, remarks = _inet(sock, names)
    elif isinstance(sock, UnixSocket):
        noun, remarks = _unix(sock)
    else:
        noun = _STANDARD.get(descriptor.fd) or _other(descriptor.link)
    if descriptor.events == OUT and sock is not None:
        remarks.append("only for writing")
    if (
        descriptor.edge_triggered
        and sock is not None
        and sock.state is not TcpState.LISTEN
        and sock.receive_queue
    ):
        remarks.append("edge-triggered: no new event for what is already there")
    return f"{noun} ({', '.join(remarks)})" if remarks else noun


def _inet(sock: InetSocket, names: Names) -> tuple[str, list[str]]:
    here = show_address(sock.local)
    if sock.state is TcpState.LISTEN:
        return f"listening on {here}", [f"backlog {sock.receive_queue} of {sock.send_queue}"]
    if not sock.is_tcp:
        unread = [f"{count(sock.receive_queue, 'byte')} unread"] if sock.receive_queue else []
        return f"UDP socket on {here}", unread
    if not sock.remote[1]:
        return "TCP socket, not connected", []
    remarks = [] if sock.state is TcpState.ESTABLISHED else [sock.state.name]
    if sock.receive_queue:
        remarks.append(f"{count(sock.receive_queue, 'byte')} unread")
    return f"connection with {names.get(sock.remote) or show_address(sock.remote)}", remarks


def _unix(sock: UnixSocket) -> tuple[str, list[str]]:
    name = f" {sock.path}" if sock.path else ""
    if sock.state is TcpState.LISTEN:
        return f"listening on{name or ' a UNIX socket'}", [
            f"backlog {sock.receive_queue} of {sock.send_queue}"
        ]
    kind = "datagram socket" if sock.type == socket.SOCK_DGRAM else "connection"
    unread = [f"{count(sock.receive_queue, 'byte')} unread"] if sock.receive_queue else []
    return f"UNIX {kind}{name}", unread


def _other(link: str) -> str:
    if link.startswith("pipe:"):
        return "a pipe"
    if link.startswith("anon_inode:"):
        return f"a {link[11:].strip('[]')}"
    return link


def show_address(address: tuple[str, int]) -> str:
    """``127.0.0.1:4000`` or ``[::1]:4000``."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
