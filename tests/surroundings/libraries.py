"""Submissions that import compiled libraries; for ``tox -e libraries``, which installs them.

Lab time is what Python code sees: what a library takes from the operating system itself is real
time, and is not asked for here (`pandas.Timestamp("now")`, `numpy.datetime64("now")`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_api_lab.check import Clock, Task, seconds
from ml_api_lab.lab_time import NS
from ml_api_lab.protocol.confinement import TIERS, Tier
from tests.support import tiers
from tests.support.toy import LIMIT, Scenes

# What each is used for; `answer` is the same on any machine, 2 s after the lab's day has begun.
USES = {
    "pandas": (
        """
        frame = pandas.DataFrame({"at": [datetime.now()], "n": [2]})
        answer = [pandas.Timestamp.now().isoformat(), pandas.Timestamp.today().isoformat(),
                  pandas.Timestamp.now("Asia/Kolkata").isoformat(), str(frame["at"].dtype),
                  frame["at"][0].isoformat(), int(frame.groupby("n").size().iloc[0]),
                  isinstance(frame["at"][0], datetime),
                  (pandas.Timestamp.now() - frame["at"][0]).total_seconds()]
        """,
        [
            "2026-01-05T09:00:02",
            "2026-01-05T09:00:02",
            "2026-01-05T14:30:02+05:30",
            "datetime64[us]",
            "2026-01-05T09:00:02",
            1,
            True,
            0.0,
        ],
    ),
    "polars": (
        """
        series = polars.Series([datetime.now(), datetime(2026, 1, 5)])
        answer = [series.max().isoformat(), str(series.dtype), series.dt.day().to_list()]
        """,
        ["2026-01-05T09:00:02", "Datetime(time_unit='us', time_zone=None)", [5, 5]],
    ),
    "pyarrow": (
        """
        array = pyarrow.array([datetime.now(), None])
        answer = [array[0].as_py().isoformat(), str(array.type), array.null_count]
        """,
        ["2026-01-05T09:00:02", "timestamp[us]", 1],
    ),
    "matplotlib.dates": (
        """
        days = matplotlib.dates.date2num(datetime.now())
        answer = [round((days % 1) * 86400), matplotlib.dates.num2date(0).year]
        """,
        [9 * 3600 + 2, 1970],
    ),
    "sqlalchemy": (
        """
        engine = sqlalchemy.create_engine("sqlite://")
        table = sqlalchemy.Table("t", sqlalchemy.MetaData(),
                                 sqlalchemy.Column("at", sqlalchemy.DateTime))
        with engine.begin() as connection:
            table.create(connection)
            connection.execute(table.insert(), [{"at": datetime.now()}])
            answer = [connection.execute(sqlalchemy.select(table)).scalar_one().isoformat()]
        """,
        ["2026-01-05T09:00:02"],
    ),
    "scipy.stats": ("answer = [float(scipy.stats.norm.cdf(0))]", [0.5]),
    "lightgbm": (
        """
        import numpy
        data = lightgbm.Dataset(numpy.array([[0.0], [1.0]] * 20), [0, 1] * 20)
        settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 1}
        booster = lightgbm.train(settings, data, 5)
        answer = [bool(each > 0.5) for each in booster.predict(numpy.array([[0.0], [1.0]]))]
        """,
        [False, True],
    ),
    "sklearn.ensemble": (
        """
        forest = sklearn.ensemble.RandomForestClassifier(5, random_state=1)
        answer = forest.fit([[0], [1]] * 20, [0, 1] * 20).predict([[0], [1]]).tolist()
        """,
        [0, 1],
    ),
}
APP = """
{top}
from contextlib import asynccontextmanager
from datetime import datetime
import time
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    {lifespan}
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
def root():
    {endpoint}
    time.sleep(2)
{use}
    return answer
"""


@pytest.fixture(scope="module", params=["1", "0"], ids=["forked", "fresh"])
def hosts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_FORK", str(request.param))
        scenes = Scenes(tmp_path_factory.mktemp("libraries"), "fastapi")
        yield scenes
        scenes.close()


@pytest.mark.parametrize("place", ["top", "lifespan", "endpoint"])
@pytest.mark.parametrize("library", USES)
def test_a_library_is_imported(library: str, place: str, hosts: Scenes) -> None:
    use, expected = USES[library]
    # What the endpoint names it must import as well; by then that loads nothing.
    places = {"top": "", "lifespan": "pass", "endpoint": f"import {library}"}
    places[place] = f"import {library}"
    source = APP.format(use=textwrap.indent(textwrap.dedent(use), "    "), **places)

    async def scene(task: Task, clock: Clock) -> object:
        async with task.serve() as client:
            answer = await client.get("/")
        assert answer.status_code == 200, task.transcript.raised
        return answer.json()

    assert hosts.play(source, scene, budget=LIMIT) == expected


def test_loguru_prints_in_a_thread_of_its_own(hosts: Scenes) -> None:
    source = """
    import sys, time
    from loguru import logger
    logger.remove()
    logger.add(sys.stdout, format="{message}", enqueue=True)
    for text in "abc":
        logger.info(text); time.sleep(2)
    """
    assert hosts.events(textwrap.dedent(source)) == [(0, "a"), (2, "b"), (4, "c")]


def test_nest_asyncio_leaves_the_beat(hosts: Scenes) -> None:
    source = """
    import asyncio, nest_asyncio
    nest_asyncio.apply()
    async def inner():
        await asyncio.sleep(2)
    async def main():
        await asyncio.sleep(1.5)
        asyncio.get_running_loop().run_until_complete(inner())
    asyncio.run(main())
    """

    async def scene(task: Task, clock: Clock) -> list[int]:
        run = await task.run(beat=seconds(1))
        return [round(each / NS) for each in run.beats]

    assert hosts.play(source, scene) == [1, 2, 3]


# joblib asks psutil, where it is installed: in its workers about themselves, and in the process
# that has started them, before it ends them because one has raised an error.
WORKERS = """
import psutil
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

def half(number):
    return 6 // number

if __name__ == "__main__":
    choices = {"C": [0.5, 1.0]}
    search = GridSearchCV(LogisticRegression(max_iter=1000), choices, cv=2, n_jobs=2)
    print(search.fit(*load_iris(return_X_y=True)).best_estimator_.classes_)
    try:
        Parallel(n_jobs=2)(delayed(half)(number) for number in (1, 0))
    except ZeroDivisionError as error:
        print(error)
    print(Parallel(n_jobs=2)(delayed(half)(number) for number in (2, 3)))
    print(psutil.Process().memory_info().rss > 0)
"""


@pytest.mark.parametrize(
    ("tier", "preload"),
    [*((tier, ()) for tier in TIERS), ("landlock", ("sklearn.ensemble",))],
)
def test_joblib_has_workers_beside_psutil(
    tier: Tier, preload: tuple[str, ...], tmp_path: Path
) -> None:
    scenes = Scenes(tmp_path, *preload, confinement=tiers.require(tier))
    try:
        run = scenes.script(WORKERS, budget=LIMIT)
    finally:
        scenes.close()
    said = ["[0 1 2]", "integer division or modulo by zero", "[3, 2]", "True"]
    assert (run.output.splitlines(), run.error) == (said, None)


def test_a_process_that_cannot_use_psutil_says_why(tmp_path: Path) -> None:
    source = """
    import subprocess, sys
    ran = subprocess.run([sys.executable, "-c", "import psutil"], capture_output=True, text=True)
    print(ran.stderr.splitlines()[-1])
    """
    scenes = Scenes(tmp_path, confinement=tiers.require("landlock"))
    try:
        run = scenes.script(source, budget=LIMIT)
    finally:
        scenes.close()
    assert run.output.startswith("ImportError: psutil reads /proc")
