"""Checks of task 2.1: what train.py writes, and what is in it."""

from __future__ import annotations

from checks.support.training import FILES, clear, train
from ml_api_lab.check import Task, points, scikit_learn

FLOWERS = 150
ENOUGH = 0.95
ASTRAY = 0.03
"""Twice what a regression's tolerance allows; a part of the flowers leads to more."""


@points(2, hint="What are the two file names, and in which folder does `open` put a plain name?")
@scikit_learn
async def test_both_files_are_written(task: Task) -> None:
    """Running train.py writes both pickles."""
    missing = [pickled.file for pickled in await train(task) if pickled.missing]
    assert not missing, (
        f"Running train.py left no {' and no '.join(missing)} in its folder; "
        f"right are {' and '.join(FILES)}."
    )


@points(2, hint="Which object is in your hands at each of the two moments when you save?")
@scikit_learn
async def test_each_file_holds_its_own_model(task: Task) -> None:
    """Each pickle holds a model of its own class."""
    for pickled in await train(task):
        pickled.model()


@points(2, hint="What has to happen between making a model and saving it?")
@scikit_learn
async def test_models_are_fitted(task: Task) -> None:
    """Both models are fitted on the four features."""
    for pickled in await train(task):
        facts = pickled.fitted()
        assert facts["features"] == 4, (
            f"The model in {pickled.file} was fitted on {facts['features']} features; "
            "the Iris data has 4."
        )


@points(2, hint="How many flowers does `load_iris` give, and how many of them does `fit` get?")
@scikit_learn
async def test_models_know_all_of_iris(task: Task) -> None:
    """Both models are trained on the whole Iris data."""
    for pickled in await train(task):
        facts = pickled.fitted()
        assert facts["classes"] == [0, 1, 2], (
            f"The model in {pickled.file} knows the classes {facts['classes']}; "
            "right are the three of the Iris data, [0, 1, 2]."
        )
        assert facts["flowers"] in (None, FLOWERS), (
            f"The model in {pickled.file} was trained on {facts['flowers']} flowers; "
            f"the whole Iris data has {FLOWERS}."
        )
        assert facts["astray"] is None or facts["astray"] < ASTRAY, (
            f"The model in {pickled.file} was not fitted on the flowers of the Iris data as they "
            f"are: right are all {FLOWERS}, each of them once."
        )


@points(1, hint="What does a model's `score` say on the data that it was trained on?")
@scikit_learn
async def test_models_are_good(task: Task) -> None:
    """Both models recognise the flowers that they were trained on."""
    for pickled in await train(task):
        accuracy = pickled.fitted()["accuracy"]
        assert accuracy >= ENOUGH, (
            f"The model in {pickled.file} recognises {accuracy:.0%} of the Iris flowers; "
            f"right are {ENOUGH:.0%} or more."
        )


@points(1, hint="What is `__name__` when a file is run, and what when it is imported?")
@scikit_learn
async def test_import_writes_nothing(task: Task) -> None:
    """Imported, train.py writes nothing; run, it does."""
    clear(task)
    before = task.files.names()
    await task.load("train.py")
    written = sorted(set(task.files.names()) - set(before))
    assert not written, (
        f"Importing train.py wrote {', '.join(written)}; it should write only when it is run."
    )
    missing = [pickled.file for pickled in await train(task) if pickled.missing]
    assert len(missing) < len(FILES), (
        f"Running train.py wrote neither {' nor '.join(FILES)}; right is that it writes both then."
    )
