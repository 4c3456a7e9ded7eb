"""The few system calls that Python's standard library does not offer, through libc."""

from __future__ import annotations

import ctypes
import errno
import os

_libc = ctypes.CDLL(None, use_errno=True)

#: System calls added since Linux 5.1 have one number on every architecture (except alpha).
_PIDFD_GETFD = 438


class _IoVec(ctypes.Structure):
    """struct iovec, readv(2)."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def duplicate_from(pidfd: int, fd: int) -> int:
    """Duplicate descriptor *fd* of the process behind *pidfd* into this process: pidfd_getfd(2).

    The duplicate shares the program's open file description and keeps it alive: close it at once.
    Raises OSError: EPERM without ptrace access (or forbidden by a container), EBADF when the
    program has no such descriptor (any more), ESRCH when it is dead, ENOSYS before Linux 5.6.
    """
    return _checked(_libc.syscall(_PIDFD_GETFD, pidfd, fd, 0))


def read_memory(pid: int, address: int, length: int) -> bytes:
    """Bytes at *address* in the memory of process *pid*: process_vm_readv(2), or else /proc/PID/mem.

    May return fewer than *length* bytes. Raises OSError: EFAULT or EIO for an unmapped address,
    PermissionError without ptrace access, ESRCH when the process is dead.
    """
    try:
        return _process_vm_readv(pid, address, length)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS):
            raise
    # The call alone may be missing or forbidden (a container's seccomp profile).
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        return os.pread(memory.fileno(), length, address)


def _process_vm_readv(pid: int, address: int, length: int) -> bytes:
    buffer = ctypes.create_string_buffer(length)
    local = _IoVec(ctypes.addressof(buffer), length)
    remote = _IoVec(address, length)
    got = _checked(_libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
    return buffer.raw[:got]


def slurp(path: str, limit: int = 1 << 16) -> bytes:
    """The first *limit* bytes of a /proc file, in one read (which the kernel answers consistently)."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, limit)
    finally:
        os.close(fd)
