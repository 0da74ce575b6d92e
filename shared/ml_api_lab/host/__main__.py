"""The entry point of a host: the process in which a submission runs.

Usage: ``python -m ml_api_lab.host ADDRESS TOKEN CLOCK ROLE CONFINEMENT [MODULE ...]``.

ADDRESS is where the checks' side listens. CLOCK is "lab" or "real". ROLE is "forks" (import the
modules, then be a fork server) or "one" (be a host oneself). CONFINEMENT is what a host applies
before any of a submission's code runs.
"""

# ruff: noqa: E402 - the first import is gc, which is told something before the others come
from __future__ import annotations

import gc

# Nothing is collected while modules are loaded: what is alive then stays alive.
gc.disable()

import os
import select
import signal
import sys
from typing import cast

from ml_api_lab.host import (
    fork_server,
    interpreter,
    isolation,
    patches,
    preload,
    spares,
)
from ml_api_lab.host.isolation import without_psutil
from ml_api_lab.host.program import Program
from ml_api_lab.host.spares import need, waiting
from ml_api_lab.host.spares.asked import Asked
from ml_api_lab.host.spares.successor import Successor
from ml_api_lab.protocol.confinement import Confinement
from ml_api_lab.protocol.link import Link, dial
from ml_api_lab.protocol.messages import ClockName, Execute, Fork, Hello, HostRole, Start

_IDLE_SECONDS = 0.1
"""How long a fork has nothing to do before it takes it that nobody is in a hurry."""


def main(
    address: str,
    token: str,
    clock: ClockName,
    role: HostRole,
    confinement: Confinement,
    modules: list[str],
) -> int:
    if hasattr(signal, "pthread_sigmask"):
        # What started the checks may have held signals back, for all that it starts; here they end
        # waits.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    isolation.prepare(confinement, clock, serves_forks=role == "forks")
    is_lab_time = clock == "lab"
    if is_lab_time:
        preload.import_unfreezable(modules)
        patches.install()

    def host(link: Link, successor: Successor) -> int:
        asked: Asked | None = None
        match link.receive():
            case Start() as start:
                isolation.confine(confinement, start.workspace)
                if start.mode == "run":
                    wanted = need.for_training(start.folder)
                    asked = spares.keep(wanted, successor, [link])
                if asked is None:
                    return Program(link, start, is_lab_time=is_lab_time).run()
            case Execute() as program:
                link.close()
                isolation.confine(confinement, program.workspace)
                if program.is_python:
                    wanted = need.for_server(program.folder)
                    asked = spares.keep(wanted, successor, [])
                if asked is None:
                    return interpreter.become(program)
        if asked is None:
            return 1
        without_psutil.forget()
        return interpreter.become(asked.program, asked.ignored)

    def fork(asked: Fork, successor: Successor) -> int:
        link = dial(address, Hello(asked.token, os.getpid()))
        if asked.is_early and not select.select([link], [], [], _IDLE_SECONDS)[0]:
            # Each page that a fork writes to is copied first. What any submission writes to is
            # copied now, and not while somebody waits for a verdict.
            preload.rehearse(modules)
        return host(link, successor)

    if role == "one":
        # Before it calls: a check's budget is for the submission.
        preload.preload(modules, for_sockets=not is_lab_time)
        return host(dial(address, Hello(token, os.getpid())), Successor())
    link = dial(address, Hello(token, os.getpid()))
    preload.preload(modules, for_sockets=not is_lab_time)
    waiting.prepare()
    # Each fork gets an environment of its own; to empty this one first would take it a while.
    os.environ.clear()
    fork_server.serve(link, fork)
    return 0


if __name__ == "__main__":
    _, address, token, clock, role, confinement, *modules = sys.argv
    os._exit(
        main(
            address,
            token,
            cast(ClockName, clock),
            cast(HostRole, role),
            Confinement.from_text(confinement),
            modules,
        )
    )
