"""A filter of the kernel's calls: what no file rule can refuse, and no submission needs.

The filter is a program of the kernel's own small machine (classic BPF; the kernel's
`Documentation/userspace-api/seccomp_filter.rst`), made here from a table. It sees the numbers of
calls and their arguments as numbers, and nothing that they point to. So connecting is refused
altogether, whatever the address.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable
from functools import cache

from ml_api_lab.host.isolation import landlock, system

_LOAD, _EQUAL, _GREATER_EQUAL, _SHARES_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_JUMP = 0x05
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_SET_FILTER, _ALL_THREADS = 1, 1

_NEW_NAMESPACES = 0x7E020000
_FAST_OPEN = 0x20000000
_TYPE_MASK = 0xF
_UNIX, _IPV4, _IPV6, _NETLINK = 1, 2, 10, 16
_STREAM, _SEQUENCED, _TCP = 1, 5, 6
_ACCESS_MODE, _TRUNCATE = 0o3, 0o1000

_ANY_PID = 0x5A5A5A5A
"""A number that no process has, in place of the one that the filter will be for."""

_Instruction = tuple[int, int, int, int]
_INSTRUCTION = "=HBBI"
_INSTRUCTION_BYTES = struct.calcsize(_INSTRUCTION)

_FEW_RULES = 4
"""How many rules are asked one after the other."""


class _Program(ctypes.Structure):
    """The kernel's `struct sock_fprog`: how many instructions, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_char_p))


# Libraries try these and do without: they must look as if the kernel did not have them.
_ABSENT = (
    "io_uring_setup", "io_uring_enter", "io_uring_register", "clone3", "inotify_init",
    "inotify_init1", "fanotify_init", "shmget", "shmat", "shmctl", "semget", "semop", "semtimedop",
    "semctl", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink", "pidfd_getfd",
)  # fmt: skip

_REFUSED = (
    "connect", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "bpf",
    "perf_event_open", "userfaultfd", "add_key", "request_key", "keyctl", "mount", "umount2",
    "pivot_root", "chroot", "open_tree", "open_tree_attr", "move_mount", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr", "unshare", "setns", "name_to_handle_at",
    "open_by_handle_at", "migrate_pages", "move_pages", "syslog",
)  # fmt: skip

# Landlock does not know of these, and no filter sees whose file is meant. Copying a file calls
# them, so they do nothing and say that they have: in a workspace nobody looks at owners and times.
_WITHOUT_EFFECT = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat",
)  # fmt: skip

# With the argument that points to the times. Without times the kernel takes the time now, which
# makes a file look new at most. `Path.touch` begins with it, to see whether there is a file.
_TIMES = {"utime": 1, "utimes": 1, "futimesat": 2, "utimensat": 2}
_UNSUPPORTED = (
    "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr",
    "fremovexattr", "removexattrat", "file_setattr",
)  # fmt: skip

# Whom these are about is their first argument; only the caller itself is let through.
_ABOUT_A_PROCESS = (
    "prlimit64", "sched_setaffinity", "sched_setparam", "sched_setscheduler", "sched_setattr",
)  # fmt: skip
_SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")


def install(pid: int, elders: frozenset[int], abi: int) -> None:
    """Filter the calls of this process and of all that it starts, for good.

    Args:
        pid: this process.
        elders: those that it must not signal, and their groups.
        abi: the version of Landlock's interface that is in use; the filter does what it lacks.

    Raises:
        OSError: the kernel refused.
    """
    code = template(system.MACHINE, elders, abi)
    for number in (0, 1):  # as it is, and as the negative ones next to it begin
        code = code.replace(_pack(_bound(_ANY_PID, number)), _pack(_bound(pid, number)))
    given = _Program(len(code) // _INSTRUCTION_BYTES, code)
    system.call("seccomp", _SET_FILTER, _ALL_THREADS, ctypes.byref(given))


@cache
def template(machine: str, elders: frozenset[int], abi: int) -> bytes:
    """Return the filter as the kernel takes it, for the process `_ANY_PID`."""
    lines = program(machine, _ANY_PID, elders, abi)
    return b"".join(struct.pack(_INSTRUCTION, *line) for line in lines)


def _bound(pid: int, number: int) -> int:
    """Return one of the two numbers in a filter that are made of a process's own."""
    return (pid, (1 << 32) - pid + 1)[number]


def _pack(number: int) -> bytes:
    return struct.pack("=I", number)


def program(machine: str, pid: int, elders: frozenset[int], abi: int) -> list[_Instruction]:
    """Return the filter for that kind of processor: (code, if true, if false, number) each."""
    lines: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":  # its calls from programs with short pointers, a table of their own
        lines += [(_GREATER_EQUAL, 0, 1, _X32), _refuse(errno.ENOSYS)]
    numbers = system.NUMBERS[machine]
    rules = {numbers[name]: body for name, body in _rules(pid, elders, abi) if name in numbers}
    return [*lines, *_choice(sorted(rules.items()))]


def _choice(rules: list[tuple[int, list[_Instruction]]]) -> list[_Instruction]:
    """Go to the rule of a call's number, and let the call pass where there is none.

    A half of them is left after each question: the kernel asks for every number that there is
    whenever it takes a filter.
    """
    if len(rules) <= _FEW_RULES:
        lines = [line for number, body in rules for line in ((_EQUAL, 0, len(body), number), *body)]
        return [*lines, (_RETURN, 0, 0, _ALLOW)]
    middle = len(rules) // 2
    lower, upper = _choice(rules[:middle]), _choice(rules[middle:])
    first, _ = rules[middle]
    return [(_GREATER_EQUAL, 0, 1, first), (_JUMP, 0, 0, len(lower)), *lower, *upper]


def _rules(pid: int, elders: frozenset[int], abi: int) -> Iterable[tuple[str, list[_Instruction]]]:
    """Yield what becomes of a call; each ends with an answer."""
    yield from ((name, [_refuse(errno.EPERM)]) for name in _REFUSED)
    yield from ((name, [_refuse(errno.ENOSYS)]) for name in _ABSENT)
    yield from ((name, [_refuse(0)]) for name in _WITHOUT_EFFECT)
    yield from ((name, _only_now(argument)) for name, argument in _TIMES.items())
    yield from ((name, [_refuse(errno.EOPNOTSUPP)]) for name in _UNSUPPORTED)
    yield "clone", _refuse_flags(0, _NEW_NAMESPACES)
    yield "socket", _socket_rule()
    yield "socketpair", _only(1, {_STREAM, _SEQUENCED}, mask=_TYPE_MASK)
    # A first packet with data opens a connection as well.
    yield "sendto", _refuse_flags(3, _FAST_OPEN)
    yield "sendmsg", _refuse_flags(2, _FAST_OPEN)
    yield "sendmmsg", _refuse_flags(3, _FAST_OPEN)
    yield from ((name, _only(0, {0, pid})) for name in _ABOUT_A_PROCESS)
    for name, itself in (("setpriority", 0), ("ioprio_set", 1)):
        yield name, [*_require(0, {itself}), *_only(1, {0, pid})]
    if abi < landlock.SCOPES:
        yield from ((name, _only_younger(pid, elders)) for name in _SIGNALS)
        yield "pidfd_open", [_refuse(errno.ENOSYS)]
        yield "pidfd_send_signal", [_refuse(errno.ENOSYS)]
    if abi < landlock.TRUNCATES:
        yield "truncate", [_refuse(errno.EPERM)]
        yield "openat2", [_refuse(errno.ENOSYS)]
        # Opened for reading alone, a file can be emptied all the same.
        for name, argument in (("open", 1), ("openat", 2)):
            yield (
                name,
                [
                    _load(argument),
                    (_AND, 0, 0, _ACCESS_MODE | _TRUNCATE),
                    (_EQUAL, 0, 1, _TRUNCATE),
                    _refuse(errno.EPERM),
                    (_RETURN, 0, 0, _ALLOW),
                ],
            )


def _only_younger(pid: int, elders: frozenset[int]) -> list[_Instruction]:
    """Let a signal pass to this process and to those that began after it, or to their groups.

    The checks and the fork server began before; what a submission starts begins after. The numbers
    of processes begin anew some day, so those two are refused by name.
    """
    numbers = sorted(elders | {-each for each in elders})
    return [
        _load(0),
        *(
            line
            for number in numbers
            for line in ((_EQUAL, 0, 1, number & 0xFFFFFFFF), _refuse(errno.EPERM))
        ),
        (_EQUAL, 2, 0, 0),  # its own group
        (_GREATER_EQUAL, 0, 2, 1 << 31),  # negative: a group, or with -1 everybody
        (_GREATER_EQUAL, 2, 0, _bound(pid, 1)),
        (_RETURN, 0, 0, _ALLOW),
        (_GREATER_EQUAL, 1, 0, pid),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _socket_rule() -> list[_Instruction]:
    """Let pass streams of this machine's own and of TCP, and questions about its network.

    A datagram needs no connection: it could be sent to anybody at once.
    """
    stream = _only(1, {_STREAM}, mask=_TYPE_MASK, error=errno.EACCES)
    tcp = [*_require(2, {0, _TCP}, error=errno.EACCES), *stream]
    netlink = _only(2, {0}, error=errno.EACCES)
    return [
        _load(0),
        (_EQUAL, 0, len(stream), _UNIX),
        *stream,
        (_EQUAL, 0, len(netlink), _NETLINK),
        *netlink,
        (_EQUAL, 1, 0, _IPV4),
        (_EQUAL, 0, len(tcp), _IPV6),
        *tcp,
        _refuse(errno.EACCES),
    ]


def _only(
    argument: int, values: set[int], *, mask: int | None = None, error: int = errno.EPERM
) -> list[_Instruction]:
    """Let the call pass with one of these values, and refuse it else."""
    return [*_require(argument, values, mask=mask, error=error), (_RETURN, 0, 0, _ALLOW)]


def _require(
    argument: int, values: set[int], *, mask: int | None = None, error: int = errno.EPERM
) -> list[_Instruction]:
    """Refuse the call without one of these values, and go on else."""
    lines = [_load(argument)]
    if mask is not None:
        lines.append((_AND, 0, 0, mask))
    left = sorted(values)
    while left:
        value = left.pop(0)
        lines.append((_EQUAL, len(left) + 1, 0, value & 0xFFFFFFFF))
    return [*lines, _refuse(error)]


def _refuse_flags(argument: int, flags: int) -> list[_Instruction]:
    return [
        _load(argument),
        (_SHARES_BIT, 0, 1, flags),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _only_now(argument: int) -> list[_Instruction]:
    """Let the call pass if that pointer is null; say else that it is done, and do nothing."""
    return [
        _load(argument),
        (_EQUAL, 0, 3, 0),
        _load(argument, half=1),
        (_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        _refuse(0),
    ]


def _load(argument: int, *, half: int = 0) -> _Instruction:
    # Numbers are 32 bits wide, and both processors write the low end first; pointers are 64.
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument + 4 * half)


def _refuse(error: int) -> _Instruction:
    """Answer the call with that error, 0 for none, and do nothing."""
    return (_RETURN, 0, 0, _REFUSE | error)
