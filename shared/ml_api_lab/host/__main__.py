"""The process beside a submission.

Usage: ``python -m ml_api_lab.host PORT TOKEN CLOCK ROLE [MODULE ...]``.

CLOCK is "lab" or "real". ROLE is "forks" (import the modules, then be a fork server) or "one" (be
a host oneself).
"""

from __future__ import annotations

import gc
import os
import sys

from ml_api_lab.protocol.link import Link, dial
from ml_api_lab.protocol.messages import Execute, Hello, Start


def main(port: int, token: str, clock: str, role: str, modules: list[str]) -> int:
    # Nothing is collected while modules are loaded: what is alive then stays alive.
    gc.disable()
    from ml_api_lab.host import preload

    lab_time = clock == "lab"
    if lab_time:
        from ml_api_lab.host import patches

        preload.import_unfreezable(modules)
        patches.install()

    def host(token: str, link: Link | None = None) -> int:
        from ml_api_lab.host.program import Program

        link = link or dial(port, Hello(token, os.getpid()))
        match link.receive():
            case Start() as start:
                return Program(link, start, lab_time=lab_time).run()
            case Execute() as command:
                link.close()
                return interpreter.become(command)
        return 1

    if role == "one":
        # Before it calls: a check's budget is for the submission.
        preload.preload(modules)
        return host(token)
    from ml_api_lab.host import (
        fork_server,
        interpreter,
        program,  # noqa: F401 - the same
    )

    link = dial(port, Hello(token, os.getpid()))
    preload.preload(modules)
    fork_server.serve(link, host)
    return 0


if __name__ == "__main__":
    os._exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]))
