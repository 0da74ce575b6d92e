"""A run on a toy course: its tree and its grade, what earns nothing, and what a seed repeats."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from tests.support.toy import Course


def test_solutions_earn_everything(course: Course) -> None:
    # The option wins over the variable.
    result = course.run("--tree=solutions", "--seed=7", LAB_TREE="nowhere")
    assert (result.status, result.score) == (0, (20, 20))
    assert "\nClock lab, seed 7, isolation " in result.text
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
    assert re.search(r"\nClock lab, seed \d+, isolation ", result.text)
    assert result.messages["task_0_2 test_waits"] == "It took 0 s; 2 s is right."
    assert (
        "Total                                    [....................]   0 of  20" in result.text
    )
    assert "Traceback" not in result.text
    assert "E  " not in result.text


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


def test_a_grade_is_shown_without_pytests_header(course: Course) -> None:
    assert "\nrootdir: " not in course.run("--tree=solutions", "checks/task_0_1").text
    whole = course.run("--tree=solutions", "checks/task_0_1", "-v", "--seed=7").text
    assert "\nrootdir: " in whole
    assert "\nlab: tree solutions\nlab: Clock lab, seed 7, isolation " in whole
