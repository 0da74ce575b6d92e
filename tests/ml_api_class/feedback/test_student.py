"""What one student is told: one card for each cause, and no card for what was not started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ml_api_class.feedback import html, markdown
from ml_api_class.feedback.student import Feedback, losses, of_standing
from ml_api_class.journal.records import Person, Standing, State, Submission
from ml_api_class.task_files import TaskFiles
from ml_api_class.verdict import CheckVerdict, TaskVerdict
from ml_api_lab.course import stubs
from ml_api_lab.course.place import find
from ml_api_lab.course.snapshot import File
from tests.ml_api_class.toy_class import task_files, verdict
from tests.support.toy_tasks import WRONG, two_tasks

HOSTILE = "</pre><script>alert(1)</script>\n```\n# Heading\n````"


def failed(name: str, message: str, points: int = 2) -> CheckVerdict:
    return CheckVerdict(name, name.title(), False, 0, points, message, f"{message}\n{HOSTILE}")


def feedback(tmp_path: Path) -> Feedback:
    course = two_tasks(tmp_path / "course")
    stubs.write(course.root, "task_0_1")
    stubs.write(course.root, "task_0_2")
    packed: dict[str, TaskFiles] = {
        "stub": TaskFiles({"main.py": File(WRONG.replace("\n", "\r\n").encode())}),
        "work": task_files("print('hello!')"),
    }
    standing = Standing(
        Submission(
            "ada",
            Person("Ada", is_late=True),
            {"task_0_1": "stub", "task_0_2": "work"},
            notes=("task_0_2/x is a link <that> leads out of the tree.",),
        ),
        State.GRADED,
        verdicts=(
            verdict("task_0_1", 0),
            TaskVerdict(
                "task_0_2",
                (
                    CheckVerdict("ok", "Fine.", passed=True, points=4, maximum=4),
                    failed("one", "It printed 'bye'."),
                    failed("two", "It took 1 s."),
                    failed("three", "It printed 'bye'."),
                ),
            ),
        ),
    )
    place = find(course.root)
    return of_standing(
        standing, "Ada *", course.root, place.syllabus, lambda digest: packed[digest].pack()
    )


def test_checks_that_say_the_same_share_a_card(tmp_path: Path) -> None:
    first, second = feedback(tmp_path).tasks
    assert (first.is_untouched, first.losses) == (True, ())
    assert [[check.id for check in loss.checks] for loss in second.losses] == [
        ["one", "three"],
        ["two"],
    ]
    assert [loss.points for loss in second.losses] == [4, 2]
    assert losses(verdict("task_0_1", 10)) == ()


def test_as_markdown_nothing_of_a_submissions_breaks_out(tmp_path: Path) -> None:
    text = markdown.render(feedback(tmp_path))
    assert text.startswith("# Toy course: Ada \\*\n\n**4 of 20 points.** Handed in late.\n")
    assert "| 0.1 Toy task\\_0\\_1 (not started) | 0 of 10 |" in text
    assert "`````text\nIt printed 'bye'.\n</pre>" in text
    assert "Also lost for this reason:\n- Three (0 of 2)" in text
    assert "\\<that\\> leads out" in text


def test_as_html_nothing_of_a_submissions_breaks_out(tmp_path: Path) -> None:
    text = html.render(feedback(tmp_path))
    assert "<script" not in text
    assert "&lt;/pre&gt;&lt;script&gt;" in text
    assert "default-src 'none'" in text
    assert "<strong>4 of 20 points.</strong> Handed in late." in text
    assert text.count("<details") == text.count("</details>") == 2


def test_what_is_not_graded_says_why(tmp_path: Path) -> None:
    given = replace(feedback(tmp_path), problem="lab.7z is an archive that is not read.")
    assert "Not graded: lab.7z is an archive" in markdown.render(given)
    assert "Not graded: lab.7z is an archive" in html.render(given)
    assert "points" not in markdown.render(given)
