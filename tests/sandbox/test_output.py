"""What submissions print: without end, as no text, or nowhere."""

from __future__ import annotations

from tests.support.faults import ASKED, SERVE, Fault, app, each_fault, each_fault_without_forks

FAULTS = {
    "prints a gigabyte": Fault(
        "for _ in range(1024): print('x' * 2**20)",
        "The script main.py printed more than 32 MB, and was ended for it.",
    ),
    "prints a gigabyte in a handler": Fault(
        app("for _ in range(64): os.write(1, b'x' * 2**24)"),
        f"{ASKED}printed more than 32 MB",
        SERVE,
    ),
    "prints binary": Fault(
        app("os.write(1, bytes(range(256)) * 64); raise ValueError('\\x1b[31m\\x00')"),
        "The status is wrong.",
        SERVE,
    ),
    "closes its output": Fault(
        app("sys.stdout.close(); sys.stderr.close(); print('x')"), "The status is wrong.", SERVE
    ),
    "closes every descriptor": Fault(
        app("os.closerange(0, 1024)"), ASKED, SERVE, also_without_forks=True
    ),
    "closes every descriptor in a script": Fault(
        "import os\nos.closerange(0, 1024)", "The script main.py "
    ),
}


test_fault = each_fault(FAULTS)
test_fault_without_forks = each_fault_without_forks(FAULTS)
