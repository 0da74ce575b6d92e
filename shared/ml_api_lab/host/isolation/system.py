"""The kernel's own calls, for what Python has no function for (Linux on x86-64 and arm64)."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Mapping

MACHINE = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}.get(
    platform.machine().lower(), ""
)
"""The kind of processor, "" for one that the lab knows no numbers of calls for."""

# Numbers of calls: in x86-64's table, and in the one that all newer architectures share. From 424
# on they are the same everywhere. After the kernel's `syscall_64.tbl` and `asm-generic/unistd.h`.
_X86_64 = {
    "open": 2, "shmget": 29, "shmat": 30, "shmctl": 31, "connect": 42, "socket": 41, "sendto": 44,
    "sendmsg": 46, "socketpair": 53, "clone": 56, "kill": 62, "semget": 64, "semop": 65,
    "semctl": 66, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "truncate": 76,
    "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "ptrace": 101,
    "syslog": 103, "capset": 126, "rt_sigqueueinfo": 129, "utime": 132, "setpriority": 141,
    "sched_setparam": 142, "sched_setscheduler": 144, "pivot_root": 155, "chroot": 161,
    "mount": 165, "umount2": 166, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
    "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "tkill": 200,
    "sched_setaffinity": 203, "semtimedop": 220, "tgkill": 234, "utimes": 235, "mq_open": 240,
    "mq_unlink": 241, "add_key": 248, "request_key": 249, "keyctl": 250, "ioprio_set": 251,
    "inotify_init": 253, "migrate_pages": 256, "openat": 257, "fchownat": 260, "futimesat": 261,
    "fchmodat": 268, "unshare": 272, "move_pages": 279, "utimensat": 280, "inotify_init1": 294,
    "rt_tgsigqueueinfo": 297, "perf_event_open": 298, "fanotify_init": 300, "prlimit64": 302,
    "name_to_handle_at": 303, "open_by_handle_at": 304, "sendmmsg": 307, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "sched_setattr": 314,
    "seccomp": 317, "bpf": 321, "userfaultfd": 323,
}  # fmt: skip
_GENERIC = {
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15,
    "fremovexattr": 16, "inotify_init1": 26, "ioprio_set": 30, "umount2": 39, "mount": 40,
    "pivot_root": 41, "truncate": 45, "chroot": 51, "fchmod": 52, "fchmodat": 53, "fchownat": 54,
    "fchown": 55, "openat": 56, "utimensat": 88, "capset": 91, "unshare": 97, "syslog": 116,
    "ptrace": 117, "sched_setparam": 118, "sched_setscheduler": 119, "sched_setaffinity": 122,
    "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138, "setpriority": 140,
    "mq_open": 180, "mq_unlink": 181, "msgget": 186, "msgctl": 187, "msgrcv": 188, "msgsnd": 189,
    "semget": 190, "semctl": 191, "semtimedop": 192, "semop": 193, "shmget": 194, "shmctl": 195,
    "shmat": 196, "socket": 198, "socketpair": 199, "connect": 203, "sendto": 206, "sendmsg": 211,
    "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "migrate_pages": 238,
    "move_pages": 239, "rt_tgsigqueueinfo": 240, "perf_event_open": 241, "prlimit64": 261,
    "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265, "setns": 268,
    "sendmmsg": 269, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
    "sched_setattr": 274, "seccomp": 277, "bpf": 280, "userfaultfd": 282,
}  # fmt: skip
_EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431,
    "fsmount": 432, "fspick": 433, "pidfd_open": 434, "clone3": 435, "openat2": 437,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442,
    "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
    "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "open_tree_attr": 467,
    "file_setattr": 469,
}  # fmt: skip

NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {**_X86_64, **_EVERYWHERE},
    "aarch64": {**_GENERIC, **_EVERYWHERE},
}
"""The numbers of calls by the kind of processor; what a kind lacks is not in its table."""

_FROM_HERE, _WITH_ALL_BELOW, _MOUNT_IS_READ_ONLY = -100, 0x8000, 1

_MOST_ARGUMENTS = 6

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
# As wide as a register, whatever is passed: of an int, half of it would be left as it was.
_syscall.argtypes = (ctypes.c_long, *(ctypes.c_void_p,) * _MOST_ARGUMENTS)


def call(name: str, *arguments: object) -> int:
    """Call the kernel; return its answer.

    Args:
        arguments: numbers, and bytes or ctypes' pointers for what the kernel is to look at.

    Raises:
        OSError: it refused.
    """
    unused = (None,) * (_MOST_ARGUMENTS - len(arguments))
    return _checked(name, _syscall(NUMBERS[MACHINE][name], *arguments, *unused))


def prctl(option: int, *arguments: object) -> int:
    """Change something about this process.

    Raises:
        OSError: the kernel refused.
    """
    passed = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments]
    passed += [ctypes.c_ulong(0)] * (4 - len(passed))
    return _checked("prctl", _libc.prctl(ctypes.c_int(option), *passed))


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Mount a file system.

    Raises:
        OSError: the kernel refused.
    """
    texts = [text.encode() for text in (source, target, kind)]
    _checked(f"mount {target}", _libc.mount(*texts, ctypes.c_ulong(flags), data.encode()))


def make_read_only(target: str) -> None:
    """Let nobody write to a mount, or to those below it, in this view of files (Linux 5.12).

    Raises:
        OSError: the kernel refused.
    """
    attributes = struct.pack("=QQQQ", _MOUNT_IS_READ_ONLY, 0, 0, 0)
    call(
        "mount_setattr",
        _FROM_HERE,
        target.encode(),
        _WITH_ALL_BELOW,
        attributes,
        len(attributes),
    )


def unshare(flags: int) -> None:
    """Leave the namespaces that the flags name for new ones.

    Raises:
        OSError: the kernel refused.
    """
    _checked("unshare", _libc.unshare(ctypes.c_int(flags)))


def _checked(what: str, answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return answer
