"""Whatever a run was, all its reports are valid and show the same grade."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sys
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from ml_api_lab.course import syllabus
from ml_api_lab.course.catalog import Check
from ml_api_lab.course.syllabus import POINTS_PER_TASK, Entry, Syllabus
from ml_api_lab.errors import CourseError
from ml_api_lab.grading import grade as grades
from ml_api_lab.grading import reports
from ml_api_lab.grading.card import card, message_of
from ml_api_lab.grading.grade import Grade, Outcome, Result
from ml_api_lab.grading.reports import FORMATS
from ml_api_lab.grading.reports.classroom50 import identity
from ml_api_lab.lab_time import Span, seconds
from ml_api_lab.sandbox.transcript import Frame, Line, Raised, Transcript
from ml_api_lab.sanitize import CARD_LIMIT, MESSAGE_LIMIT, sanitize, sanitize_and_truncate, truncate
from tests.proofs.prover import COURSE, Prover, cases
from tests.support import graded, readings
from tests.support.readings import Reading

IDENTITY = identity(graded.IDENTITY)
WINDOWS = os.name == "nt"

HOSTILE = (
    "::error::forged\n  ::set-output name=grade::200\n\u3000::add-mask::0\nsee ##[error]forged\n"
    "##vso[task.complete result=Succeeded;]\r##TeamCity[testFinished]\x1b[2J\x1b]0;title\x07\x9b1m"
    "</pre></details><script>forged()</script>\n```\n| a | b |\n# 200 of 200 points\n"
    "]]></failure><testcase/>&amp;&#0;\x00\x08\ufffe\uffff\ud800\u202egnp.\u2066\u200b\ufeff\u2028"
    "\n{{7*7}}${7*7}@everyone #1 \\u001b \U000e0041\n"
)
"""What a submission might say in order to be obeyed or to fool a reader."""


# --- one grade, every format ----------------------------------------------------------------------


def agree(grade: Grade) -> Reading:
    """Read the grade back from every format; return what all of them say."""
    said = {name: readings.read(name, reports.render(grade, name)) for name in FORMATS}
    expected = Reading(
        grade.score,
        grade.maximum,
        {
            outcome: number
            for outcome in Outcome
            if (number := sum(each.outcome == outcome for each in grade.results.values()))
        },
    )
    assert {name: each for name, each in said.items() if each != expected} == {}
    return expected


def synthetic(
    outcomes: list[Outcome], said: str = "It said 2; right is 3.", ended: str = ""
) -> Grade:
    """Return a grade with those outcomes, five checks a task."""
    points = (1, 1, 2, 3, 3)
    number = -(-len(outcomes) // len(points)) + 1
    entries = tuple(
        Entry(f"task_{n // 4}_{n % 4 + 1}", f"Task {n}", f"Part {n // 4}: a | b <c>")
        for n in range(number)
    )
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    transcript.entries = [(Span(0), f"-> POST / {said}")] * 30
    transcript.lines = [Line(line, Span(0)) for line in said.split("\n")]
    transcript.raised = [Raised("E", said, (Frame("main.py", 1, "f", said),), "run", 0, Span(0))]
    results = {}
    for place, outcome in enumerate(outcomes):
        task, nth = divmod(place, len(points))
        check = Check(
            task=entries[task].name,
            file=f"test_{entries[task].name}.py",
            name=f"test_{nth}",
            title=f"Check {nth} & <co> | `more`",
            points=points[nth],
            hint="Why?",
        )
        result = Result(check, outcome, lab_time=seconds(3), real_time=0.01)
        if outcome == Outcome.FAILED:
            result.message = message_of(AssertionError(said))
            result.card = card(check, result.message, transcript, "pytest")
        results[check.id] = result
    return Grade(
        Syllabus("A <course> | of *much*", entries),
        "exercises",
        "lab",
        1,
        results,
        ended,
        datetime(2026, 6, 1, 14, 32, 5, tzinfo=UTC),
        IDENTITY,
    )


@pytest.mark.parametrize("said", ["It said 2; right is 3.", HOSTILE, HOSTILE * 500, ""])
@pytest.mark.parametrize("seed", range(4))
def test_synthetic_grades_agree(seed: int, said: str) -> None:
    draw = random.Random(seed)
    agree(
        synthetic(draw.choices(list(Outcome), k=draw.randrange(1, 60)), said, draw.choice(ENDINGS))
    )


ENDINGS = ("", grades.INTERRUPTED, grades.STOPPED, grades.HARNESS_FAILED)


@pytest.mark.parametrize("outcomes", [[], *([each] * 10 for each in Outcome)])
@pytest.mark.parametrize("ended", ENDINGS)
def test_uniform_grades_agree(outcomes: list[Outcome], ended: str) -> None:
    agree(synthetic(outcomes, HOSTILE, ended))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_tells_the_outcomes_apart(name: str) -> None:
    grade = synthetic(list(Outcome))
    assert readings.read(name, reports.render(grade, name)).outcomes == dict.fromkeys(Outcome, 1)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "classroom50"])
def test_each_format_says_why_a_run_did_not_end(name: str) -> None:
    # Classroom 50's has no place for it: its schema is closed, and has no text for the whole.
    assert grades.INTERRUPTED in reports.render(
        synthetic([Outcome.PASSED, Outcome.NOT_RUN], ended=grades.INTERRUPTED), name
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_renderer_needs_nothing_but_the_grade(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grade = synthetic([Outcome.PASSED, Outcome.FAILED, Outcome.NOT_RUN, Outcome.DESELECTED])
    first = reports.render(grade, name)
    with monkeypatch.context() as patched:
        for variable in list(os.environ):
            patched.setenv(variable, "changed")
        patched.setattr(time, "time", lambda: 0.0)
        second = reports.render(replace(grade, results=dict(grade.results)), name)
    assert second == first


# --- the course's own tasks, graded ---------------------------------------------------------------


def _submissions() -> list[tuple[str, str, str]]:
    """Return solutions, stubs and mistakes as (kind, task, name): at least forty of the course."""
    names = syllabus.read(COURSE / "checks" / "syllabus.toml").names
    mistakes = [("mistake", case.task, case.name) for case in cases("mistake")]
    return [
        *(("solution", name, "") for name in names[::2]),
        *(("stub", name, "") for name in names[1::2]),
        *random.Random(1).sample(mistakes, min(len(mistakes), 24)),
    ]


SUBMISSIONS = _submissions()


@pytest.mark.parametrize(("kind", "task", "name"), SUBMISSIONS)
def test_graded_submissions_agree(
    kind: str, task: str, name: str, prover: Prover, tmp_path: Path
) -> None:
    tree = {"solution": COURSE / "solutions", "stub": COURSE / "exercises"}.get(kind, tmp_path)
    if kind == "mistake":
        next(c for c in cases("mistake") if (c.task, c.name) == (task, name)).write(tmp_path)
    verdicts = prover.grade(tree, task)
    grade = Grade(prover.syllabus, kind, "lab", 1, identity=IDENTITY)
    for check in prover.checks(task):
        verdict = verdicts[check.name]
        result = Result(check, Outcome.PASSED if verdict.message is None else Outcome.FAILED)
        if verdict.message is not None:
            result.message = verdict.message
            result.card = card(check, verdict.message, None, "pytest")
        grade.results[check.id] = result
    read = agree(grade)
    assert read.maximum == POINTS_PER_TASK
    if kind != "mistake":
        assert read.score == (POINTS_PER_TASK if kind == "solution" else 0)


# --- real runs ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return graded.build(tmp_path_factory.mktemp("small") / "course")


def said_by_all(ran: graded.Ran) -> Reading:
    """Return what all reports of a run say."""
    said = [readings.read(name, path.read_text("utf-8")) for name, path in ran.reports.items()]
    assert all(each == said[0] for each in said), said
    return said[0]


PROGRAMS: dict[str, tuple[dict[str, str], int, int]] = {
    "full": ({}, 30, 0),
    "partial": ({"task_0_1": "print('hello')"}, 24, 1),
    "zero": (dict.fromkeys(graded.RIGHT, "print('no')"), 0, 1),
    "raises": ({"task_0_2": "raise SystemError('::error::forged')"}, 20, 1),
    "syntax error": ({"task_0_2": "def"}, 20, 1),
    "exits": ({"task_0_2": "import os; os._exit(0)"}, 20, 1),
    "kills itself": ({"task_0_2": "import os, signal; os.kill(os.getpid(), 9)"}, 20, 1),
    "kills its group": ({"task_0_2": "import os; os.killpg(0, 9)"}, 20, 1),
    "kills its parent": ({"task_0_2": "import os; os.kill(os.getppid(), 15)"}, 20, 1),
    "never ends": ({"task_0_2": "while True: pass"}, 20, 1),
    "prints without end": ({"task_0_2": "while True: print('x' * 4096)"}, 20, 1),
    "deletes its folder": ({"task_0_2": "import shutil; shutil.rmtree('.')"}, 20, 1),
    "breaks the link": (
        {
            "task_0_2": "import os\nfor n in range(3, 64):\n  try: os.write(n, b'x' * 99)\n"
            "  except OSError: pass\n"
        },
        20,
        1,
    ),
    "hostile": (
        {
            "task_0_2": f"import sys\nsys.stdout.reconfigure(errors='surrogatepass')\n"
            f"print({HOSTILE!r})\nraise ValueError({HOSTILE!r})"
        },
        20,
        1,
    ),
}
POSIX_ONLY = {"kills itself", "kills its group", "kills its parent"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_agree(name: str, course: Path, tmp_path: Path) -> None:
    if WINDOWS and name in POSIX_ONLY:
        pytest.skip("needs POSIX signals")
    if os.environ.get("LAB_FORK") == "0" and name == "kills its parent":
        pytest.skip("its parent is pytest itself")
    programs, score, status = PROGRAMS[name]
    tree = graded.submit(tmp_path / "tree", **programs)
    ran = graded.grade(course, tree, tmp_path / "reports", "--budget=3")
    said = said_by_all(ran)
    assert (said.score, said.maximum, ran.status) == (score, graded.MAXIMUM, status), ran.output
    assert said.outcomes.keys() <= {Outcome.PASSED, Outcome.FAILED}


@pytest.mark.skipif(WINDOWS, reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("end", "waits", "clock"),
    [
        ("SIGINT", "while True: pass", "lab"),
        ("SIGTERM", "while True: pass", "lab"),
        ("SIGHUP", "while True: pass", "lab"),
        ("SIGTERM", "import select; select.select([], [], [])", "lab"),
        ("SIGINT", "import time; time.sleep(10 ** 6)", "real"),
    ],
)
def test_interrupted_runs_agree(
    end: str, waits: str, clock: str, course: Path, tmp_path: Path
) -> None:
    # Ahead of its turn (in lab time) it fails, so that those before it are graded when it waits.
    sign, begun = tmp_path / "sign", tmp_path / "begun"
    if clock == "real":
        begun.touch()
    waiting = f"""
        import pathlib
        begun = pathlib.Path({str(begun)!r})
        if not begun.exists():
            begun.touch()
            raise SystemExit(1)
        pathlib.Path({str(sign)!r}).touch()
        {waits}
    """
    tree = graded.submit(tmp_path / "tree", task_0_2=waiting)
    ran = graded.grade(
        course,
        tree,
        tmp_path / "reports",
        f"--clock={clock}",
        end=signal.Signals[end],
        sign=sign,
    )
    assert said_by_all(ran) == Reading(10, graded.MAXIMUM, {Outcome.PASSED: 2, Outcome.NOT_RUN: 2})
    assert ran.status == 2


@pytest.mark.skipif(WINDOWS, reason="needs POSIX signals")
def test_a_killed_run_leaves_no_report_not_even_an_old_one(course: Path, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    looping = f"open({str(sign)!r}, 'w').close()\nwhile True: pass"
    tree = graded.submit(tmp_path / "tree", task_0_2=looping)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "json.out").write_text('{"score": 30}')
    graded.grade(course, tree, tmp_path / "reports", end=signal.SIGKILL, sign=sign)
    assert list((tmp_path / "reports").iterdir()) == []


def test_stopping_at_the_first_failure_keeps_the_maximum(course: Path, tmp_path: Path) -> None:
    ran = graded.grade(course, "exercises", tmp_path, "-x")
    assert said_by_all(ran) == Reading(0, graded.MAXIMUM, {Outcome.FAILED: 1, Outcome.NOT_RUN: 3})
    assert ran.status == 1
    assert grades.STOPPED in ran.reports["json"].read_text("utf-8")


def test_deselected_is_not_failed(course: Path, tmp_path: Path) -> None:
    ran = graded.grade(course, "solutions", tmp_path, "-k", "waits")
    assert said_by_all(ran) == Reading(
        6, POINTS_PER_TASK, {Outcome.PASSED: 1, Outcome.DESELECTED: 1}
    )
    assert ran.status == 0


def test_one_check_alone(course: Path, tmp_path: Path) -> None:
    chosen = "checks/task_0_1/test_task_0_1.py::test_greets"
    ran = graded.grade(course, "solutions", tmp_path, chosen)
    assert said_by_all(ran) == Reading(
        4, POINTS_PER_TASK, {Outcome.PASSED: 1, Outcome.DESELECTED: 1}
    )
    assert ran.status == 0


def test_a_task_alone(course: Path, tmp_path: Path) -> None:
    ran = graded.grade(course, "solutions", tmp_path, "checks/task_0_2")
    assert said_by_all(ran) == Reading(10, POINTS_PER_TASK, {Outcome.PASSED: 1})
    assert "1 of 3 tasks" in ran.reports["markdown"].read_text("utf-8")


def test_nothing_selected(course: Path, tmp_path: Path) -> None:
    ran = graded.grade(course, "solutions", tmp_path, "-k", "nonesuch")
    assert said_by_all(ran) == Reading(0, 0, {})
    assert ran.status == 5


def test_a_check_that_does_not_load_keeps_its_points(tmp_path: Path) -> None:
    course = graded.build(tmp_path / "course")
    broken = course / "checks" / "task_0_2" / "test_task_0_2.py"
    broken.write_text("import nonesuch\n" + broken.read_text())
    ran = graded.grade(course, "solutions", tmp_path / "reports")
    said = said_by_all(ran)
    assert (said.maximum, said.outcomes) == (graded.MAXIMUM, {Outcome.NOT_RUN: 4})
    assert ran.status == 3


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("fixture", "@pytest.fixture(autouse=True)\ndef fails(): raise HarnessError('no host')"),
        ("pytest", "def pytest_runtest_logreport(report): 1 / 0"),
    ],
)
def test_a_harness_that_fails_says_so(where: str, what: str, tmp_path: Path) -> None:
    course = graded.build(tmp_path / "course")
    lead = "import pytest\nfrom ml_api_lab.errors import HarnessError\n"
    (course / "checks" / "task_0_2" / "conftest.py").write_text(lead + what)
    ran = graded.grade(course, "solutions", tmp_path / "reports")
    assert said_by_all(ran).maximum == graded.MAXIMUM
    assert ran.status == 3
    assert grades.HARNESS_FAILED in ran.reports["json"].read_text("utf-8")
    assert '"gradable": false' in ran.reports["prairielearn"].read_text("utf-8")


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["yaml=x"], "valid formats are json, junit, markdown, gradescope, classroom50, prairie"),
        (["json"], "'json' is not FORMAT=FILE"),
        (["json="], "'json=' is not FORMAT=FILE"),
        (["json={tmp}"], "it is a folder; give a file"),
        (["json={tmp}/file/grade.json"], "cannot be written"),
        (["json={tmp}/a", "junit={tmp}/b/../a"], "give each its own file"),
        (["classroom50={tmp}/a"], "needs CLASSROOM, ASSIGNMENT, SUBMISSION_TAG, COMMIT_URL"),
    ],
)
def test_what_cannot_be_written_is_refused(
    options: list[str], sentence: str, course: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    given = [f"--report={option.format(tmp=tmp_path)}" for option in options]
    ran = graded.pytest(course, "--tree=solutions", *given)
    assert ran.status == 4
    assert sentence in ran.output
    assert "test session starts" not in ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("refused", ["--tree=nowhere", "--report=xml=a.xml", "checks/task_9_9"])
def test_a_refused_run_leaves_no_earlier_report(refused: str, course: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "grade.json"
    earlier.write_text("the grade of somebody else", encoding="utf-8")
    ran = graded.pytest(course, f"--report=json={earlier}", refused)
    assert ran.status == 4
    assert not earlier.exists()


def test_a_usage_error_leaves_no_report(course: Path, tmp_path: Path) -> None:
    ran = graded.grade(course, "solutions", tmp_path, "checks/task_0_1/test_task_0_1.py::nonesuch")
    assert ran.status == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"OWNER": ""}, "OWNER (or USERNAME)"),
        ({"SUBMISSION_TAG": "v1"}, "begins with submit/"),
        ({"ASSIGNMENT_TYPE": "solo"}, "valid are individual, group, team"),
    ],
)
def test_classroom50_needs_to_know_whose_it_is(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(CourseError, match=re.escape(sentence)):
        identity({**graded.IDENTITY, **change})


# --- files ----------------------------------------------------------------------------------------


def test_a_report_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (report,) = reports.parse_options([f"json={tmp_path}/deep/er/grade.json"])

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            reports.write(synthetic([Outcome.PASSED]), report)
    assert list(report.file.parent.iterdir()) == []
    reports.write(synthetic([Outcome.PASSED]), report)
    assert [path.name for path in report.file.parent.iterdir()] == ["grade.json"]


@pytest.mark.skipif(WINDOWS, reason="Windows has no such permissions")
def test_a_report_has_the_permissions_of_any_file(tmp_path: Path) -> None:
    (report,) = reports.parse_options([f"json={tmp_path / 'grade.json'}"])
    reports.write(synthetic([Outcome.PASSED]), report)
    (tmp_path / "other").touch()
    assert report.file.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_report_that_fails_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    course = graded.build(tmp_path / "course")
    removes = (
        "import shutil\ndef pytest_runtest_logfinish():\n"
        f"    shutil.rmtree({str(tmp_path / 'gone')!r}, True)\n"
        f"    open({str(tmp_path / 'gone')!r}, 'w').close()\n"
    )
    (course / "checks" / "conftest.py").write_text(removes)
    ran = graded.pytest(
        course,
        "--tree=solutions",
        f"--report=json={tmp_path}/gone/a",
        f"--report=junit={tmp_path}/b",
    )
    assert ran.status == 3
    assert "The json report was not written" in ran.output
    assert readings.read("junit", (tmp_path / "b").read_text("utf-8")).score == graded.MAXIMUM


# --- strangers' text ------------------------------------------------------------------------------


def obeyed(text: str) -> list[str]:
    """Return what a terminal or a CI service would obey in that text."""
    lines = [line for line in text.split("\n") if line.lstrip().startswith("::")]
    commands = re.findall(r"##\[.*|##vso\[.*|##teamcity\[.*", text, re.IGNORECASE)
    controls = re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    return [*lines, *commands, *controls]


@pytest.mark.parametrize(
    "options",
    [[], ["-v"], ["-s"], ["-rA"], *([f"--tb={each}"] for each in ("short", "long", "line", "no"))],
)
def test_a_log_cannot_be_forged(options: list[str], course: Path, tmp_path: Path) -> None:
    programs, _, _ = PROGRAMS["hostile"]
    greets = f"import sys\nsys.stdout.reconfigure(errors='surrogatepass')\nprint({HOSTILE[9:]!r})"
    tree = graded.submit(tmp_path / "tree", task_1_1=greets, **programs)
    ran = graded.pytest(course, f"--tree={tree}", "--color=no", *options)
    assert ran.status == 1
    assert obeyed(ran.output) == []


def test_hidden_characters_are_spelled() -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if unicodedata.category(character) in hidden and character not in "\t\n":
            assert sanitize(character).isascii() and sanitize(character).isprintable(), hex(point)


def test_words_of_any_language_stay() -> None:
    text = "Grüße, 世界, مرحبا, שלום, emoji 🎉:\n\ta tab; C::D ## heading [x]"
    assert sanitize(text) == text


def test_plain_is_done_once() -> None:
    assert sanitize(sanitize(HOSTILE)) == sanitize(HOSTILE)
    assert obeyed(sanitize(HOSTILE)) == []


def a_check() -> Check:
    return Check(
        task="task_0_1", file="test_a.py", name="test_a", title="A title.", points=1, hint="Why?"
    )


def test_wrapping_cannot_make_a_command() -> None:
    check = a_check()
    for width in range(80, 100):
        assert obeyed(card(check, "x" * width + " ::error::forged", None, "pytest")) == []


def test_what_was_said_does_not_stand_at_the_margin() -> None:
    check = a_check()
    forged = "It is wrong.\nTotal                 [####################] 200 of 200"
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    transcript.lines = [Line(forged, Span(0))]
    transcript.entries = [(Span(0), forged)]
    transcript.raised = [Raised("E", forged, (Frame("a", 1, forged, forged),), "run", 0, Span(0))]
    assert "\nTotal" not in card(check, forged, transcript, "pytest")


def test_a_card_is_capped_and_says_so() -> None:
    check = a_check()
    transcript = Transcript(Path(), Path(), "exercises/task_0_1")
    transcript.entries = [(Span(0), f"-> GET / {'y' * 10**6}")] * 100
    transcript.lines = [Line("z" * 10**4, Span(0))] * 2000
    transcript.dropped, transcript.unread = 7, 8
    transcript.raised = [Raised("E", "x" * 10**6, (), "run", n, Span(0)) for n in range(5)]
    message = message_of(AssertionError("w" * 10**6))
    assert len(message) < MESSAGE_LIMIT + 100
    assert message.endswith("ww ... (cut at 2000 characters)")
    text = card(check, "It is long.", transcript, "pytest")
    assert len(text) < CARD_LIMIT + 500
    assert text.count("(cut at 500 characters)") > 10
    assert text.endswith("Hint: Why?\n\nAgain: pytest")


def test_cutting_says_how_much() -> None:
    assert truncate("abc", 3) == "abc"
    assert truncate("abcd", 3) == "abc ... (cut at 3 characters)"
    assert sanitize_and_truncate("\x00" * 9, 5) == "\\x00\\ ... (cut at 5 characters)"


# --- the dialect ----------------------------------------------------------------------------------


def test_junit_has_no_word_that_pytest_has_not(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_all.py").write_text(
        "import pytest\n"
        "def test_passes(record_property): record_property('score', 1)\n"
        "def test_fails(): assert False\n"
        "@pytest.fixture\ndef broken(): assert False\n"
        "def test_breaks(broken): pass\n"
        "def test_skips(): pytest.skip('no')\n"
        "def test_suite(record_testsuite_property): record_testsuite_property('score', 1)\n"
    )
    graded.pytest(tmp_path, "--junitxml=own.xml")
    theirs = _words(Xml.parse(tmp_path / "own.xml").getroot())
    ours = _words(Xml.fromstring(reports.render(synthetic(list(Outcome), HOSTILE), "junit")))
    assert ours - theirs == set()
    assert theirs - ours == {("testsuite", "hostname")}


def _words(root: Xml.Element) -> set[tuple[str, str]]:
    """Return the elements' places and attributes."""
    found = {(element.tag, attribute) for element in root.iter() for attribute in element.attrib}
    return found | {(element.tag, f"/{child.tag}") for element in root.iter() for child in element}


def test_the_course_can_be_graded_from_elsewhere(course: Path, tmp_path: Path) -> None:
    """A report's relative file lies where pytest was started."""
    tree = graded.submit(tmp_path / "tree")
    shutil.rmtree(course / "out", ignore_errors=True)
    graded.pytest(course, f"--tree={tree}", "--report=json=out/grade.json")
    assert readings.read("json", (course / "out" / "grade.json").read_text()).score == 30


def test_where_there_is_no_course_there_is_no_grade(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p ml_api_lab.plugin\n")
    ran = graded.pytest(tmp_path, "--report=json=grade.json")
    assert ran.status == 4
    assert "has no checks/syllabus.toml" in ran.output
