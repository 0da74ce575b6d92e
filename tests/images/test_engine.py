"""Images in an engine that stands in for Docker."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from ml_api_lab.errors import CourseError, SubmissionFault
from ml_api_lab.images.container import Container
from ml_api_lab.images.engine import Engine
from ml_api_lab.task import Task
from tests.support.images import DOCKERFILE, SERVER, Images, get
from tests.support.toy import Course

posix = pytest.mark.skipif(sys.platform == "win32", reason="an engine's signals are POSIX's")

FAKE = '''\
#!{python}
"""Does what Docker would, as far as the lab asks for it, and writes down what it was asked."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

here = Path(__file__).parent
words = sys.argv[1:]
with open(here / "asked", "a") as file:
    file.write(json.dumps(words) + "\\n")
with open(here / "hosts", "a") as file:
    file.write(os.environ.get("DOCKER_HOST", "none") + "\\n")
if words[0] == "version":
    if (here / "no-engine").exists():
        sys.exit("Cannot connect to the Docker daemon. Is it running?")
    print("99.0")
elif words[0] == "build":
    if "refuse" in (Path(words[-1]) / "Dockerfile").read_text():
        print("step 1", file=sys.stderr)
        sys.exit("ERROR: failed to solve: refused")
elif words[0] == "run":
    given = dict(word.split("=", 1) for before, word in zip(words, words[1:]) if before == "--env")
    mounts = [word.split(":") for before, word in zip(words, words[1:]) if before == "--volume"]
    for outside, inside, *_ in mounts:
        given = {{name: value.replace(inside, outside) for name, value in given.items()}}
    published = words[words.index("--publish") + 1].split(":")
    (here / "pid").write_text(str(os.getpid()))
    env = {{**os.environ, **given, "PORT": published[1], "WORD": published[2]}}
    os.execve(sys.executable, [sys.executable, str(here / "app.py")], env)
elif words[0] == "kill":
    name = words[words.index("--signal") + 1] if "--signal" in words else "SIGKILL"
    os.kill(int((here / "pid").read_text()), getattr(signal, name))
'''


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A program that stands in for Docker's."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    (program.parent / "app.py").write_text(SERVER)
    return program


def asked(docker: Path) -> list[str]:
    return (docker.parent / "asked").read_text().splitlines()


@posix
def test_an_engine_builds_runs_stops_and_removes(
    images: Images, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")

    async def scene(task: Task, container: Container) -> None:
        folder = container.mount(task.files.folder)
        container.start({"KEY": "k", "AT": f"{folder}/x"}, 8080)
        await container.wait_until_listening()
        assert await container.is_reachable()
        assert await get(int(container.url.rpartition(":")[2])) != ""
        assert await container.stop(10)

    images.runner.engine = Engine(str(docker))
    images.play(scene)
    images.runner.close()
    version, build, run, kill, remove = asked(docker)
    assert version.startswith('["version"')
    assert build.startswith('["build", "--tag", "ml-api-lab-')
    assert '"KEY=k"' in run
    assert ':8080"' in run
    assert '"AT=/mounted-1/x"' in run
    assert '"kill", "--signal", "SIGTERM"' in kill
    assert remove.startswith('["image", "rm"')
    hosts = (docker.parent / "hosts").read_text().splitlines()
    assert hosts == ["unix:///elsewhere.sock"] * 5


@posix
def test_a_build_that_fails_is_told(images: Images, docker: Path) -> None:
    async def scene(task: Task, container: Container) -> None:
        raise AssertionError("nothing to start")

    images.runner.engine = Engine(str(docker))
    with pytest.raises(SubmissionFault, match=r"docker build failed: ERROR: failed to solve"):
        images.play(scene, DOCKERFILE + "# refuse\n")


@posix
def test_without_an_engine_one_sentence_says_so(docker: Path, tmp_path: Path) -> None:
    (docker.parent / "no-engine").touch()
    with pytest.raises(CourseError) as fault:
        Engine(str(docker))
    assert str(fault.value) == (
        "--docker needs a running Docker engine, and there is none here (Cannot connect to the "
        "Docker daemon); start one, or leave the option out."
    )
    with pytest.raises(CourseError, match=r"the program \S+ is not installed"):
        Engine(str(tmp_path / "nowhere"))


CHECK = """\
@points(10, hint="What does it say?")
@on_the_wall_clock
async def test_container(task: Task) -> None:
    '''It answers.'''
    container = task.container(task.image())
    container.start({}, 8080)
    await container.wait_until_listening()
"""


@posix
def test_the_option_asks_for_the_engine(docker: Path, tmp_path: Path) -> None:
    course = Course(tmp_path / "course")
    files = {"main.py": SERVER, "Dockerfile": textwrap.dedent(DOCKERFILE)}
    course.task("task_0_1", CHECK, files)
    path = f"{docker.parent}:/usr/bin:/bin"
    graded = course.run("checks", "--docker", PATH=path, PYTHONPATH=str(Path.cwd()))
    assert graded.score == (10, 10), graded.text
    assert [line.partition('"')[2].partition('"')[0] for line in asked(docker)] == [
        "version",
        "build",
        "run",
        "image",
    ]
    (docker.parent / "no-engine").touch()
    refused = course.run("checks", "--docker", report=False, PATH=path)
    assert refused.status == 4
    assert "--docker needs a running Docker engine, and there is none here" in refused.text
    assert "Traceback" not in refused.text
