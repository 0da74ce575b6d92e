"""The plugin on a toy course: what is graded, what is said, and with which status it ends."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from ml_api_lab.course import catalog, syllabus, tree
from ml_api_lab.errors import CourseError
from tests.support.toy import LIMIT, Course, own_environment

CHECKS = '''
@points(4, hint="What does print do?")
async def test_greets(task: Task, clock: Clock):
    """It greets."""
    run = await task.run()
    assert run.output == "hello", f"It printed {run.output!r}; 'hello' is right."

@points(6, hint="What does sleep do?")
async def test_waits(task: Task, clock: Clock):
    """It waits."""
    run = await task.run()
    assert run.elapsed == seconds(2), f"It took {run.elapsed}; 2 s is right."
'''
RIGHT = 'import time\nprint("hello")\ntime.sleep(2)\n'
WRONG = 'print("bye")\n'


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two tasks whose solutions are right and whose exercises are not."""
    course = Course(tmp_path_factory.mktemp("plugin") / "course")
    course.task("task_0_1", CHECKS, WRONG, RIGHT)
    course.task("task_0_2", CHECKS, WRONG, RIGHT)
    return course


# --- what is graded -------------------------------------------------------------------------------


def test_solutions_earn_everything(course: Course) -> None:
    # The option wins over the variable.
    result = course.run("--tree=solutions", "--seed=7", LAB_TREE="nowhere")
    assert (result.status, result.score) == (0, (20, 20))
    assert "lab: tree solutions, clock lab, seed 7\n" in result.text
    assert "== Toy course: solutions ==" in result.text
    assert result.text.index("Toy course: solutions") < result.text.index(
        "Only part                                [####################]  20 of  20\n"
        "  0.1 Toy task_0_1                       [####################]  10 of  10\n"
        "  0.2 Toy task_0_2                       [####################]  10 of  10\n"
        "Total                                    [####################]  20 of  20\n"
    )
    assert result.report is not None
    assert result.report["seed"] == 7
    assert result.report["ended"] == ""


def test_exercises_are_the_default(course: Course) -> None:
    result = course.run()
    assert (result.status, result.score) == (1, (0, 20))
    assert re.search(r"lab: tree exercises, clock lab, seed \d+\n", result.text)
    assert result.messages["task_0_2 test_waits"] == "It took 0 s; 2 s is right."
    assert (
        "Total                                    [....................]   0 of  20" in result.text
    )
    assert "Traceback" not in result.text
    assert "E  " not in result.text


def test_tasks_without_a_point_show_one_card(course: Course, tmp_path: Path) -> None:
    """Whoever runs everything has begun with some tasks, whose cards are not to be buried."""
    shutil.copytree(course.root / "exercises", tmp_path / "tree")
    begun = tmp_path / "tree" / "task_0_2" / "main.py"

    def cards(text: str) -> list[tuple[str, str]]:
        return re.findall(r"^Again: pytest checks/task_(\w+)/test_toy.py::test_(\w+)", text, re.M)

    tree = f"--tree={tmp_path}/tree"
    whole = course.run(tree)
    assert cards(whole.text) == [("0_1", "greets"), ("0_2", "greets")]
    assert whole.text.count("FAILED checks/") == 2
    assert re.findall(r"^\((.*)\)$", whole.text, re.M) == [
        "1 more card of task_0_1 with -v",
        "1 more card of task_0_2 with -v",
    ]
    assert re.fullmatch(r"=+ 4 failed in .*=", whole.text.splitlines()[-1])
    assert all(check["card"] for check in whole.checks.values())
    begun.write_text("import time\ntime.sleep(2)\n", encoding="utf-8")
    half = course.run(tree)
    assert cards(half.text) == [("0_1", "greets"), ("0_2", "greets")]
    assert re.findall(r"^\((.*)\)$", half.text, re.M) == ["1 more card of task_0_1 with -v"]
    for all_of in (["-v"], ["checks/task_0_1"]):
        text = course.run(tree, *all_of).text
        assert cards(text)[:2] == [("0_1", "greets"), ("0_1", "waits")]
        assert "with -v" not in text


def test_what_does_not_start_shows_one_card(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.preload("fastapi")
    served = """
        @points({points}, hint="Why?")
        async def test_{name}(task: Task, clock: Clock):
            \"\"\"It starts.\"\"\"
            async with task.serve(env={{"WHO": "{who}"}}):
                pass
    """
    asked = (("first", 4, "ada"), ("again", 3, "ada"), ("other", 3, "bob"))
    checks = "".join(served.format(name=name, points=n, who=who) for name, n, who in asked)
    course.task("task_1_1", checks, "import os\n\nraise RuntimeError(os.environ['WHO'])\n")
    course.task("task_1_2", checks, {"other.py": ""})
    started = course.run("checks/task_1_1").text
    assert re.findall(r"^Again: .*test_(\w+)", started, re.M) == ["first", "other"]
    assert "\n(1 more card of task_1_1 with -v)\n" in started
    assert course.run("checks/task_1_2").text.count("Again: ") == 1
    # So does one that fails in the same line, whatever was asked.
    asks = """
        @points({points}, hint="What is asked?")
        async def test_{name}(task: Task, clock: Clock):
            \"\"\"It answers.\"\"\"
            async with task.serve() as client:
                await client.get("/{name}")
            raise Hinted("It answered {name} with 500; right is 200.")
    """
    checks = "".join(asks.format(name=name, points=n) for name, n in (("one", 5), ("two", 5)))
    app = "async def app(scope, receive, send):\n    raise ValueError(object())\n"
    course.task("task_1_3", checks, app)
    failed = course.run("checks/task_1_3").text
    assert "\nHint: Begin with the error above: " in failed
    assert failed.count("Again: ") == 1
    assert course.run("checks/task_1_1", "-v").text.count("Again: ") == 3


def test_the_grade_is_the_last_thing_shown(course: Course) -> None:
    *_, short, table, end = re.findall(r"^=+ (.+) =+$", course.run().text, re.M)
    assert (short, table) == ("short test summary info", "Toy course: exercises")
    assert end.startswith("4 failed")


@pytest.mark.parametrize(
    ("cwd", "args", "shown", "score"),
    [
        ("exercises/task_0_2", [], "exercises", (0, 10)),
        ("solutions", [], "solutions", (20, 20)),
        (".", ["solutions/task_0_2"], "solutions", (10, 10)),
        ("checks/task_0_1", ["test_toy.py::test_greets", "--tree=solutions"], "solutions", (4, 10)),
        (".", ["-k", "waits and task_0_1", "--tree=solutions"], "solutions", (6, 10)),
    ],
)
def test_selection(
    cwd: str, args: list[str], shown: str, score: tuple[int, int], course: Course
) -> None:
    result = course.run(*args, cwd=cwd)
    assert f"lab: tree {shown}, " in result.text
    assert result.score == score
    assert result.status == (1 if shown == "exercises" else 0)


def test_deselected_checks_stay_in_the_denominator(course: Course) -> None:
    result = course.run("-k", "waits", "--tree=solutions", "checks/task_0_1")
    assert result.outcomes == {
        "task_0_1 test_greets": "deselected",
        "task_0_1 test_waits": "passed",
    }
    bar = "[############........]   6 of  10  (1 not selected)\n"
    assert f"  0.1 Toy task_0_1                       {bar}" in result.text


def test_a_students_tree(course: Course, tmp_path: Path) -> None:
    """A clone's exercises, one task of them, or LAB_TREE; what it lacks scores 0 and is named."""
    clone = tmp_path / "clone"
    shutil.copytree(course.root / "solutions", clone / "exercises")
    shutil.copytree(course.root / "exercises", clone / "solutions")
    for unpacked in (clone, tmp_path):
        whole = course.run(f"--tree={unpacked}")
        assert (whole.status, whole.score) == (0, (20, 20))
        assert f"lab: tree {clone}/exercises, " in whole.text
    shutil.rmtree(clone / "exercises" / "task_0_1")
    part = course.run(f"--tree={clone}/exercises")
    assert (part.status, part.score) == (1, (10, 20))
    assert part.messages["task_0_1 test_greets"] == "task_0_1 is missing."
    assert part.text.count("task_0_1 is missing.") == 1
    assert "2 passed, 2 of absent tasks" in part.text
    single = course.run("checks/task_0_2", LAB_TREE=f"{clone}/exercises/task_0_2")
    assert (single.status, single.score) == (0, (10, 10))
    assert f"lab: tree {clone}/exercises/task_0_2, " in single.text


def test_a_tree_in_more_than_one_place(course: Course, tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        shutil.copytree(course.root / "solutions", tmp_path / name / "lab")
    result = course.run(f"--tree={tmp_path}", report=False)
    assert result.status == 4
    assert f"in more than one place ({Path('ada/lab')} and {Path('bob/lab')})" in result.text
    assert f"--tree={tmp_path.as_posix()}/ada/lab" in result.text


def test_the_option_wins_over_the_folder(course: Course) -> None:
    result = course.run("--tree=solutions", cwd="exercises/task_0_1")
    assert (result.status, result.score) == (0, (10, 10))
    assert "lab: tree solutions, " in result.text


def test_a_report_speaks_of_the_authors_own_tree(course: Course, tmp_path: Path) -> None:
    """On a platform a student reads it, who has no such folders as the grader's."""
    shutil.copytree(course.root / "exercises", tmp_path / "ada" / "exercises")
    broken = "def greet():\n    raise ValueError(__file__)\n\ngreet()\n"
    (tmp_path / "ada/exercises/task_0_1/main.py").write_text(broken, encoding="utf-8")
    result = course.run(f"--tree={tmp_path}/ada", "--seed=7", cwd="checks/task_0_1")
    for check in result.checks.values():
        assert "task_0_1/main.py:2 in greet" in check["card"]
        assert str(tmp_path) not in check["card"] + check["message"]
    greets = "test_toy.py::test_greets"
    again = f"Again: pytest checks/task_0_1/{greets} --seed=7"
    assert result.checks["task_0_1 test_greets"]["card"].endswith(again)
    # Who graded it is told where it lies.
    assert f"Again: pytest {greets} --tree={tmp_path}/ada/exercises --seed=7" in result.text


def test_again_works_where_pytest_was_called(course: Course) -> None:
    result = course.run(cwd="exercises/task_0_1")
    again = re.search(r"^Again: pytest (\S+waits) --seed", result.text, re.M)
    assert again is not None
    assert course.run(again[1], cwd="exercises/task_0_1").outcomes == {
        "task_0_1 test_greets": "deselected",
        "task_0_1 test_waits": "failed",
    }


def test_a_submissions_own_modules_come_first(tmp_path: Path) -> None:
    """Also where they are called as one that the host has loaded: the lab's own, or a package."""
    course = Course(tmp_path / "course")
    course.preload("dotenv")
    main = "from {module} import hello, wait\nhello()\nwait()\n"
    helpers = "import time\ndef hello(): print('hello')\ndef wait(): time.sleep(2)\n"
    for number, (module, files) in enumerate(
        {
            "shared": {"shared.py": helpers},
            "ml_api_lab.errors": {"ml_api_lab/errors.py": helpers},
            "ml_api_lab.host": {"ml_api_lab/__init__.py": "", "ml_api_lab/host.py": helpers},
            "dotenv": {"dotenv.py": helpers},
        }.items(),
        start=1,
    ):
        course.task(f"task_0_{number}", CHECKS, {"main.py": main.format(module=module), **files})
    result = course.run()
    assert result.messages == {}
    assert result.score == (40, 40)


def test_what_a_terminal_lacks_is_spelled(course: Course) -> None:
    """Of a card, that is; pytest itself would spell its line breaks as well."""
    tree = course.root.parent / "smiling"
    (tree / "task_0_1").mkdir(parents=True)
    (tree / "task_0_1" / "main.py").write_text("print('\u2705')\n", encoding="utf-8")
    result = course.run(
        "checks/task_0_1", f"--tree={tree}", PYTHONIOENCODING="cp1252", PYTHONUTF8="0"
    )
    assert "\nIt printed '\\u2705'; 'hello' is right.\n" in result.text


def test_copies_beside_tasks_are_no_tasks(tmp_path: Path) -> None:
    """As a file manager makes them."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, RIGHT)
    shutil.copytree(course.root / "exercises/task_0_1", course.root / "exercises/task_0_1 copy")
    assert course.run().score == (10, 10)


def test_an_absent_task_of_the_exercises(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, RIGHT)
    (course.root / "exercises/task_0_1").rename(course.root / "exercises/Task-0-1")
    result = course.run()
    assert (result.status, result.score) == (1, (0, 10))
    sentence = "exercises/task_0_1 is missing; rename Task-0-1 to task_0_1."
    assert set(result.messages.values()) == {sentence}
    assert f"{sentence}\nBring what is missing back from where you got the lab.\n" in result.text
    assert "Hint:" not in result.text


# --- what is refused, before anything runs --------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--tree=nowhere"], "There is no tree 'nowhere'; valid are exercises, solutions, or"),
        (["--tree=Solutions"], "There is no tree 'Solutions'; did you mean --tree=solutions?"),
        (["--tree=pyproject.toml"], "'pyproject.toml' is a file, and a tree is a folder; unpack"),
        (["--tree="], "The name of the tree is empty: is the variable set that it comes from?"),
        (["--report=xml=a.xml"], "--report 'xml=a.xml' is not FORMAT=FILE with a known format"),
        (["--budget=0"], "'0' is no number of seconds above 0, as in --budget=20"),
        (["--budget=nan"], "'nan' is no number of seconds above 0"),
        (["--budget=long"], "'long' is no number of seconds above 0"),
        (["checks/task_9_9"], "'checks/task_9_9' is no task of the course; valid are checks/task_"),
        (["exercises/tsk_0_1"], "'exercises/tsk_0_1' is no task of the course; did you mean check"),
        (["task-0.2"], "'task-0.2' is no task of the course; did you mean checks/task_0_2?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused(args: list[str], sentence: str, course: Course) -> None:
    result = course.run(*args, report=False)
    assert result.status == 4
    assert sentence in result.text
    assert "Traceback" not in result.text
    assert "INTERNALERROR" not in result.text


@pytest.mark.parametrize("args", [["checks/task_0_1", "-n2"], ["-n2"]])
def test_workers_are_refused(args: list[str], course: Course) -> None:
    pytest.importorskip("xdist")
    result = course.run(*args, report=False)
    assert result.status == 4
    assert "Checks are not graded with pytest-xdist (-n), and run side by side" in result.text


def test_a_tree_beside_the_checks(course: Course, tmp_path: Path) -> None:
    shutil.copytree(course.root / "solutions", tmp_path / "ada")
    result = course.run("checks", str(tmp_path / "ada"), report=False)
    assert result.status == 4
    assert f"to grade them, write --tree={tmp_path / 'ada'}." in result.text


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_tree_that_nobody_may_read(course: Course, tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        with pytest.raises(CourseError, match="cannot be read: Permission denied"):
            tree.choose(str(tmp_path), course.root, ["task_0_1"])
    finally:
        tmp_path.chmod(0o755)


def test_a_check_in_a_class_is_refused(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS + "\nclass TestMore:\n    async def test_more(self): pass\n")
    result = course.run(report=False)
    assert result.status == 4
    assert "test_toy.py::TestMore::test_more is no check: checks are functions" in result.text


def test_a_task_answers_for_its_own_checks(tmp_path: Path) -> None:
    """A broken task stops the runs that it belongs to, and no others."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECK)
    course.task("task_0_2", CHECK.replace("10", "9"))
    sentence = "The checks of task_0_2 add up to 9 points"
    alone = course.run("checks/task_0_1")
    assert sentence not in alone.text
    assert alone.score[1] == 10
    for asked in (["checks"], [], ["checks/task_0_2"], ["checks", "checks/task_0_1"]):
        result = course.run(*asked, report=False)
        assert result.status == 4
        assert sentence in result.text
        assert "Traceback" not in result.text


SYLLABUS = """
format = 1
title = "Course"
[[part]]
title = "Part"
[[part.task]]
name = "task_0_1"
title = "One"
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("format = 1", "format = 2", "The syllabus has format 2; this lab reads format 1."),
        ("format = 1\n", "", "In the syllabus, syllabus.toml lacks the field 'format'."),
        ('title = "Course"', "title = 3", "'title' of syllabus.toml is 3, not a str."),
        ('title = "Part"', 'title = "Part"\npoints = 3', "a part has an unknown field 'points'"),
        ('title = "One"', 'title = "One"\nhint = ""', "a task has an unknown field 'hint'"),
        ('name = "task_0_1"\n', "", "a task lacks the field 'name'"),
        ('"task_0_1"', '"first"', "'first' is no name for a task; task_3_2 would be one."),
        (
            'title = "One"',
            'title = "One"\nfollows = "task_0_1"',
            "task_0_1 follows task_0_1, which",
        ),
        ('"Part"', '"Part"\npreload = "json"', "'preload' of a part is 'json', not a list."),
        ("[[part]]", "[part", "The syllabus syllabus.toml is not valid TOML: "),
        ("[[part]]", "[[part]]\n[[part]]", "a part lacks the field 'title'"),
        ("[[part]]", "[part]", "'part' of syllabus.toml is {"),
        (
            'title = "One"',
            'title = "One"\n[[part.task]]\nname = "task_0_1"\ntitle = "Two"',
            "The syllabus lists task_0_1 twice.",
        ),
        (SYLLABUS, 'format = 1\ntitle = ""\npart = [3]', "a part is not a table."),
    ],
)
def test_a_wrong_syllabus(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "syllabus.toml"
    path.write_text(SYLLABUS, encoding="utf-8")
    assert syllabus.read(path).names == ["task_0_1"]
    assert old in SYLLABUS
    path.write_text(SYLLABUS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CourseError, match=re.escape(sentence)):
        syllabus.read(path)


def test_a_missing_syllabus(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="cannot be read: No such file"):
        syllabus.read(tmp_path / "syllabus.toml")


CHECK = '''
@points(10, hint="?")
async def test_one(task: Task):
    """Title."""
'''


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "10",
            "9",
            "The checks of task_0_1 add up to 9 points; every task has 10 (now: test_one 9).",
        ),
        ("10", "-10", "has -10 points and the hint '?'; points are a whole number from 1, and"),
        ("10", "True", "has True points and the hint '?'; points are a whole number from 1, and"),
        ("10", "5 + 5", "its points or its hint are missing, or not written out; write @points"),
        ('hint="?"', 'hint=""', "the hint ''; points are a whole number from 1, and the hint is"),
        (', hint="?"', "", "its points or its hint are missing, or not written out; write @points"),
        ("10, ", "", "its points or its hint are missing, or not written out; write @points"),
        (
            '@points(10, hint="?")\n',
            "",
            "task_0_1/test_toy.py: test_one has no points; write @points",
        ),
        ('"""Title."""', "pass", "has no docstring; its first line is the check's title."),
        ("(task: Task)", "(task", "checks/task_0_1/test_toy.py does not parse: "),
    ],
)
def test_a_wrong_check(old: str, new: str, sentence: str, tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECK)
    entries = syllabus.read(course.root / "checks" / "syllabus.toml")
    assert [each.title for each in catalog.Catalog(course.root, entries).values()] == ["Title."]
    assert old in CHECK
    course.task("task_0_1", CHECK.replace(old, new))
    with pytest.raises(CourseError, match=re.escape(sentence)):
        dict(catalog.Catalog(course.root, entries))


@pytest.mark.parametrize("where", ["checks", "exercises", "solutions"])
def test_orphans(where: str, tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECK)
    entries = syllabus.read(course.root / "checks" / "syllabus.toml")
    # As git leaves a folder that Python has been in.
    (course.root / where / "task_7_7" / "__pycache__").mkdir(parents=True)
    assert len(catalog.Catalog(course.root, entries)) == 1
    (course.root / where / "task_7_7" / "main.py").touch()
    with pytest.raises(CourseError, match=f"{where}/task_7_7 is not in checks/syllabus.toml"):
        dict(catalog.Catalog(course.root, entries))


def test_a_task_without_checks(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECK)
    entries = syllabus.read(course.root / "checks" / "syllabus.toml")
    shutil.rmtree(course.root / "checks" / "task_0_1")
    with pytest.raises(
        CourseError, match="checks/task_0_1 is in the syllabus, but there is no such"
    ):
        dict(catalog.Catalog(course.root, entries))


def test_no_tree(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="There is no tree 'nowhere'; valid are exercises"):
        tree.choose("nowhere", tmp_path, ["task_0_1"])
    with pytest.raises(CourseError, match="holds no task, such as task_0_1; valid are exercises"):
        tree.choose(str(tmp_path), tmp_path, ["task_0_1"])


# --- what earns nothing ---------------------------------------------------------------------------

ODD = '''
@pytest.fixture
def broken():
    raise KeyError("broken")

@pytest.fixture
def breaks_behind():
    yield
    raise KeyError("behind")

@pytest.mark.parametrize("number", [1, 2, 3])
@points(1, hint="?")
async def test_all_cases_pass(task: Task, number: int):
    """Every case counts, once."""

@pytest.mark.parametrize("number", [1, 2, 3])
@points(1, hint="?")
async def test_one_case_fails(task: Task, number: int):
    """Every case counts."""
    assert number != 2, f"It is {number}."

@points(1, hint="?")
async def test_skips(task: Task):
    """It is skipped."""
    pytest.skip("no reason")

@pytest.mark.skip(reason="no reason")
@points(1, hint="?")
async def test_marked_skip(task: Task):
    """It is skipped."""

@pytest.mark.xfail(reason="no reason")
@points(1, hint="?")
async def test_xfails(task: Task):
    """It is expected to fail."""
    assert False, "It failed."

@pytest.mark.xfail(reason="no reason")
@points(1, hint="?")
async def test_xpasses(task: Task):
    """It is expected to fail, and does not."""

@points(1, hint="?")
async def test_fixture_fails(task: Task, broken):
    """Its fixture fails."""

@points(1, hint="?")
async def test_fixture_fails_behind(task: Task, breaks_behind):
    """Its fixture fails behind it."""

@points(1, hint="?")
async def test_raises(task: Task):
    """It raises."""
    {}["missing"]

@points(1, hint="?")
async def test_passes(task: Task):
    """It passes."""
'''


def test_what_earns_nothing(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", ODD, "")
    result = course.run("-rA")
    assert result.status == 1
    assert result.score == (3, 10)
    outcomes = {name.split()[1]: outcome for name, outcome in result.outcomes.items()}
    assert [name for name, outcome in outcomes.items() if outcome == "passed"] == [
        "test_all_cases_pass",
        "test_xpasses",
        "test_passes",
    ]
    assert {name.split()[1]: message for name, message in result.messages.items()} == {
        "test_one_case_fails": "It is 2.",
        "test_skips": "The check was skipped, and a skipped check earns nothing.",
        "test_marked_skip": "The check was skipped, and a skipped check earns nothing.",
        "test_xfails": "It failed.",
        "test_fixture_fails": "The check could not make sense of what it got (KeyError: 'broken').",
        "test_fixture_fails_behind": "The check could not make sense of what it got "
        "(KeyError: 'behind').",
        "test_raises": "The check could not make sense of what it got (KeyError: 'missing').",
    }


def test_the_run_ends_early(tmp_path: Path) -> None:
    """What was not run is named, and scores nothing."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, WRONG)
    first = course.run("-x")
    assert (first.status, first.score) == (1, (0, 10))
    assert first.outcomes == {"task_0_1 test_greets": "failed", "task_0_1 test_waits": "not run"}
    interrupting = CHECKS.replace("run = await task.run()", "raise KeyboardInterrupt", 1)
    course.task("task_0_1", interrupting, RIGHT)
    second = course.run()
    assert (second.status, second.score) == (2, (0, 10))
    assert second.report is not None
    assert second.report["ended"] == "interrupted"
    assert set(second.outcomes.values()) == {"not run"}


def test_a_broken_module_of_checks(tmp_path: Path) -> None:
    """It is the course's fault, but no point vanishes."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, RIGHT)
    course.task("task_0_2", "import nothing_such\n" + CHECKS, RIGHT)
    result = course.run("--continue-on-collection-errors")
    assert result.status == 3
    assert result.score == (10, 20)
    assert set(result.outcomes.values()) == {"passed", "not run"}


def test_a_faulty_check_has_a_status_of_its_own(tmp_path: Path) -> None:
    """Nobody is to take an author's mistake for the student's."""
    course = Course(tmp_path / "course")
    waits = CHECKS.replace("run = await task.run()", "await asyncio.Event().wait()", 1)
    course.task("task_0_1", waits, RIGHT)
    result = course.run()
    assert result.status == 3
    assert result.report is not None
    assert result.report["ended"].startswith("the harness failed")
    assert result.outcomes == {"task_0_1 test_greets": "failed", "task_0_1 test_waits": "passed"}
    assert "The check itself waits for something that can never come" in result.text


def test_other_tests_are_left_alone(tmp_path: Path) -> None:
    """A test outside `checks` is a test, without points and without a task."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECK, "")
    other = course.root / "other"
    other.mkdir()
    (other / "test_other.py").write_text(
        "import asyncio\n\n\nasync def test_other():\n    await asyncio.sleep(0)\n",
        encoding="utf-8",
    )
    result = course.run("other")
    assert (result.status, result.score) == (0, (0, 0))
    assert "Toy course:" not in result.text


@pytest.mark.parametrize("asked", ["--collect-only", "--fixtures", "--fixtures-per-test"])
def test_what_runs_nothing_has_no_grade(asked: str, course: Course) -> None:
    result = course.run(asked, "-q")
    assert result.status == 0
    assert result.report is None
    assert "test_greets" in result.text or asked == "--fixtures"
    assert "Total" not in result.text


def test_native_tracebacks_on_request(course: Course) -> None:
    result = course.run("--tb=short", "checks/task_0_1")
    assert "checks/task_0_1/test_toy.py:14: in test_greets" in result.text
    assert "AssertionError: It printed 'bye'; 'hello' is right." in result.text
    assert "Hint:" not in result.text


def test_the_order_is_the_syllabus(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    for name in ("task_0_10", "task_0_9"):
        course.task(name, CHECK, "")
    result = course.run("-v")
    assert result.text.index("task_0_10/test_toy.py::test_one") < result.text.index(
        "task_0_9/test_toy.py::test_one"
    )


def test_a_seed_repeats_the_draws(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    draws = '''
    @points(10, hint="?")
    async def test_draws(task: Task):
        """It draws."""
        assert False, f"It drew {task.draw.random()}."
    '''
    course.task("task_0_1", textwrap.dedent(draws), "")
    course.task("task_0_2", textwrap.dedent(draws), "")
    one, two = (course.run("--seed=1").messages for _ in range(2))
    assert one == two
    assert len(set(one.values())) == 2


# --- the debugger ---------------------------------------------------------------------------------

BUDGET = 2
STOPPED = """
import time
value = "in the submission"
breakpoint()
print("hello")
time.sleep(2)
"""


def typed(course: Course, *args: str, answers: list[tuple[str, str]]) -> str:
    """Run pytest in a terminal of its own; at each prompt that comes, type the answer to it."""
    import pty

    # Longer than the budget: a human takes time, and loses nothing by it.
    thinking = BUDGET + 0.5
    near, far = pty.openpty()
    process = subprocess.Popen(
        course.command(*args),
        cwd=course.root,
        env=own_environment(),
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
    )
    os.close(far)
    seen, left, give_up = "", list(answers), time.monotonic() + LIMIT
    told = 0
    try:
        while time.monotonic() < give_up:
            if select.select([near], [], [], 0.2)[0]:
                try:
                    data = os.read(near, 65536)
                except OSError:  # what Linux says at the end
                    break
                if not data:
                    break
                seen += data.decode(errors="replace")
            if left and left[0][0] in seen[told:]:
                told = len(seen)
                time.sleep(thinking)
                thinking = 0
                os.write(near, f"{left.pop(0)[1]}\n".encode())
        process.wait(LIMIT)
    finally:
        process.kill()
        process.wait()
        os.close(near)
    assert not left, seen
    return f"{seen}\nstatus {process.returncode}"


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_breakpoint_in_the_terminal(tmp_path: Path) -> None:
    """The debugger stands in the submission, and the verdict stays the same."""
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, STOPPED)
    answers = [("(Pdb)", "value"), ("(Pdb)", "c")] * 2
    seen = typed(course, "-s", f"--budget={BUDGET}", "--seed=1", answers=answers)
    assert "main.py(5)" in seen or "main.py(4)" in seen
    assert seen.count("'in the submission'") == 2
    assert "10 of  10" in seen
    assert seen.endswith("status 0")


def test_breakpoint_without_a_terminal(tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    course.task("task_0_1", CHECKS, STOPPED)
    result = course.run()
    assert set(result.messages.values()) == {
        "main.py stopped with RuntimeError: breakpoint() needs the terminal: run pytest with -s "
        "(exercises/task_0_1/main.py:4)."
    }
