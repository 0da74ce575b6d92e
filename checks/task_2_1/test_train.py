"""Checks of task 2.1: what train.py writes, and what is in it."""

from __future__ import annotations

from checks.task_2_1.fits import (
    expect_a_file,
    expect_fitted,
    named,
    told_of_flowers,
    watch_fits,
)
from checks.task_2_1.training import (
    FILES,
    IRIS_FLOWERS,
    PickleReport,
    classifiers,
    fitted,
    remove_pickles,
    train_and_inspect,
)
from ml_api_lab.check import Hinted, Task, points, scikit_learn

MIN_ACCURACY = 0.95
CLASS_COUNT_TOLERANCE = 0.03
"""Twice what a regression's tolerance allows; a part of the flowers leads to more."""


@points(2, hint="What are the two file names, and in which folder does `open` put a plain name?")
@scikit_learn
async def test_both_files_are_written(task: Task) -> None:
    """Running train.py writes both pickles."""
    reports = await train_and_inspect(task)
    await expect_a_file(task, reports)
    missing = [report.file for report in reports if report.is_missing]
    if not missing:
        return
    others = [report.found for report in reports if report.is_missing and report.found]
    sentence = f"Running train.py left no {' and no '.join(missing)} in its folder"
    if others:
        raise Hinted(
            f"{sentence}, but {' and '.join(others)}; right are {' and '.join(FILES)}.",
            "What are the two paths, letter by letter, from the folder to the ending?",
        )
    fits = dict.fromkeys(each.model_class for each in await watch_fits(task))
    models = f"{'only ' if len(fits) == 1 else ''}a {' and a '.join(fits)}" if fits else "no model"
    raise Hinted(
        f"{sentence} and no other file like it; train.py fitted {models}. "
        f"Right are {' and '.join(FILES)}.",
        "Which models does your program make, fit and save, and how often does it save?",
    )


@points(2, hint="Which of the two models is saved into which of the two files?")
@scikit_learn
async def test_each_file_holds_its_own_model(task: Task) -> None:
    """Each pickle holds a model of its own class."""
    reports = await train_and_inspect(task)
    await expect_a_file(task, reports)
    # Whether both are written, and under which names, is another check's question.
    for report in [each for each in reports if each.found]:
        report.expect_own_class()


@points(2, hint="What has to happen between making a model and saving it?")
@scikit_learn
async def test_models_are_fitted(task: Task) -> None:
    """Both models are fitted on the four features."""
    reports = await train_and_inspect(task)
    await expect_a_file(task, reports)
    wrong = [
        report
        for report in await expect_fitted(task, classifiers(reports))
        if report.facts["features"] != 4
    ]
    if wrong:
        raise Hinted(
            f"{named(wrong)} {'were' if len(wrong) > 1 else 'was'} fitted on "
            f"{wrong[0].facts['features']} features; the Iris data has 4.",
            "Which columns of the features does fit get?",
        )


@points(2, hint="How many flowers does `load_iris` give, and how many of them does `fit` get?")
@scikit_learn
async def test_models_know_all_of_iris(task: Task) -> None:
    """Both models are trained on the whole Iris data."""
    reports = await _fitted_models(task)
    wrong = [report for report in reports if report.facts["classes"] != [0, 1, 2]]
    if wrong:
        classes = wrong[0].facts["classes"]
        told = await told_of_flowers(task, wrong)
        sentence = (
            f"{named(wrong)}{f', {told},' if told else ''} "
            f"{'know' if len(wrong) > 1 else 'knows'} the classes {classes}; "
            "right are the three of the Iris data, [0, 1, 2]."
        )
        if told:
            raise AssertionError(sentence)
        raise Hinted(
            sentence, "Which classes does `load_iris` give as target, and which does fit get?"
        )
    wrong = [report for report in reports if _seems_fitted_on_others(report)]
    if wrong:
        told = await told_of_flowers(task, wrong) or "not fitted on the flowers as they are"
        raise AssertionError(
            f"{named(wrong)} {'were' if len(wrong) > 1 else 'was'} {told}; "
            f"right are all {IRIS_FLOWERS}, each of them once."
        )


def _seems_fitted_on_others(report: PickleReport) -> bool:
    """Whether a model shows that it was not fitted on all flowers of the Iris data as they are."""
    facts = report.facts
    if facts["training_flowers"] not in (None, IRIS_FLOWERS):
        return True
    # One that recognises too few of them as they are is another check's matter.
    is_good = facts["accuracy"] >= MIN_ACCURACY
    error = facts["class_count_error"] if is_good else None
    return error is not None and error >= CLASS_COUNT_TOLERANCE


@points(1, hint="How much can a model with these settings learn from these flowers?")
@scikit_learn
async def test_models_are_good(task: Task) -> None:
    """Both models recognise the flowers that they were trained on."""
    # One of other features cannot be asked, and another check says so.
    asked = [report for report in await _fitted_models(task) if report.facts["features"] == 4]
    wrong = [report for report in asked if report.facts["accuracy"] < MIN_ACCURACY]
    if not wrong:
        return
    shares = " and ".join(f"{report.facts['accuracy']:.0%}" for report in wrong)
    sentence = (
        f"{named(wrong)} {'recognise' if len(wrong) > 1 else 'recognises'} {shares} of the Iris "
        f"flowers; right are {MIN_ACCURACY:.0%} or more."
    )
    if told := await told_of_flowers(task, wrong):
        raise Hinted(
            f"{sentence} {'They were' if len(wrong) > 1 else 'It was'} {told}.",
            "Which numbers does a model get when it is asked, and which did it get from fit?",
        )
    settings = " ".join(str(wrong[0].facts["settings"]).split())
    raise AssertionError(f"{sentence} It is a {settings}, fitted on all flowers as they are.")


async def _fitted_models(task: Task) -> list[PickleReport]:
    """Return the fitted models that were written; assert that there is one."""
    reports = await train_and_inspect(task)
    await expect_a_file(task, reports)
    found = classifiers(reports)
    return fitted(found) or await expect_fitted(task, found)


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
    await expect_a_file(task, await train_and_inspect(task))
