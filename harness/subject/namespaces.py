"""Namespaces by system call: unshare(2), setns(2), user maps, the loopback device, addresses.

``os.unshare`` and ``os.setns`` came with Python 3.12; we also run on 3.11.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
from pathlib import Path

NEW_USER = 0x10000000
NEW_NET = 0x40000000

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_ROUTE_CHANGES = 0x400  # RTMGRP_IPV6_ROUTE
_RTM_NEWROUTE, _RTN_LOCAL = 24, 2
_FUSE = 10.0  # seconds
_LOOPBACK_INDEX = 1  # the loopback device is the first device of every network namespace
_RTM_NEWADDR, _NLM_F_REQUEST_ACK_CREATE = 20, 0x1 | 0x4 | 0x400
_IFA_ADDRESS, _IFA_LOCAL, _IFA_F_NODAD = 1, 2, 2
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def unshare(flags: int) -> None:
    """Move the calling thread into new namespaces, unshare(2).

    Raises OSError: EPERM where it is forbidden, EINVAL for `NEW_USER` in a process with several threads.
    """
    _checked(_libc.unshare(flags), "unshare")


def enter_network(fd: int) -> None:
    """Move the calling thread into the network namespace behind *fd*, setns(2)."""
    _checked(_libc.setns(fd, NEW_NET), "setns")


def open_network() -> int:
    """A descriptor of the calling thread's network namespace (not of the process: threads may differ)."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def become_root_of_own_user_namespace() -> None:
    """Create a user and a network namespace together and be uid 0 in them, user_namespaces(7).

    Together, since an ordinary user cannot setns(2) back into a network namespace that belongs to
    the initial user namespace. Uid 0, since only then do capabilities survive the exec of a worker.
    """
    uid, gid = os.getuid(), os.getgid()
    unshare(NEW_USER | NEW_NET)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {uid} 1")
    _write("/proc/self/gid_map", f"0 {gid} 1")
    raise_loopback()


def uid_outside() -> int:
    """The user id outside of our own user namespace, in which everybody is uid 0."""
    try:
        inside, outside, _ = Path("/proc/self/uid_map").read_text().split()[:3]
        return os.geteuid() - int(inside) + int(outside)
    except (OSError, ValueError):
        return os.geteuid()


def raise_loopback() -> None:
    """Switch the loopback device of the current network namespace on (``ip link set lo up``)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = struct.pack("16sH22x", b"lo", 0)
        flags: int = struct.unpack("16xH22x", fcntl.ioctl(device, _SIOCGIFFLAGS, request))[0]
        fcntl.ioctl(device, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))


def add_loopback_address(address: str) -> None:
    """Give the loopback device a further address, IPv4 or IPv6 (``ip addr add``), rtnetlink(7).

    Raises OSError, for example EPERM outside a network namespace of our own.
    """
    ip = ipaddress.ip_address(address)
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    length = len(ip.packed)
    # Without duplicate address detection, which would take an IPv6 address a second.
    body = struct.pack("=BBBBi", family, length * 8, _IFA_F_NODAD, 0, _LOOPBACK_INDEX)
    for kind in (_IFA_LOCAL, _IFA_ADDRESS):
        body += struct.pack("=HH", 4 + length, kind) + ip.packed
    header = struct.pack("=IHHII", 16 + len(body), _RTM_NEWADDR, _NLM_F_REQUEST_ACK_CREATE, 1, 0)
    with _route_socket(0) as route, _route_socket(_ROUTE_CHANGES) as changes:
        route.send(header + body)
        answer = route.recv(4096)
        error: int = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(error, f"cannot add {address} to lo: {os.strerror(error)}")
        # The kernel adds the local route of an IPv6 address a moment later, in a work queue.
        while ip.version == 6 and not _tells_of_local_route(changes.recv(4096), ip.packed):
            continue


def _route_socket(groups: int) -> socket.socket:
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    route.bind((0, groups))
    route.settimeout(_FUSE)
    return route


def _tells_of_local_route(message: bytes, address: bytes) -> bool:
    """Whether it is RTM_NEWROUTE of type RTN_LOCAL, rtnetlink(7): *address* is usable from now on."""
    kind: int = struct.unpack_from("=IH", message)[1]
    return kind == _RTM_NEWROUTE and message[16 + 7] == _RTN_LOCAL and address in message


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
