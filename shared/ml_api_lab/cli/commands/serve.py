"""`lab serve`: a task's application under uvicorn, to try by hand."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from ml_api_lab.cli.tasks import here, lab_command, task_meant
from ml_api_lab.course import stubs
from ml_api_lab.course.place import Place
from ml_api_lab.course.syllabus import Entry
from ml_api_lab.errors import CourseError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.session import signals

_MODELS = ("logistic_regression.pkl", "random_forest.pkl")
_HOST = "127.0.0.1"
_END_SECONDS = 5.0

# What task 2.1 has students write, for whoever has not: no later task starts without models.
_TRAIN = """
import pickle
from pathlib import Path
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
features, classes = load_iris(return_X_y=True)
models = (LogisticRegression(max_iter=1000), RandomForestClassifier(random_state=0))
for name, model in zip({names!r}, models):
    if not Path(name).exists():
        new = Path(name + ".new")
        new.write_bytes(pickle.dumps(model.fit(features, classes)))
        new.replace(name)
"""


@lab_command("serve", "lab serve 3.2", "lab serve 3.2 --port 8080")
@click.argument("task", required=False)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def command(task: str | None, port: int) -> int:
    """Serve the application of TASK, and reload it at each save.

    Missing models are trained first. Ctrl-C ends it.
    """
    place = here()
    entry = task_meant(place, task)
    folder = place.folder(entry)
    if "fastapi" not in entry.preload or not (folder / "main.py").is_file():
        raise CourseError(
            f"Task {entry.number} has no application to serve; read checks/{entry.name}/README.md "
            "for how to try it."
        )
    _require_free(port)
    _train_missing(place, entry)
    click.echo(
        f"Serving {entry.number} at http://{_HOST}:{port}, its docs: http://{_HOST}:{port}/docs"
    )
    if stubs.is_untouched(place.course, entry.name, folder):
        click.echo(f"{entry.number} is not started yet: read checks/{entry.name}/README.md.")
    click.echo("Ctrl-C ends it.")
    words = ["uvicorn", "main:app", "--reload", "--host", _HOST, "--port", str(port)]
    with ExitStack() as stack:
        stack.callback(signals.restore)
        signals.hear()
        server = subprocess.Popen([sys.executable, "-m", *words], cwd=folder)
        try:
            return server.wait()
        except KeyboardInterrupt:
            _end(server)
            return ExitStatus.ALL_POINTS


def _end(server: subprocess.Popen[bytes]) -> None:
    """Wait until a server ends: it has heard Ctrl-C as well, but not a signal sent to lab alone."""
    try:
        server.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        server.terminate()
        server.wait()


def _require_free(port: int) -> None:
    """Look whether a server could listen there.

    Raises:
        CourseError: somebody else does, or only an administrator may.
    """
    with socket.socket() as probe:
        if os.name == "posix":  # where a port that was left a moment ago counts as busy without it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise CourseError(
                f"Port {port} cannot be used ({error.strerror}); take another, as in --port "
                f"{port + 1 if port < 65535 else 8000}."
            ) from error


def _train_missing(place: Place, entry: Entry) -> None:
    """Train the models that the task loads and that are not there.

    Raises:
        CourseError: that failed.
    """
    if entry.models is None:
        return
    folder = Path(os.path.normpath(place.folder(entry) / entry.models))
    missing = [name for name in _MODELS if not (folder / name).is_file()]
    if not missing:
        return
    click.echo(f"Training {' and '.join(missing)} in {folder.name}, which are missing ...")
    folder.mkdir(exist_ok=True)
    trained = subprocess.run([sys.executable, "-c", _TRAIN.format(names=_MODELS)], cwd=folder)
    if trained.returncode:
        raise CourseError(f"The models could not be trained in {folder}; its error stands above.")
