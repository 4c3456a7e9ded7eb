"""Counting what a program holds: descriptors, threads, zombies, sockets, memory.

Exact only while the program is quiescent or stopped; otherwise a rough picture.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass

from harness.observe.cpu_meter import cpu_nanoseconds
from harness.observe.phrases import show_address
from harness.observe.procfs import descriptors, process_state, socket_inode, threads_below
from harness.observe.sock_diag import InetSocket, SockDiag, UnixSocket
from harness.observe.tcp_info import TcpState
from harness.observe.watched import Watched


@dataclass(frozen=True, slots=True)
class OwnedSocket:
    """A socket and the first process of the program that has it as *fd*; *pid* None: nobody of the program."""

    socket: InetSocket | UnixSocket
    pid: int | None
    fd: int | None

    @property
    def transport(self) -> str:
        """``tcp``, ``udp``, ``unix-stream``, ``unix-dgram`` or ``unix-seqpacket``."""
        if isinstance(self.socket, InetSocket):
            return "tcp" if self.socket.is_tcp else "udp"
        return _UNIX_TRANSPORTS.get(socket.SocketKind(self.socket.type), "unix-stream")

    @property
    def port(self) -> int:
        """Local port; 0 for a UNIX socket."""
        return self.socket.local[1] if isinstance(self.socket, InetSocket) else 0

    @property
    def place(self) -> str:
        """Where it is bound: ``127.0.0.1:4000``, ``[::]:4000`` or the path."""
        if isinstance(self.socket, UnixSocket):
            return self.socket.path or ""
        return show_address(self.socket.local)


_UNIX_TRANSPORTS = {
    socket.SOCK_STREAM: "unix-stream",
    socket.SOCK_DGRAM: "unix-dgram",
    socket.SOCK_SEQPACKET: "unix-seqpacket",
}


@dataclass(frozen=True, slots=True)
class ProcessCensus:
    """One process. *descriptors*: number -> what it refers to; *cpu_ns*: of its live threads; *memory*: bytes that it may write to.

    *mappings*: regions of its address space (proc(5), maps); a thread's stack is two, with its guard page.
    """

    pid: int
    state: str
    threads: int
    descriptors: dict[int, str]
    cpu_ns: int
    memory: int
    mappings: int


@dataclass(frozen=True, slots=True)
class Census:
    """The whole program at one moment."""

    processes: tuple[ProcessCensus, ...]
    sockets: tuple[OwnedSocket, ...]

    @property
    def zombies(self) -> tuple[int, ...]:
        """Pids of processes that ended and were not waited for."""
        return tuple(process.pid for process in self.processes if process.state == "Z")

    @property
    def live_count(self) -> int:
        """Processes that have not ended."""
        return len(self.processes) - len(self.zombies)

    @property
    def descriptor_count(self) -> int:
        """Open descriptors of all processes."""
        return sum(len(process.descriptors) for process in self.processes)

    @property
    def thread_count(self) -> int:
        """Threads of all live processes."""
        return sum(process.threads for process in self.processes if process.state != "Z")

    @property
    def cpu_ns(self) -> int:
        """CPU time used by all live threads, nanoseconds."""
        return sum(process.cpu_ns for process in self.processes)

    @property
    def memory(self) -> int:
        """Address space that the processes may write to, bytes."""
        return sum(process.memory for process in self.processes)

    @property
    def mapping_count(self) -> int:
        """Regions of the address spaces of all processes."""
        return sum(process.mappings for process in self.processes)

    def in_state(self, state: TcpState) -> tuple[OwnedSocket, ...]:
        """The program's TCP sockets in *state*, for example CLOSE_WAIT: a FIN that was never answered."""
        return tuple(
            owned
            for owned in self.sockets
            if isinstance(owned.socket, InetSocket) and owned.socket.is_tcp and owned.socket.state is state
        )


def take(watched: Watched, diag: SockDiag) -> Census:
    """Count now."""
    threads = threads_below(watched.root)
    cpu = cpu_nanoseconds(watched)
    processes = []
    for pid in sorted({thread.pid for thread in threads}):
        own = [thread for thread in threads if thread.pid == pid]
        memory, mappings = _address_space(pid)
        processes.append(
            ProcessCensus(
                pid=pid,
                state=process_state(pid),
                threads=len(own),
                descriptors=descriptors(pid),
                cpu_ns=sum(cpu.get(thread, 0) for thread in own),
                memory=memory,
                mappings=mappings,
            )
        )
    owners = _owners({process.pid: process.descriptors for process in processes})
    inet = [*diag.tcp_sockets(), *diag.udp_sockets()]
    return Census(tuple(processes), (*_owned(inet, owners), *_owned(diag.unix_sockets(), owners)))


def _address_space(pid: int) -> tuple[int, int]:
    """Bytes of writable address space, and the number of all regions (proc_pid_maps(5)); zeroes without ptrace access.

    What may only be read is shared code, and what may not even be read is reserved: malloc(3) sets 64 MiB
    aside for each arena and uses little of it.
    """
    try:
        with open(f"/proc/{pid}/maps", "rb") as regions:  # more than one read(2) of it
            lines = regions.read().splitlines()
    except OSError:  # gone, or no ptrace access
        return 0, 0
    writable = 0
    for line in lines:
        where, may, _ = line.split(maxsplit=2)
        if may.startswith(b"rw"):
            first, last = where.split(b"-")
            writable += int(last, 16) - int(first, 16)
    return writable, len(lines)


def owned_listeners(watched: Watched, diag: SockDiag) -> list[OwnedSocket]:
    """Where the program can be reached: its listening TCP, bound UDP and named UNIX sockets."""
    udp = [sock for sock in diag.udp_sockets() if sock.local[1] and not sock.remote[1]]
    unix = [sock for sock in diag.unix_sockets() if _awaits(sock)]
    owners = owners_of_sockets(watched)
    return [*_owned([*diag.listeners(), *udp], owners), *_owned(unix, owners)]


def find_listener(
    watched: Watched,
    diag: SockDiag,
    port: int = 0,
    *,
    address: str = "127.0.0.1",
    path: str = "",
    transport: str = "tcp",
) -> OwnedSocket | None:
    """Who takes what is sent to *address*:*port* or *path*; None: nobody yet.

    *transport* is a name as in `OwnedSocket.transport` (a suffix ``6`` or ``-dual`` is ignored). TCP
    costs one exact request, 10 us, while nobody listens. An answer with pid None means that somebody
    outside the program has the port.
    """
    found: InetSocket | UnixSocket | None
    if transport.startswith("tcp"):
        found = diag.listener(address, port)
    elif transport.startswith("udp"):
        found = next((sock for sock in diag.udp_sockets() if _receives(sock, address, port)), None)
    else:
        found = next((sock for sock in diag.unix_sockets() if _awaits(sock) and sock.is_at(path)), None)
    if found is None:
        return None
    pid, fd = owners_of_sockets(watched).get(found.inode, (None, None))
    return OwnedSocket(found, pid, fd)


def owners_of_sockets(watched: Watched) -> dict[int, tuple[int, int]]:
    """Inode of every socket of the program -> a process and descriptor that refer to it."""
    pids = {thread.pid for thread in threads_below(watched.root)}
    return _owners({pid: descriptors(pid) for pid in sorted(pids)})


def _owners(tables: dict[int, dict[int, str]]) -> dict[int, tuple[int, int]]:
    owners: dict[int, tuple[int, int]] = {}
    for pid, table in tables.items():
        for fd, link in table.items():
            inode = socket_inode(link)
            if inode is not None:
                owners.setdefault(inode, (pid, fd))
    return owners


def _owned(
    sockets: Iterable[InetSocket | UnixSocket], owners: dict[int, tuple[int, int]]
) -> list[OwnedSocket]:
    return [OwnedSocket(sock, *owners[sock.inode]) for sock in sockets if sock.inode in owners]


def _receives(sock: InetSocket, address: str, port: int) -> bool:
    """Whether an unconnected UDP socket takes datagrams for this address."""
    any_address = sock.local[0] == "::" or (sock.local[0] == "0.0.0.0" and ":" not in address)
    return sock.local[1] == port and not sock.remote[1] and (any_address or sock.local[0] == address)


def _awaits(sock: UnixSocket) -> bool:
    """A listener, or a datagram socket with a name that is not connected."""
    if sock.state is TcpState.LISTEN:
        return True
    return sock.type == socket.SOCK_DGRAM and sock.path is not None and sock.peer is None
