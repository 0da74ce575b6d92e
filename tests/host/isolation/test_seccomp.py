"""The filter of calls, played on a machine of our own: for both processors, and all versions."""

from __future__ import annotations

import errno
import struct

import pytest

from ml_api_lab.host.isolation import seccomp, system
from tests.support.tiers import LANDLOCKS

PID = 4321
ELDERS = frozenset({12, 9000})  # a number can be higher than that of a younger one
ALLOWED = "allowed"
KILLED = "killed"

UNIX, IPV4, IPV6, NETLINK, PACKET, VSOCK = 1, 2, 10, 16, 17, 40
STREAM, DATAGRAM, RAW, CLOSE_ON_EXEC = 1, 2, 3, 0o2000000


def play(lines: list[tuple[int, int, int, int]], data: bytes) -> str | int:
    """Return what a filter answers: "allowed", "killed", or the number of an error."""
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, number = lines[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, number)
            case 0x54:
                accumulator &= number
            case 0x05:
                at += number
            case 0x15 | 0x35 | 0x45:
                holds = {
                    0x15: accumulator == number,
                    0x35: accumulator >= number,
                    0x45: bool(accumulator & number),
                }[code]
                at += if_true if holds else if_false
            case 0x06:
                kind = number & 0xFFFF0000
                if kind == 0x00050000:
                    return number & 0xFFFF
                return {0x7FFF0000: ALLOWED, 0x80000000: KILLED}[kind]
            case _:
                raise AssertionError(f"the kernel has no such instruction: {code:#x}")


def answer(machine: str, name: str | int, *arguments: int, abi: int = 6) -> str | int:
    """Return what the filter answers to a call, by its name or number."""
    number = name if isinstance(name, int) else system.NUMBERS[machine][name]
    audit = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    given = [each & (2**64 - 1) for each in arguments] + [0] * (6 - len(arguments))
    data = struct.pack("=IIQ6Q", number, audit, 0, *given)
    return play(seccomp.program(machine, PID, ELDERS, abi), data)


@pytest.fixture(params=sorted(system.NUMBERS))
def machine(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.mark.parametrize("abi", LANDLOCKS)
def test_every_jump_stays_inside(machine: str, abi: int) -> None:
    lines = seccomp.program(machine, PID, ELDERS, abi)
    assert len(lines) <= 4096  # the kernel's own limit
    for at, (code, if_true, if_false, number) in enumerate(lines):
        if code == 0x05:
            assert at + 1 + number < len(lines)
        if code in (0x15, 0x35, 0x45):
            assert max(if_true, if_false) <= 255
            assert at + 1 + max(if_true, if_false) < len(lines)
    assert lines[-1][0] == 0x06


def test_what_it_does_not_know_is_allowed(machine: str) -> None:
    names = {"x86_64": [0, 1, 9, 57, 59, 231], "aarch64": [63, 64, 222, 221, 94]}[machine]
    assert {answer(machine, number) for number in names} == {ALLOWED}


def test_another_machine_s_calls_are_the_end(machine: str) -> None:
    lines = seccomp.program(machine, PID, ELDERS, 6)
    assert play(lines, struct.pack("=IIQ6Q", 1, 0x40000003, 0, *[0] * 6)) == KILLED


def test_the_second_table_of_x86_is_closed() -> None:
    assert answer("x86_64", 0x40000000 + 42) == errno.ENOSYS


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((UNIX, STREAM | CLOSE_ON_EXEC, 0), ALLOWED),
        ((UNIX, DATAGRAM, 0), errno.EACCES),
        ((IPV4, STREAM, 0), ALLOWED),
        ((IPV4, STREAM | CLOSE_ON_EXEC, 6), ALLOWED),
        ((IPV6, STREAM, 6), ALLOWED),
        ((IPV4, STREAM, 132), errno.EACCES),
        ((IPV4, STREAM, 262), errno.EACCES),
        ((IPV4, DATAGRAM, 0), errno.EACCES),
        ((IPV6, DATAGRAM, 17), errno.EACCES),
        ((IPV4, RAW, 1), errno.EACCES),
        ((NETLINK, RAW, 0), ALLOWED),
        ((NETLINK, RAW, 9), errno.EACCES),
        ((PACKET, RAW, 0), errno.EACCES),
        ((VSOCK, STREAM, 0), errno.EACCES),
    ],
)
def test_sockets(arguments: tuple[int, ...], expected: str | int, machine: str) -> None:
    assert answer(machine, "socket", *arguments) == expected


def test_nothing_connects(machine: str) -> None:
    assert answer(machine, "connect", 3) == errno.EPERM
    assert answer(machine, "sendto", 3, 0, 9, 0x20000000) == errno.EPERM
    assert answer(machine, "sendmsg", 3, 0, 0x20000000) == errno.EPERM
    assert answer(machine, "sendto", 3, 0, 9, 0x4000) == ALLOWED
    assert answer(machine, "io_uring_setup", 8, 0) == errno.ENOSYS
    assert answer(machine, "socketpair", UNIX, DATAGRAM, 0) == errno.EPERM
    assert answer(machine, "socketpair", UNIX, STREAM | CLOSE_ON_EXEC, 0) == ALLOWED


def test_nobody_but_itself_is_limited_or_slowed(machine: str) -> None:
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler"):
        assert [answer(machine, name, pid) for pid in (0, PID)] == [ALLOWED, ALLOWED]
        assert answer(machine, name, 1) == errno.EPERM
    assert answer(machine, "setpriority", 0, 0) == ALLOWED
    assert answer(machine, "setpriority", 0, 1) == errno.EPERM
    assert answer(machine, "setpriority", 2, 0) == errno.EPERM  # all of a user's
    assert answer(machine, "ioprio_set", 1, PID) == ALLOWED
    assert answer(machine, "ioprio_set", 3, 0) == errno.EPERM


def test_signals_are_the_filter_s_where_landlock_has_none(machine: str) -> None:
    for abi, others in ((6, ALLOWED), (5, errno.EPERM), (1, errno.EPERM)):
        assert answer(machine, "kill", 1, 9, abi=abi) == others
        assert answer(machine, "kill", -1, 9, abi=abi) == others
        assert answer(machine, "tgkill", 7, 7, 9, abi=abi) == others
        assert answer(machine, "kill", PID - 1, 9, abi=abi) == others
        assert answer(machine, "kill", 1 - PID, 9, abi=abi) == others
        assert answer(machine, "kill", 9000, 9, abi=abi) == others
        assert answer(machine, "kill", -9000, 9, abi=abi) == others
        for own in (0, PID, -PID, PID + 1, -PID - 1):
            assert answer(machine, "kill", own, 9, abi=abi) == ALLOWED
    assert answer(machine, "pidfd_send_signal", 3, 9, abi=5) == errno.ENOSYS


def test_truncating_is_the_filter_s_where_landlock_has_none(machine: str) -> None:
    for abi, emptied in ((3, ALLOWED), (2, errno.EPERM)):
        assert answer(machine, "truncate", 0, 0, abi=abi) == emptied
        assert answer(machine, "openat", 0, 0, 0o1000, abi=abi) == emptied
        # To write, as Landlock sees it.
        assert answer(machine, "openat", 0, 0, 0o1001, abi=abi) == ALLOWED
        assert answer(machine, "openat", 0, 0, 0, abi=abi) == ALLOWED


def test_rights_of_files_are_changed_in_appearance_alone(machine: str) -> None:
    assert {answer(machine, name) for name in ("fchmod", "fchmodat", "fchownat")} == {0}
    assert answer(machine, "utimensat", 0, 0, 5) == 0
    assert answer(machine, "utimensat", 0, 0, 5 << 32) == 0
    assert answer(machine, "utimensat", 0, 0, 0) == ALLOWED
    assert answer(machine, "setxattr") == errno.EOPNOTSUPP


def test_namespaces_are_not_left(machine: str) -> None:
    assert answer(machine, "unshare", 0x10000000) == errno.EPERM
    assert answer(machine, "clone", 0x10000011) == errno.EPERM
    assert answer(machine, "clone", 0x003D0F00) == ALLOWED  # a thread
    assert answer(machine, "clone3") == errno.ENOSYS  # then libraries call the other
