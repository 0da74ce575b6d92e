"""Checks of task 2.1: what train.py writes, and what is in it."""

from __future__ import annotations

from checks.task_2_1.training import (
    FILES,
    classifiers,
    fitted,
    remove_pickles,
    train_and_inspect,
)
from ml_api_lab.check import Task, points, scikit_learn

IRIS_FLOWERS = 150
MIN_ACCURACY = 0.95
CLASS_COUNT_TOLERANCE = 0.03
"""Twice what a regression's tolerance allows; a part of the flowers leads to more."""


@points(2, hint="What are the two file names, and in which folder does `open` put a plain name?")
@scikit_learn
async def test_both_files_are_written(task: Task) -> None:
    """Running train.py writes both pickles."""
    reports = await train_and_inspect(task)
    missing = [report.file for report in reports if report.is_missing]
    others = [report.found for report in reports if report.is_missing and report.found]
    instead = f", but {' and '.join(others)}" if others else ""
    assert not missing, (
        f"Running train.py left no {' and no '.join(missing)} in its folder{instead}; "
        f"right are {' and '.join(FILES)}."
    )


@points(2, hint="Which object is in your hands at each of the two moments when you save?")
@scikit_learn
async def test_each_file_holds_its_own_model(task: Task) -> None:
    """Each pickle holds a model of its own class."""
    reports = await train_and_inspect(task)
    # Whether both are written, and under which names, is another check's question.
    for report in [each for each in reports if each.found] or reports:
        report.expect_own_class()


@points(2, hint="What has to happen between making a model and saving it?")
@scikit_learn
async def test_models_are_fitted(task: Task) -> None:
    """Both models are fitted on the four features."""
    for report in classifiers(await train_and_inspect(task)):
        report.expect_fitted()
        assert report.facts["features"] == 4, (
            f"The model in {report.found} was fitted on {report.facts['features']} features; "
            "the Iris data has 4."
        )


@points(2, hint="How many flowers does `load_iris` give, and how many of them does `fit` get?")
@scikit_learn
async def test_models_know_all_of_iris(task: Task) -> None:
    """Both models are trained on the whole Iris data."""
    for report in fitted(await train_and_inspect(task)):
        facts = report.facts
        assert facts["classes"] == [0, 1, 2], (
            f"The model in {report.found} knows the classes {facts['classes']}; "
            "right are the three of the Iris data, [0, 1, 2]."
        )
        assert facts["training_flowers"] in (None, IRIS_FLOWERS), (
            f"The model in {report.found} was trained on {facts['training_flowers']} flowers; "
            f"the whole Iris data has {IRIS_FLOWERS}."
        )
        # One that recognises too few of them as they are is another check's matter.
        is_good = facts["accuracy"] >= MIN_ACCURACY
        error = facts["class_count_error"] if is_good else None
        assert error is None or error < CLASS_COUNT_TOLERANCE, (
            f"The model in {report.found} was not fitted on the flowers of the Iris data as they "
            f"are: right are all {IRIS_FLOWERS}, each of them once."
        )


@points(1, hint="What does a model's `score` say on the data that it was trained on?")
@scikit_learn
async def test_models_are_good(task: Task) -> None:
    """Both models recognise the flowers that they were trained on."""
    for report in fitted(await train_and_inspect(task)):
        if report.facts["features"] != 4:
            continue  # it cannot be asked, and another check says so
        accuracy = report.facts["accuracy"]
        assert accuracy >= MIN_ACCURACY, (
            f"The model in {report.found} recognises {accuracy:.0%} of the Iris flowers; "
            f"right are {MIN_ACCURACY:.0%} or more."
        )


@points(1, hint="What is `__name__` when a file is run, and what when it is imported?")
@scikit_learn
async def test_import_writes_nothing(task: Task) -> None:
    """Imported, train.py writes nothing; run, it does."""
    remove_pickles(task)
    before = task.files.names()
    await task.load("train.py")
    written = sorted(set(task.files.names()) - set(before))
    assert not written, (
        f"Importing train.py wrote {', '.join(written)}; it should write only when it is run."
    )
    found = [report.found for report in await train_and_inspect(task) if report.found]
    assert found, (
        f"Running train.py wrote neither {' nor '.join(FILES)}; right is that it writes both then."
    )
