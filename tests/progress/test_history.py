"""The history: what is written is read, several write at once, and nothing depends on it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ml_api_lab.progress.history import Graded, History
from tests.support.graded import ON_WINDOWS

WRITER = """
import sys
from pathlib import Path
from ml_api_lab.progress.history import Graded, History
for number in range(20):
    History(Path(sys.argv[1])).add([Graded(at=number, task="task_0_1", points=1, maximum=10,
        seconds=0, seed=1, state="", failed="", hint="", program="lab")])
"""


def row(at: float, points: int, task: str = "task_0_1") -> Graded:
    return Graded(
        at=at,
        task=task,
        points=points,
        maximum=10,
        seconds=0.5,
        seed=3,
        state="abc",
        failed="x::y",
        hint="Look.",
        program="lab",
    )


def test_what_is_written_is_read_the_last_first(tmp_path: Path) -> None:
    history = History(tmp_path / ".lab")
    rows = [row(1, 4), row(2, 10), row(3, 6), row(3, 2, "task_0_2")]
    history.add(rows[:2])
    history.add(rows[2:])
    assert history.rows("task_0_1") == [rows[2], rows[1], rows[0]]
    assert history.rows(limit=1) == [rows[3]]


def test_standings_are_the_best_and_the_last(tmp_path: Path) -> None:
    history = History(tmp_path / ".lab")
    history.add([row(1, 4), row(3, 6), row(2, 10)])
    (standing,) = history.standings().values()
    assert (standing.best, standing.last, standing.at, standing.times) == (10, 6, 3, 3)


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path) -> None:
    history = History(tmp_path / ".lab")
    assert (history.rows(), history.standings(), history.hints_shown("x")) == ([], {}, 0)
    assert not (tmp_path / ".lab").exists()


def test_several_write_at_once(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / ".lab")]) for _ in range(3)
    ]
    assert [each.wait() for each in writers] == [0, 0, 0]
    assert len(History(tmp_path / ".lab").rows()) == 60


def test_there_is_no_log_beside_the_file(tmp_path: Path) -> None:
    history = History(tmp_path / ".lab")
    history.add([row(1, 4)])
    with sqlite3.connect(tmp_path / ".lab" / "history.sqlite3") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()
    assert {each.name for each in (tmp_path / ".lab").iterdir()} == {
        ".gitignore",
        "history.sqlite3",
    }


@pytest.mark.skipif(ON_WINDOWS, reason="Windows has other permissions")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    History(tmp_path / ".lab").add([row(1, 4)])
    assert (tmp_path / ".lab").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".lab" / "history.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_an_empty_history(tmp_path: Path) -> None:
    history = History(tmp_path / ".lab")
    history.add([row(1, 4)])
    (tmp_path / ".lab" / "history.sqlite3").write_bytes(b"no database" * 1000)
    assert (history.rows(), history.standings()) == ([], {})
    with pytest.raises(OSError, match="cannot be written: file is not a database"):
        history.add([row(2, 4)])


def test_hints_are_counted_by_task(tmp_path: Path) -> None:
    history = History(tmp_path / ".lab")
    history.remember_hints("task_0_1", 1)
    history.remember_hints("task_0_1", 2)
    assert (history.hints_shown("task_0_1"), history.hints_shown("task_0_2")) == (2, 0)
