"""What a training script fits, and when: asked after a failure, for what its sentence says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.support.probe import reports_of
from checks.task_2_1.training import FILES, IRIS_FLOWERS, PickleReport, fitted, remove_pickles
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    from ml_api_lab.check import Task

_SCRIPT = Path(__file__).resolve().parent / "scripts" / "watch_fits.py"
_FIRST_FLOWER = "[5.1, 3.5, 1.4, 0.2]"


@dataclass(frozen=True)
class Fit:
    """What one fit got.

    Attributes:
        flowers: how many rows; `first`: the first of them, to two decimals.
        are_as_given: whether each row is a flower of the Iris data.
        saved: the pickles that had been written by then.
    """

    model_class: str
    flowers: int
    first: list[float]
    are_as_given: bool
    saved: list[str]


async def watch_fits(task: Task) -> list[Fit]:
    """Run the submission's train.py once more, and return the fits of both classes in order.

    Nothing of this run shows on the card.
    """
    remove_pickles(task)
    task.clock.renew_budget()
    return await reports_of(task, _SCRIPT, Fit)


async def expect_a_file(task: Task, reports: Sequence[PickleReport]) -> None:
    """Assert that at least one of the files was written, under whichever name."""
    if any(report.found for report in reports):
        return
    sentence = f"Running train.py left no {' and no '.join(FILES)} in its folder"
    if await watch_fits(task):
        raise Hinted(
            f"{sentence} and nothing like them, though it fitted models; right are both files.",
            "Which line writes a file, and does your program come to it?",
        )
    raise Hinted(
        f"{sentence}, and it fitted no model; right is that it fits and saves both.",
        "Which line of train.py calls your code when the file is run?",
    )


async def expect_fitted(task: Task, reports: Sequence[PickleReport]) -> list[PickleReport]:
    """Return the pickles that hold a model; assert that each of them is fitted."""
    unfitted = [report for report in reports if not report.is_fitted]
    if not unfitted:
        return fitted(list(reports))
    fits = await watch_fits(task)
    names = " and the ".join(f"{each.facts['class']} in {each.found}" for each in unfitted)
    verb, pronoun = ("has", "it") if len(unfitted) == 1 else ("have", "they")
    sentence = f"The {names} {verb} not been fitted, so {pronoun} cannot predict"
    of_class = [each for each in fits if each.model_class == unfitted[0].facts["class"]]
    if not of_class:
        raise AssertionError(
            f"{sentence}: train.py fits no {unfitted[0].facts['class']}; right is to fit each "
            "before it is saved."
        )
    if unfitted[0].found in of_class[0].saved:
        raise AssertionError(
            f"{sentence}: when its fit began, {unfitted[0].found} was written already; right is "
            "to save after the fit."
        )
    raise Hinted(
        f"{sentence}, though train.py fits a {of_class[0].model_class} before it saves one; "
        "right is to save the one that is fitted.",
        "How many models of that class does your program make, and which of them is saved?",
    )


async def told_of_flowers(task: Task, wrong: Sequence[PickleReport]) -> str:
    """Return what those models were fitted on, as the rest of a sentence; "" if it was right."""
    fits = await watch_fits(task)
    seen: list[Fit] = []
    for report in wrong:
        # The last before it was saved: a model may be measured on a part of the flowers, too.
        before = [each for each in fits if report.found not in each.saved]
        seen += [each for each in before if each.model_class == report.facts["class"]][-1:]
    if len(seen) < len(wrong):
        return ""
    counts = list(dict.fromkeys(each.flowers for each in seen))
    if counts != [IRIS_FLOWERS]:
        return f"fitted on {' and '.join(map(str, counts))} of the {IRIS_FLOWERS} flowers"
    if not all(each.are_as_given for each in seen):
        return (
            "fitted on other numbers than the flowers' own: the first row that fit got was "
            f"{seen[0].first}, and the first flower is {_FIRST_FLOWER}"
        )
    return ""


def named(reports: Sequence[PickleReport]) -> str:
    """Return these models as the beginning of a sentence."""
    files = " and ".join(str(report.found) for report in reports)
    return f"The model{'s' if len(reports) > 1 else ''} in {files}"
