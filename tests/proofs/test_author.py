"""What an author is told: each thing that can be wrong with a task's proofs, and nothing else."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.cli.grading import open_grader
from ml_api_lab.course.place import find
from tests.proofs.author import __main__ as command
from tests.proofs.author import counts, figures, junk, report, survivors
from tests.proofs.author.proof import Author, Proof
from tests.proofs.author.survivors import Change
from tests.proofs.prover import COURSE, case_of
from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS, ONE_CHECK, WRONG

SOLUTION = 'import time\n\nprint("hello")\ntime.sleep(2)\nspare = "1"\n'
README = """# Greet

Write `mian.py`: it prints `hello`, and `time_sleep` waits.

## Checked

- It greets (4).
- It waits (5).
"""
CORPUS = r"""
[[mistake]]
name = "another greeting"
check = "test_greets"
says = "It printed 'bye'"
edit = [{file = "main.py", old = "hello", new = "bye"}]

[[mistake]]
name = "no wait"
check = "test_waits"
says = "It took 0 s"
edit = [{file = "main.py", old = "time.sleep(2)", new = ""}]

[[mistake]]
name = "bye, at once"
check = "test_greets"
says = "bye"
edit = [{file = "main.py", new = 'print("bye")'}]

[[mistake]]
name = "nothing at all"
check = "test_greets"
says = "It printed ''"
whole = true
because = "there is no program"
edit = [{file = "main.py", new = ""}]

[[mistake]]
name = "waits in halves"
check = "test_waits"
says = "2 s is right"
edit = [{file = "main.py", old = "sleep(2)", new = "sleep(1); time.sleep(1)"}]

[[mistake]]
name = "says something else"
check = "test_greets"
says = "It sang"
edit = [{file = "main.py", old = "hello", new = "hello!"}]

[[mistake]]
name = "of a check that is not there"
check = "test_greats"
says = "bye"
edit = [{file = "main.py", old = "hello", new = "bye"}]

[[mistake]]
name = "with a wrong field"
chek = "test_greets"
check = "test_greets"
says = "bye"
edit = [{file = "main.py", old = "hello", new = "bye"}]

[[mistake]]
name = "with a wrong field in an edit"
check = "test_greets"
says = "bye"
edit = [{file = "main.py", old = "hello", nwe = "bye"}]

[[mistake]]
name = "of a line that is not there"
check = "test_greets"
says = "bye"
edit = [{file = "main.py", old = "hallo", new = "bye"}]

[[variant]]
name = "waits in quarters"
edit = [{file = "main.py", old = "sleep(2)", new = "sleep(0.5); time.sleep(1.5)"}]

[[variant]]
name = "shouts"
edit = [{file = "main.py", old = "hello", new = "HELLO"}]
"""
SURVIVORS = """
[[survivor]]
task = "task_0_1"
file = "main.py"
was = "time.sleep(2)"
becomes = "time.sleep(3)"
reason = "A second more does no harm, one may think."
"""

TO_REPAIR = [
    'checks/task_0_1/README.md tells the points 4, 5 under "Checked", for 2 checks; the 2 checks '
    "have 4, 6, in this order",
    "checks/task_0_1/README.md has the file name 'mian.py'; did you mean 'main.py'?",
    "tests/proofs/corpus: task_0_1, 'of a check that is not there': there is no check "
    "'test_greats'; did you mean 'test_greets'?",
    "tests/proofs/corpus: task_0_1, 'with a wrong field' has the unknown field 'chek'; did you "
    "mean 'check'?",
    "tests/proofs/corpus: task_0_1, 'with a wrong field in an edit': an edit has the unknown field "
    "'nwe'; did you mean 'new'?",
    "tests/proofs/corpus: task_0_1, 'of a line that is not there': 'hallo' occurs 0 times in "
    "main.py, not once; the case no longer fits the solution",
    "The mistake 'bye, at once' fails test_waits beside its own check: make that check kinder, or "
    "name it in also, with the reason in because",
    "The mistake 'waits in halves' is not caught by test_waits, nor by another check",
    "Of the mistake 'says something else', test_greets says not 'It sang', but: It printed "
    "'hello!'; 'hello' is right.",
    "The variant 'shouts' is right, and loses 4 points. test_greets: It printed 'HELLO'; 'hello' "
    "is right.",
    "A mutant survives in main.py: spare = '1x'",
    "tests/proofs/corpus/survivors.toml explains 'time.sleep(3)' in main.py, and no such mutant "
    "survives: remove the entry",
]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Course(tmp_path_factory.mktemp("author") / "course")
    made.task("task_0_1", CHECKS, WRONG, SOLUTION)
    made.task("task_0_2", ONE_CHECK, WRONG, SOLUTION)
    corpus = made.root / "tests" / "proofs" / "corpus"
    corpus.mkdir(parents=True)
    (corpus / "task_0_1.toml").write_text(CORPUS, encoding="utf-8")
    (corpus / "survivors.toml").write_text(SURVIVORS, encoding="utf-8")
    (made.root / "checks" / "task_0_1" / "README.md").write_text(README, encoding="utf-8")
    (made.root / "README.md").write_text("This is a lab in 3 tasks.\n", encoding="utf-8")
    return made.root


@pytest.fixture(scope="module")
def author(course: Path) -> Iterator[Author]:
    place = find(course)
    grader = open_grader(place, place.syllabus.tasks)
    yield Author(place, grader)
    grader.close()


@pytest.fixture(scope="module")
def proof(author: Author) -> Proof:
    return author.prove("task_0_1", with_mutants=True)


def test_all_that_is_wrong_is_told_and_nothing_else(proof: Proof) -> None:
    assert proof.problems == TO_REPAIR


def test_each_mistake_has_its_cost_and_what_it_fails(proof: Proof) -> None:
    assert [(each.case.name, each.points, each.others) for each in proof.costs] == [
        ("another greeting", 4, ()),
        ("no wait", 6, ()),
        ("bye, at once", 10, ("test_waits",)),
        ("nothing at all", 10, ("test_waits",)),
        ("waits in halves", 0, ()),
        ("says something else", 4, ()),
    ]


def test_mutants_are_counted_for_each_check(proof: Proof) -> None:
    assert proof.mutation is not None
    assert (proof.mutation.number, proof.mutation.killed) == (5, 4)
    assert proof.mutation.by_check == {"test_greets": 2, "test_waits": 2}


def test_a_survivor_can_be_pasted(proof: Proof) -> None:
    assert proof.mutation is not None
    [change] = proof.mutation.unexplained
    [read] = tomllib.loads(change.entry())["survivor"]
    assert read == {
        "task": "task_0_1",
        "file": "main.py",
        "was": "spare = '1'",
        "becomes": "spare = '1x'",
        "reason": "",
    }


def test_an_entry_keeps_every_character(tmp_path: Path) -> None:
    change = Change("task_0_1", "main.py", 'print("\\n\t\\x7f é")', "'''\u2028'''")
    list_ = tmp_path / survivors.FILE
    list_.parent.mkdir(parents=True)
    entry = change.entry().replace('reason = ""', 'reason = "It is as right as the other."')
    list_.write_text(entry, encoding="utf-8")
    assert [each.change for each in survivors.read(tmp_path)] == [change]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("A second more does no harm, one may think.", "So.", "has no reason"),
        ("becomes", "becames", "unknown field 'becames'; did you mean 'becomes'?"),
        ('task = "task_0_1"\n', "", "lacks the field 'task'"),
        ("[[survivor]]", "[[survivors]]", "unknown field 'survivors'; did you mean 'survivor'?"),
    ],
)
def test_a_list_of_survivors_that_says_too_little_is_refused(
    before: str, after: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / survivors.FILE
    path.parent.mkdir(parents=True)
    path.write_text(SURVIVORS.replace(before, after), encoding="utf-8")
    with pytest.raises(ValueError, match=r".") as raised:
        survivors.read(tmp_path)
    assert told in str(raised.value)


def test_the_lab_explains_its_survivors() -> None:
    assert len(survivors.read(COURSE)) > 10


def test_a_check_that_gives_points_away_is_seen(author: Author) -> None:
    problems = author.prove("task_0_2").problems
    assert "exercises/task_0_2 passes test_one before any work is done" in problems
    given = [each for each in problems if each.startswith("Junk must earn nothing")]
    kinds = [each.name for each in junk.KINDS if each.must_earn_nothing and each.module is not None]
    assert given == [
        f"Junk must earn nothing, and {kind} earns 10 of 10: test_one" for kind in kinds
    ]
    assert (
        "tests/proofs/corpus/task_0_2.toml is not there: no mistake proves the checks" in problems
    )


def test_pages_that_count_wrong_are_told_once(author: Author) -> None:
    assert author.course_problems() == ["README.md tells of 3 tasks; the course has 2"]


def test_each_count_stands_in_a_page_of_the_lab() -> None:
    assert list(counts.wrong_counts(COURSE, find(COURSE).syllabus)) == []
    pages = {page: (COURSE / page).read_text(encoding="utf-8") for page, *_ in counts.COUNTS}
    missing = [
        pattern for page, pattern, _ in counts.COUNTS if counts.numbers(pages[page], pattern) == []
    ]
    assert missing == []


def test_the_report_fits_a_terminal(proof: Proof, course: Path) -> None:
    entry = find(course).syllabus.entry("task_0_1")
    rows = list(report.whole(entry, proof))
    assert max(len(line) for row in rows for line in row.splitlines()) <= report.COLUMNS
    assert "     4  another greeting" in rows
    assert "    10  bye, at once" in rows
    assert rows[rows.index("    10  bye, at once") + 1] == "        also test_waits (!)"
    assert "     0  waits in halves (not caught)" in rows
    assert f"To repair: {len(TO_REPAIR)} things" in rows
    short = list(report.short(entry, proof))
    assert short[0].startswith("0.1: 6 mistakes that cost 4.80 points on average, 4 of them fail")
    assert rows[-len(short) :] == short


def test_figures_are_kept_for_the_page_of_a_class(
    proof: Proof, author: Author, course: Path, tmp_path: Path
) -> None:
    path = tmp_path / "proven.json"
    figures.write(path, course, proof)
    kept = json.loads(path.read_text(encoding="utf-8"))["tasks"]["task_0_1"]["figures"]
    # The mistake where the whole is missing is not in the mean.
    greets = {"mistakes": 3, "cost": 6.0, "alone": 2, "killed": 2, "mutants": 5}
    assert kept == {
        "test_greets": greets,
        "test_waits": {"mistakes": 2, "cost": 3.0, "alone": 2, "killed": 2, "mutants": 5},
    }
    without = Proof("task_0_1", proof.checks, costs=proof.costs[:1])
    figures.write(path, course, without)
    kept = json.loads(path.read_text(encoding="utf-8"))["tasks"]["task_0_1"]["figures"]
    assert kept["test_greets"] == {**greets, "mistakes": 1, "cost": 4.0, "alone": 1}


def test_a_status_says_whether_there_is_something_to_repair(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["0.2"], course) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("things to repair.")
    assert command.main(["9.9"], course) == 4
    assert capsys.readouterr().err.startswith("'9.9' is no task of the course")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"edit": []}, "'a variant without a name': a variant has name, edit; it lacks 'name'"),
        ({"name": "x"}, "it lacks 'edit'"),
        ({"name": "x", "edit": [{"new": ""}]}, "an edit names no file"),
    ],
)
def test_a_case_that_lacks_something_is_refused(table: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        case_of(COURSE, "task_0_1", "variant", table)
    assert told in str(raised.value)
