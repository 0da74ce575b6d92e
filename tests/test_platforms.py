"""The files for course platforms do what docs/ci.md says, with nothing of a student's obeyed."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ml_api_lab.grading.reports import FORMATS
from ml_api_lab.sanitize import CARD_LIMIT, MESSAGE_LIMIT, ROW_LIMIT
from tests.support import graded, readings
from tests.support.toy import own_environment

ROOT = Path(__file__).resolve().parent.parent
PLATFORMS = ROOT / "platforms"
COURSE_WORKFLOW = PLATFORMS / "github" / "grade.yml"
OWN_WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
WORKFLOWS = [COURSE_WORKFLOW, OWN_WORKFLOW]

needs_a_shell = pytest.mark.skipif(os.name == "nt", reason="these platforms run on Linux")
needs_timeout = pytest.mark.skipif(shutil.which("timeout") is None, reason="coreutils' timeout")


def load(workflow: Path) -> Any:
    return YAML(typ="safe").load(workflow)


def steps(workflow: Path) -> list[Any]:
    return [step for job in load(workflow)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_valid(workflow: Path) -> None:
    """By the schema for workflows that SchemaStore publishes, as check-jsonschema ships it."""
    options = ["--builtin-schema", "vendor.github-workflows", str(workflow)]
    ran = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *options], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_power(workflow: Path) -> None:
    content = load(workflow)
    assert content["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in content["jobs"].values())
    assert "secrets" not in workflow.read_text("utf-8").replace("no secrets", "")
    assert "pull_request_target" not in content["on"]
    for step in steps(workflow):
        if "uses" in step:
            assert re.search(r"@[0-9a-f]{40}$", step["uses"]), "pinned by its commit"
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # What GitHub knows of a push is a stranger's text: never part of a script.
        assert "${{" not in step.get("run", "")
    assert all("timeout-minutes" in job for job in content["jobs"].values())


def test_the_course_takes_its_checks_from_upstream() -> None:
    student, lab = (s["with"] for s in steps(COURSE_WORKFLOW) if "checkout" in s.get("uses", ""))
    assert "repository" not in student and "ref" not in student
    assert (lab["repository"], lab["ref"]) == ("${{ env.LAB }}", "${{ env.LAB_COMMIT }}")
    assert lab["sparse-checkout"].split() == ["checks", "shared"]
    assert student["path"] != lab["path"]
    for step in steps(COURSE_WORKFLOW):
        assert step.get("working-directory", lab["path"]) == lab["path"]


def test_own_ci_covers_systems_and_versions() -> None:
    matrix = load(OWN_WORKFLOW)["jobs"]["test"]["strategy"]["matrix"]
    assert [name.partition("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14", "3.15"]


def hostile_submission(folder: Path) -> Path:
    """Write a wrong submission with all the files that pytest or Python might pick up."""
    graded.submit(folder / "exercises", **dict.fromkeys(graded.RIGHT, "print('no')"))
    obeyed = f"open({str(folder.parent / 'obeyed')!r}, 'w').close()\n"
    for place in (folder, folder / "exercises", folder / "exercises" / "task_0_1"):
        for name in ("conftest.py", "sitecustomize.py", "usercustomize.py", "pytest.py", "pip.py"):
            (place / name).write_text(obeyed)
        (place / "pytest.ini").write_text("[pytest]\naddopts = --co\n")
        (place / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = ['--co']\n")
        (place / "tox.ini").write_text("[pytest]\naddopts = --co\n")
        (place / ".env").write_text("LAB_TREE=solutions\nPYTEST_ADDOPTS=--co\n")
        for name in ("shared", "ml_api_lab"):
            (place / name).mkdir()
            (place / name / "__init__.py").write_text(obeyed)
        (place / "checks").mkdir()
        (place / "checks" / "conftest.py").write_text(obeyed)
        (place / "checks" / "test_mine.py").write_text("def test_mine(): pass\n")
    (folder / "result.json").write_text('{"score": 30}')
    return folder


def course(folder: Path) -> Path:
    """Build the small course as a fetch of it without solutions has it."""
    graded.build(folder)
    shutil.rmtree(folder / "solutions")
    shutil.rmtree(folder / "exercises")
    return folder


def test_the_checks_need_no_solutions(tmp_path: Path) -> None:
    """A fetch of the checks alone grades as the whole repository does."""
    for name in ("checks", "shared"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line"]
    # What talks to real servers reads nothing that the others do not.
    asked = [f"--tree={ROOT / 'solutions'}", "-m", "not on_the_wall_clock"]
    done = subprocess.run(
        [*command, *asked],
        cwd=tmp_path,
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout


def installed() -> dict[str, str]:
    """Return an environment in which the lab is installed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return own_environment(PATH=path, PYTHONPATH=str(ROOT))


def bash(
    script: str, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@needs_a_shell
@needs_timeout
@pytest.mark.parametrize("right", [True, False])
def test_the_course_workflow_grades(right: bool, tmp_path: Path) -> None:
    """Its own scripts, run in the folders that its steps make."""
    course(tmp_path / "lab")
    submission = hostile_submission(tmp_path / "submission")
    if right:
        graded.submit(submission / "exercises")
    summary = tmp_path / "step-summary"
    environment = {**installed(), "GITHUB_STEP_SUMMARY": str(summary)}
    scripts = {step["name"]: step for step in steps(COURSE_WORKFLOW) if "run" in step}
    step = scripts["Grade"]
    ran = bash(step["run"], tmp_path / step["working-directory"], environment)
    assert ran.returncode == (0 if right else 1), ran.stdout + ran.stderr
    for name, file in [("json", "grade.json"), ("junit", "junit.xml"), ("markdown", "summary.md")]:
        said = readings.read(name, (tmp_path / "reports" / file).read_text("utf-8"))
        assert (said.score, said.maximum) == (30 if right else 0, 30)
    assert bash(scripts["Show the summary"]["run"], tmp_path, environment).returncode == 0
    assert f"{30 if right else 0} of 30 points" in summary.read_text("utf-8")
    assert not (tmp_path / "obeyed").exists()


@needs_a_shell
@needs_timeout
def test_the_course_workflow_says_when_nothing_was_graded(tmp_path: Path) -> None:
    course(tmp_path / "lab")
    (tmp_path / "submission").mkdir()
    summary = tmp_path / "step-summary"
    environment = {**installed(), "GITHUB_STEP_SUMMARY": str(summary)}
    scripts = {step["name"]: step["run"] for step in steps(COURSE_WORKFLOW) if "run" in step}
    ran = bash(scripts["Grade"], tmp_path / "lab", environment)
    assert ran.returncode == 4
    assert "There is no tree '../submission/exercises'" in ran.stdout + ran.stderr
    assert bash(scripts["Show the summary"], tmp_path, environment).returncode == 0
    assert "Nothing was graded" in summary.read_text("utf-8")


def run_autograder(root: Path) -> subprocess.CompletedProcess[str]:
    python = root / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    script = PLATFORMS / "gradescope" / "run_autograder"
    return bash(str(script), root, {**installed(), "AUTOGRADER": str(root)})


@needs_a_shell
@needs_timeout
@pytest.mark.parametrize("nested", [2, 1, 0])
def test_gradescope_gets_its_results(nested: int, tmp_path: Path) -> None:
    course(tmp_path / "source")
    submission = hostile_submission(tmp_path / "submission")
    if nested == 2:
        shutil.move(submission / "exercises", tmp_path / "submission" / "ada" / "exercises")
    if nested == 0:
        shutil.move(submission / "exercises", tmp_path / "flat")
        shutil.rmtree(submission)
        shutil.move(tmp_path / "flat", submission)
    ran = run_autograder(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = readings.read("gradescope", (tmp_path / "results" / "results.json").read_text("utf-8"))
    assert (said.score, said.maximum) == (0, 30)
    assert not (tmp_path / "obeyed").exists()


@needs_a_shell
@needs_timeout
@pytest.mark.parametrize(
    "folders",
    [
        ["."],
        ["a/b/c/d/task_0_1"],
        ["__MACOSX/x/task_0_1"],
        ["lab/task_9_9"],
        ["first/task_0_1", "second/task_0_1"],
    ],
)
def test_gradescope_gets_a_result_of_a_submission_without_tasks(
    folders: list[str], tmp_path: Path
) -> None:
    course(tmp_path / "source")
    for folder in folders:
        (tmp_path / "submission" / folder).mkdir(parents=True)
        (tmp_path / "submission" / folder / "main.py").write_text("print()\n")
    assert run_autograder(tmp_path).returncode == 0
    result = json.loads((tmp_path / "results" / "results.json").read_text("utf-8"))
    assert result["score"] == 0
    several = "in more than one place; nothing was graded"
    none = "The folder '{}' holds no task, such as task_0_1.".format(tmp_path / "submission")
    assert (several if len(folders) == 2 else none) in result["output"]


@needs_a_shell
@needs_timeout
def test_gradescope_gets_nothing_from_a_broken_harness(tmp_path: Path) -> None:
    lab = course(tmp_path / "source")
    broken = lab / "checks" / "task_0_1" / "test_task_0_1.py"
    broken.write_text("import nonesuch\n" + broken.read_text("utf-8"))
    hostile_submission(tmp_path / "submission")
    ran = run_autograder(tmp_path)
    assert ran.returncode == 3
    assert list((tmp_path / "results").iterdir()) == []


@needs_a_shell
@needs_timeout
def test_prairielearn_gets_its_results(tmp_path: Path) -> None:
    course(tmp_path / "serverFilesCourse" / "ml_api_lab")
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "main.py").write_text(graded.RIGHT["task_0_2"])
    environment = {**installed(), "GRADE": str(tmp_path)}
    script = PLATFORMS / "prairielearn" / "run.sh"
    ran = bash(f"{script} task_0_2", tmp_path, environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    results = (tmp_path / "results" / "results.json").read_text("utf-8")
    said = readings.read("prairielearn", results)
    assert (said.score, said.maximum, json.loads(results)["score"]) == (10, 10, 1.0)


@pytest.mark.parametrize("broken", [False, True])
def test_classroom50_gets_its_result(
    broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = course(tmp_path / "bundle")
    if broken:
        (lab / "checks" / "syllabus.toml").unlink()
    shutil.copy(PLATFORMS / "classroom50" / "autograder.py", lab)
    submission = hostile_submission(tmp_path / "submission")
    spec = importlib.util.spec_from_file_location("autograder", lab / "autograder.py")
    assert spec is not None and spec.loader is not None
    autograder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(autograder)
    for name, value in {**graded.IDENTITY, "PYTHONPATH": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    status = autograder.grade(sys.executable, submission)
    result = submission / "result.json"
    if broken:
        assert status != 0
        assert not result.exists()
        return
    assert status == 0
    said = readings.read("classroom50", result.read_text("utf-8"))
    assert (said.score, said.maximum) == (0, 30)
    assert not (tmp_path / "obeyed").exists()


def test_the_guide_names_every_format_and_file() -> None:
    text = (ROOT / "docs" / "ci.md").read_text("utf-8")
    for name in FORMATS:
        assert f"`{name}`" in text
    for link in re.findall(r"\]\((\.\./[^)]+)\)", text):
        assert (ROOT / "docs" / link).exists(), link
    for file in PLATFORMS.rglob("*.*"):
        if file.is_file() and file.suffix != ".pyc":
            assert file.name in text, file
    for limit in (ROW_LIMIT, MESSAGE_LIMIT, CARD_LIMIT):
        assert f"{limit:,}" in text


@needs_a_shell
def test_the_guides_programs_run(tmp_path: Path) -> None:
    """What it says about reading a report works on one."""
    graded.build(tmp_path / "course")
    ran = graded.grade(tmp_path / "course", "exercises", tmp_path)
    text = (ROOT / "docs" / "ci.md").read_text("utf-8")
    programs = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    shutil.copy(ran.reports["json"], tmp_path / "grade.json")
    shutil.copy(ran.reports["junit"], tmp_path / "junit.xml")
    program = f"import xml.etree.ElementTree\n{programs}\nprint(points['maximum'])"
    read = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert read.stdout.startswith("0 of 30\ntask_0_1 It says hello. failed")
    assert read.stdout.endswith("\n30\n")
