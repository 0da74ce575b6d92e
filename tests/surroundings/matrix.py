"""The solutions earn everything in whatever surroundings, or the run is refused with a sentence.

Slow, since each is a run of its own: ``tox -e surroundings``. Some of them are in `test_matrix.py`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.toy import LIMIT, ROOT, own_environment

TASKS = ("0_3", "1_3", "2_1", "3_1", "4_4", "5_1")
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the surroundings are made by a shell")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a run finds around it.

    Attributes:
        shell: how a shell starts pytest, which is "$@" there.
        environment: variables beside the usual ones, in which {folder} stands for one that may be
            written; None takes one away.
        options: pytest's own.
        refused: how the sentence begins with which the run is refused; "" if it is to be graded.
        folder: where it is started, seen from the lab.
    """

    shell: str = 'exec "$@"'
    environment: dict[str, str | None] = field(default_factory=dict)
    options: str = ""
    refused: str = ""
    folder: str = "."


def variables(**environment: str | None) -> Surroundings:
    return Surroundings(environment=environment)


def shell(command: str) -> Surroundings:
    return Surroundings(shell=command)


def python(options: str, **environment: str | None) -> Surroundings:
    shell = f'python=$1; shift; exec "$python" {options} "$@"'
    return Surroundings(shell=shell, environment=environment)


def start_up(code: str) -> Surroundings:
    """Surroundings in which each interpreter begins with that code."""
    write = f'echo "{code}" > "$PYTHONPATH/sitecustomize.py"'
    return Surroundings(shell=f'{write}; exec "$@"', environment={"PYTHONPATH": "{folder}"})


LIBRARIES = os.pathsep.join((sysconfig.get_path("purelib"), str(ROOT / "shared")))
HOLDS_BACK = (
    "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
NO_ASSERTIONS = "Checks are assertions, and Python removes assertions when it runs with -O"

SURROUNDINGS = {
    "standard input closed": shell('exec "$@" <&-'),
    "standard output closed": shell('exec "$@" >&-'),
    "standard error closed": shell('exec "$@" 2>&-'),
    "all streams closed": shell('exec "$@" <&- >&- 2>&-'),
    "a reader that ends first": shell('"$@" | true'),
    "a full disk behind standard output": shell('exec "$@" >/dev/full'),
    "a terminal of no size": variables(COLUMNS="0", LINES="0", TERM="dumb"),
    "warnings are errors": variables(PYTHONWARNINGS="error"),
    "Python's development mode": variables(PYTHONDEVMODE="1"),
    "asyncio's debug mode": variables(PYTHONASYNCIODEBUG="1"),
    "no assertions": Surroundings(environment={"PYTHONOPTIMIZE": "1"}, refused=NO_ASSERTIONS),
    "no docstrings": Surroundings(environment={"PYTHONOPTIMIZE": "2"}, refused=NO_ASSERTIONS),
    "a start-up file": variables(PYTHONSTARTUP="/nowhere.py"),
    "Python's home": variables(PYTHONHOME=sys.base_prefix, PYTHONPATH=LIBRARIES),
    "libraries by PYTHONPATH": variables(PYTHONPATH=LIBRARIES),
    "strict bytes": python("-bb"),
    "an isolated interpreter": python("-I"),
    "another seed of hashes": variables(PYTHONHASHSEED="0", PYTHONMALLOC="debug"),
    "caches elsewhere": variables(PYTHONPYCACHEPREFIX="{folder}"),
    "coverage of pytest": python("-m coverage run", COVERAGE_FILE="{folder}/.coverage"),
    "start-up code that prints": start_up("print(1)"),
    "start-up code that fails": start_up("1 / 0"),
    "a safe path": variables(PYTHONSAFEPATH="1"),
    "Python's fault handler": variables(PYTHONFAULTHANDLER="1", PYTHONUNBUFFERED="1"),
    "imports are timed": variables(PYTHONPROFILEIMPORTTIME="1", PYTHONVERBOSE="1"),
    "another encoding": variables(PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0"),
    "coverage of subprocesses": variables(
        COVERAGE_PROCESS_START=str(ROOT / "pyproject.toml"), COVERAGE_FILE="{folder}/.coverage"
    ),
    "what pytest-cov sets": variables(
        COV_CORE_SOURCE="", COV_CORE_CONFIG=":", COV_CORE_DATAFILE="/nowhere/.coverage"
    ),
    "plugins by themselves": variables(PYTEST_DISABLE_PLUGIN_AUTOLOAD=""),
    "a few variables alone": shell('exec env -i "PATH=$PATH" "$@"'),
    "no search path": variables(PATH=None),
    "certificates that are nowhere": variables(
        SSL_CERT_FILE="/nowhere", SSL_CERT_DIR="/nowhere", SSLKEYLOGFILE="/nowhere/keys"
    ),
    "a proxy by SOCKS": variables(ALL_PROXY="socks5://127.0.0.1:9"),
    "a locale that is none": variables(LC_ALL="xx_XX", LANG="xx_XX"),
    "no home": variables(HOME=None, USER=None, LOGNAME=None),
    "another zone": variables(TZ="Asia/Kathmandu"),
    "a proxy that is none": variables(
        http_proxy="http://127.0.0.1:9", HTTPS_PROXY="http://[::1]:9"
    ),
    "variables of a submission": variables(PORT="1", HOST="nowhere", API_KEY="x", CACHE_TTL="no"),
    "no folder for temporary files": variables(TMPDIR="/nowhere"),
    "private files": shell('umask 077; exec "$@"'),
    "signals held back": shell(f'exec {shlex.quote(sys.executable)} -c "{HOLDS_BACK}" "$@"'),
    "ended children are ignored": shell('trap "" CHLD INT TERM USR1; exec "$@"'),
    "open to everybody": shell('umask 0; exec "$@"'),
    "few open files": shell('ulimit -n 64; exec "$@"'),
    "no core files, a small stack": shell('ulimit -c 0; ulimit -s 1024; exec "$@"'),
    "hang-ups are ignored": shell('trap "" HUP PIPE; exec "$@"'),
    "a folder of the tree": Surroundings(folder="solutions"),
    "a lab that cannot be written": Surroundings(folder="read-only"),
    "warnings of pytest's are errors": Surroundings(options="-W error"),
    "tracebacks of pytest's": Surroundings(options="--tb=short -vv"),
    "nothing captured": Surroundings(options="-s"),
    "nothing but dots": Surroundings(options="-qq --no-header --no-summary"),
    "workers": Surroundings(
        options="-p xdist.plugin -n 2", refused="Checks are not graded with pytest-xdist (-n)"
    ),
}


def read_only_lab(folder: Path) -> list[str]:
    """Copy the lab to a folder that nobody may write; return the words that run a command there."""
    for name in ("checks", "shared", "solutions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    if os.geteuid() == 0:  # whom modes do not hold back
        words = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(folder)]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
            pytest.skip("no folder can be made read-only for this user")
        return words
    for path in (*folder.rglob("*"), folder):
        if path.is_dir():
            path.chmod(0o555)
    return ["sh", "-c", 'cd "$0" && exec "$@"', str(folder)]


def grade_in(name: str, tmp_path: Path) -> None:
    """Grade some solutions in those surroundings; assert that they have all points."""
    around = SURROUNDINGS[name]
    lab = tmp_path / "lab" if around.folder == "read-only" else ROOT
    report = tmp_path / "grade.json"
    words = [sys.executable, "-m", "pytest", "-c", str(lab / "pyproject.toml")]
    words += [str(lab / "checks" / f"task_{task}") for task in TASKS]
    words += ["--tree=solutions", f"--report=json={report}", *shlex.split(around.options)]
    place = ["sh", "-c", 'exec "$@"', "sh"]
    if around.folder == "read-only":
        place = read_only_lab(lab)
    else:
        words += ["-p", "no:cacheprovider"]
    changed = {**own_environment(), **around.environment}
    ran = subprocess.run(
        [*place, "sh", "-c", around.shell, "sh", *words],
        cwd=ROOT if around.folder == "read-only" else ROOT / around.folder,
        env={
            key: value.replace("{folder}", str(tmp_path))
            for key, value in changed.items()
            if value is not None
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=LIMIT,
        check=False,
    )
    assert "Traceback" not in ran.stdout, ran.stdout
    assert "INTERNALERROR" not in ran.stdout, ran.stdout
    if around.refused:
        assert (ran.returncode, report.exists()) == (4, False), ran.stdout
        assert re.search(rf"^ERROR: {re.escape(around.refused)}", ran.stdout, re.MULTILINE)
    else:
        assert ran.returncode == 0, ran.stdout
        grade = json.loads(report.read_text(encoding="utf-8"))
        assert (grade["score"], grade["maximum"]) == (60, 60), ran.stdout


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_solutions_in(name: str, tmp_path: Path) -> None:
    grade_in(name, tmp_path)
