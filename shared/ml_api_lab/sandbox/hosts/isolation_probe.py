"""What a probe tries inside a tier, as a submission could: what must fail, and what must not.

Its text is run by a host; nobody imports it. It writes what each attempt came to as JSON.
"""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import zoneinfo

GIVEN = json.loads(sys.argv[1])
"""Where things are: "home", "canary", "lab", "checks" (a process id), "port", "socket", "pipe".

"report" is where to write to: what is printed may be mixed with what an environment's own start-up
code prints.
"""


def read_the_home() -> None:
    os.listdir(GIVEN["home"])


def read_a_file_of_the_user() -> None:
    with open(GIVEN["canary"]) as file:
        file.read()


def change_a_file_of_the_user() -> None:
    with open(GIVEN["canary"], "a") as file:
        file.write("x")


def empty_a_file_of_the_user() -> None:
    os.close(os.open(GIVEN["canary"], os.O_RDONLY | os.O_TRUNC))


def change_the_rights_of_a_file() -> None:
    mode = stat.S_IMODE(os.stat(GIVEN["canary"]).st_mode)
    os.chmod(GIVEN["canary"], mode ^ 0o111)
    if stat.S_IMODE(os.stat(GIVEN["canary"]).st_mode) == mode:
        raise PermissionError("it has no effect")


def read_the_lab() -> None:
    os.listdir(GIVEN["lab"])


def write_into_the_lab() -> None:
    path = os.path.join(GIVEN["lab"], f".probe-{os.getpid()}")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
    os.unlink(path)


def write_into_the_environment_of_Python() -> None:  # noqa: N802
    path = os.path.join(os.path.dirname(json.__file__), f".probe-{os.getpid()}")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
    os.unlink(path)


def signal_the_checks() -> None:
    os.kill(GIVEN["checks"], 0)


def signal_the_fork_server() -> None:
    os.kill(os.getppid(), 0)


def limit_the_checks() -> None:
    import resource

    resource.prlimit(GIVEN["checks"], resource.RLIMIT_CORE)


def read_the_environment_of_the_checks() -> None:
    with open(f"/proc/{GIVEN['checks']}/environ", "rb") as file:
        file.read()


def read_the_command_of_the_checks() -> None:
    with open(f"/proc/{GIVEN['checks']}/cmdline", "rb") as file:
        file.read()


def read_the_command_of_the_fork_server() -> None:
    with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
        file.read()


def read_the_memory_of_the_checks() -> None:
    with open(f"/proc/{GIVEN['checks']}/mem", "rb") as file:
        file.fileno()


def connect_to_a_port() -> None:
    socket.create_connection(("127.0.0.1", GIVEN["port"]), 5)


def connect_without_the_patched_class() -> None:
    with socket.socket() as caller:
        socket.SocketType.connect(caller, ("127.0.0.1", GIVEN["port"]))


def connect_to_a_local_socket() -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        socket.SocketType.connect(caller, GIVEN["socket"])


def send_a_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.sendto(b"x", ("127.0.0.1", GIVEN["port"]))


def use_temporary_files() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        with open(path, "w") as file:
            file.write("x")
        os.replace(path, path + "-moved")
        os.symlink(path, path)


def use_locks_of_processes() -> None:
    import multiprocessing

    with multiprocessing.Lock():
        pass


def listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.getsockname()


def use_a_pair_of_sockets() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"x")
        other.recv(1)


def run_a_shell() -> None:
    subprocess.run(["/bin/sh", "-c", "cat /dev/null && exit 0"], check=True)


def run_this_interpreter() -> None:
    subprocess.run([sys.executable, "-c", "import json"], check=True)


def know_time_zones() -> None:
    time.localtime(), zoneinfo.available_timezones()


def read_random_numbers() -> None:
    with open("/dev/urandom", "rb") as file:
        file.read(1)


def leave_a_daemon() -> None:
    """Leave a process in a session of its own; it holds the pipe open while it lives."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.open(GIVEN["pipe"], os.O_WRONLY)
            time.sleep(600)
        os._exit(0)
    os.wait()


FORBIDDEN = (
    read_the_home, read_a_file_of_the_user, change_a_file_of_the_user, empty_a_file_of_the_user,
    change_the_rights_of_a_file, read_the_lab, write_into_the_lab,
    write_into_the_environment_of_Python, signal_the_checks, signal_the_fork_server,
    limit_the_checks, read_the_environment_of_the_checks, read_the_command_of_the_checks,
    read_the_command_of_the_fork_server, read_the_memory_of_the_checks, connect_to_a_port,
    connect_without_the_patched_class, connect_to_a_local_socket, send_a_datagram,
)  # fmt: skip
NEEDED = (
    use_temporary_files, use_locks_of_processes, listen, use_a_pair_of_sockets, run_a_shell,
    run_this_interpreter, know_time_zones, read_random_numbers,
)  # fmt: skip

leave_a_daemon()
succeeded: list[str] = []
failed: dict[str, str] = {}
for act in (*FORBIDDEN, *NEEDED):
    name = act.__name__.replace("_", " ")
    try:
        act()
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}"
    else:
        succeeded.append(name)
names = {act.__name__.replace("_", " ") for act in FORBIDDEN}
with open(GIVEN["report"], "w", encoding="utf-8") as report:
    json.dump(
        {
            "possible": [name for name in succeeded if name in names],
            "impossible": [f"{name} ({why})" for name, why in failed.items() if name not in names],
            "tried": len(succeeded) + len(failed),
        },
        report,
    )
