"""How each command of README.md, CONTRIBUTING.md and docs/ is run, or why it is not.

`WAYS` has an entry for each page, with an entry for each command in a block of it, in their order.
`tests/pages/all_commands.py` runs those of a page one after the other in one copy of the lab.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """It is run by bash.

    Attributes:
        status: its exit status.
        says: what it prints, among other things.
        instead: what is run in its place: the same for a part of the tasks.
        before: what its reader has done before.
    """

    says: str
    status: int = 0
    instead: str = ""
    before: str = ""


@dataclass(frozen=True)
class Watch:
    """It is run in a terminal until it has graded once; `says` is on its screen then."""

    says: str


@dataclass(frozen=True)
class Serve:
    """It is run until the application has started, and then interrupted."""


@dataclass(frozen=True)
class Elsewhere:
    """A test in that file runs it, or CI does."""

    file: str


@dataclass(frozen=True)
class NotRun:
    """It is not run, for that reason."""

    reason: str


Way = Run | Watch | Serve | Elsewhere | NotRun

_ON_WINDOWS = NotRun("needs Windows; test_commands.py compares it with the command for Linux")
_ALL = "200 of 200"
_ADA = "mkdir -p ~/students/ada && cp -R solutions/task_3_2 ~/students/ada"
_CLASS = """\
mkdir -p submissions/s1001 submissions/s1002 submissions/s1003
cp -R solutions/task_0_1 solutions/task_3_2 submissions/s1001
cp -R solutions/task_0_1 submissions/s1002
cp -R solutions/task_3_2 submissions/s1003
printf 'id,name\\ns1001,Ada\\ns1002,Bo\\ns1003,Noa\\ns1004,Dee\\n' > roster.csv
"""
_GRADEBOOKS = """\
cp tests/ml_api_class/export/recorded/canvas.csv canvas.csv
cp tests/ml_api_class/export/recorded/moodle_gradebook.csv moodle.csv
cp tests/ml_api_class/export/recorded/gradescope.csv gradescope.csv
"""
_OTHER_SHARDS = """\
for n in 1 3 4 5 6 7 8; do lab class grade submissions/ --seed 1 --shard $n/8 --out run-$n; done
rm -r run
"""
_COUNTS = """\
sed -i.before 's/a lab in 20/a lab in 21/; s/a task, 200/a task, 210/' README.md
sed -i.before 's/in 20 small/in 21 small/' docs/lab.md
sed -i.before "s/each, 200/each, 210/; s/1 of 20 tasks/1 of 21 tasks/; s/'s 200/'s 210/" docs/ci.md
"""
_CLUSTER = NotRun("needs several machines; tests/slow/dask_cluster.py grades on a real cluster")
_SLURM = NotRun("needs SLURM; the page has the same command with numbers, and that is run")

WAYS: dict[str, dict[str, Way]] = {
    "README.md": {
        "python3 -m venv .venv && . .venv/bin/activate && pip install -e . "
        "&& pytest checks --tree=solutions": Run(_ALL),
        "python3 -m venv .venv && . .venv/bin/activate "
        '&& pip install -c constraints.txt -e ".[dev]" '
        "&& pytest tests -n auto --dist worksteal": Elsewhere(".ci/run"),
        r"py -m venv .venv; .venv\Scripts\pip install -e .; "
        r".venv\Scripts\pytest checks --tree=solutions": _ON_WINDOWS,
        r'py -m venv .venv; .venv\Scripts\pip install -c constraints.txt -e ".[dev]"; '
        r".venv\Scripts\pytest tests -n auto --dist worksteal": _ON_WINDOWS,
        "lab": Run("Next: 0.1"),
        "lab watch 0.1": Watch("0.1 One after the other: 0 of 10 points"),
        "lab watch 3.2": Watch("3.2 Async predictions: 0 of 10 points"),
        "pytest checks/task_3_2": Run("0 of  10", 1),
        "pytest": Run("0 of 200", 1),
        "lab serve 3.2": Serve(),
        "cd exercises/task_3_2 && pytest": Run("0 of  10", 1),
        "lab class grade submissions/ --out run": Run("3 graded", before=_CLASS),
        "lab class page run": Run("run/class.html"),
        "git diff --no-index exercises solutions": Run("raise NotImplementedError", 1),
        "git diff --no-index exercises/task_3_2 ~/students/ada/task_3_2": Run(
            "asyncio.sleep", 1, before=_ADA
        ),
        "pytest checks --tree=solutions": Run(
            "10 of  10", instead="pytest checks/task_3_2 --tree=solutions"
        ),
        "pytest checks --tree=$HOME/students/ada": Run("10 of 200", 1),
        "pytest checks/task_3_2 --tree=$HOME/students/ada/task_3_2": Run("10 of  10"),
        "LAB_TREE=solutions pytest": Run(
            "10 of  10", instead="LAB_TREE=solutions pytest checks/task_3_2"
        ),
    },
    "CONTRIBUTING.md": {
        "python3 -m venv .venv && . .venv/bin/activate "
        '&& pip install -c constraints.txt -e ".[dev]"': Elsewhere(".ci/run"),
        "pytest checks/task_9_1 --tree=solutions": Run(
            "10 of  10", before="pytest tests/course/test_stubs.py --update-stubs -k task_9_1"
        ),
        "pytest checks/task_9_1": Run("0 of  10", 1),
        "lab author check 9.1": Run("Nothing to repair.", before=_COUNTS),
        "lab author check 9.1 --mutants": Run("Nothing to repair."),
        "pytest tests/proofs/test_cards.py -k task_9_1 --update-cards": Run("1 passed"),
        "pytest tests -k task_9_1": Run(" passed"),
        "pytest tests -k task_3_2": Run(" passed"),
    },
    "docs/ci.md": {
        "pytest checks --tree=solutions --report json=grade.json --report junit=junit.xml "
        "--report markdown=summary.md": Run(
            "10 of  10",
            instead="pytest checks/task_0_1 --tree=solutions --report json=grade.json --report "
            "junit=junit.xml --report markdown=summary.md && wc -l grade.json junit.xml summary.md",
        ),
        "pytest checks --report html=grade.html": Run(
            "0 of  10", 1, instead="pytest checks/task_0_1 --report html=grade.html"
        ),
        "zip -r autograder.zip checks shared pyproject.toml constraints.txt README.md LICENSE": Run(
            "adding: checks/"
        ),
        "zip -j autograder.zip platforms/gradescope/setup.sh "
        "platforms/gradescope/run_autograder": Run("adding: run_autograder"),
    },
    "docs/class.md": {
        "lab class grade submissions/ --roster roster.csv --out run --dry-run": Run(
            "s1004", before=_CLASS
        ),
        "lab class grade submissions/ --roster roster.csv --out run": Run(
            "3 of 4 submissions were"
        ),
        "lab class page run": Run("class.html"),
        "lab class feedback run": Run("feedback"),
        "lab class verify run --share 5%": Run("0 with other results"),
        "lab class regrade run --out run2": Run("run2"),
        "lab class apply run2": Run("Applied."),
        "lab class discard run2": Run(
            "run2", before="rm -r run2 && lab class regrade run --out run2"
        ),
        "lab author check --mutants --write checks/proven.json": Run(
            "proven.json", instead="lab author check 3.2 --mutants --write checks/proven.json"
        ),
        'lab class export run --into canvas.csv --column "Lab 1"': Run(
            "canvas-filled.csv", before=_GRADEBOOKS
        ),
        'lab class export run --into moodle.csv --column "Assignment: Lab 1 (Real)" --out-of 10 '
        "--decimal comma": Run("moodle-filled.csv"),
        'lab class export run --into gradescope.csv --column "Lab 1"': Run("gradescope-filled.csv"),
        "lab class export run --for dolos --tasks 3.2": Run("dolos"),
        "lab class export run --for jplag --tasks 3.2 --with-reference": Run("jplag"),
        "lab class grade submissions/ --seed 1 --shard 2/8 --out run-2": Run("run-2"),
        "lab class merge run-1 run-2 run-3 run-4 run-5 run-6 run-7 run-8 --out run": Run(
            "3 submissions", before=_OTHER_SHARDS
        ),
        'cd "$HOME/lab" && . .venv/bin/activate': _SLURM,
        'lab class grade submissions/ --seed 1 --shard "$SLURM_ARRAY_TASK_ID/8" '
        '--out "runs/$SLURM_ARRAY_TASK_ID"': _SLURM,
        "dask scheduler --host 10.0.0.1": _CLUSTER,
        "dask worker tcp://10.0.0.1:8786 --nworkers 4 --nthreads 1": _CLUSTER,
        "lab class grade submissions/ --out run --engine dask://10.0.0.1:8786": _CLUSTER,
    },
    "docs/threats.md": {
        "pytest tests/attacks tests/host/test_isolation.py tests/fuzz": Elsewhere(
            "tests/host/test_isolation.py"
        ),
        "tox -e tiers": NotRun("takes many minutes, in an environment of its own"),
        "tox -e fuzz": NotRun("takes many minutes, in an environment of its own"),
    },
}

ELSEWHERE = {"docs/own-course.md": Elsewhere("tests/test_own_course.py")}
"""Pages whose blocks a test carries out as a whole."""
