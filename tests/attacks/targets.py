"""Where an attack finds what it attacks: the one table of the lab's own names.

An attack that names something of the lab counts only while that name is right, so all of them take
it from here, and `test_the_table_is_right` compares the table with the lab.
"""

from __future__ import annotations

TARGETS = {
    "host_class": "Program",
    "host_module": "ml_api_lab.host.program",
    "package": "ml_api_lab",
    "renderer": "shared/ml_api_lab/grading/reports/json_report.py",
    "card": "shared/ml_api_lab/grading/card.py",
    "workspace_prefix": "lab-",
}

PRELUDE = """
import ctypes, gc, glob, json, os, signal, socket, stat, subprocess, sys, time

TARGETS = json.loads({targets!r})
GIVEN = json.loads({given!r})
LAB, HOME, PORT, NAME = GIVEN["lab"], GIVEN["home"], GIVEN["port"], GIVEN["name"]

def server():
    '''The process that this one was forked from.'''
    return os.getppid()

def grader():
    '''The process that runs the checks: the fork server's parent.'''
    with open(f"/proc/{{server()}}/stat") as file:
        return int(file.read().rpartition(") ")[2].split()[1])

def leave(work):
    '''Run that in a process of nobody's, in a session of its own.'''
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            try:
                work()
            finally:
                os._exit(0)
        os._exit(0)
    os.wait()

def tell(text):
    '''Send a text to a service on this machine.'''
    with socket.create_connection(("127.0.0.1", PORT), 5) as there:
        there.sendall((NAME + "=" + str(text) + "\\n").encode())

def mark(text="done"):
    '''Leave a file outside of the workspace.'''
    with open(os.path.join(HOME, NAME), "w") as file:
        file.write(str(text))
"""
"""What stands above each attack. HOME is a folder of its own, as a user's; LAB is the course."""
