"""The process beside a submission.

Usage: ``python -m ml_api_lab.host PORT TOKEN CLOCK ROLE [MODULE ...]``.

CLOCK is "lab" or "real". ROLE is "forks" (import the modules, then be a fork server) or "one" (be
a host oneself).
"""

from __future__ import annotations

import gc
import os
import sys

from ml_api_lab.host import fork_server, patches, preload
from ml_api_lab.host.program import Program
from ml_api_lab.protocol.link import dial
from ml_api_lab.protocol.messages import Hello, Start


def main(port: int, token: str, clock: str, role: str, modules: list[str]) -> int:
    # Nothing is collected while modules are loaded: what is alive then stays alive.
    gc.disable()
    is_lab_time = clock == "lab"
    if is_lab_time:
        preload.import_unfreezable(modules)
        patches.install()

    def host(token: str) -> int:
        link = dial(port, Hello(token, os.getpid()))
        start = link.receive()
        if not isinstance(start, Start):
            return 1
        return Program(link, start, is_lab_time=is_lab_time).run()

    if role == "one":
        # Before it calls: a check's budget is for the submission.
        preload.preload(modules)
        return host(token)
    link = dial(port, Hello(token, os.getpid()))
    preload.preload(modules)
    fork_server.serve(link, host)
    return 0


if __name__ == "__main__":
    os._exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]))
