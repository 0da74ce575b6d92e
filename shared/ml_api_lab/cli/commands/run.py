"""`lab run`: grades tasks once, with the cards and the points that pytest shows."""

from __future__ import annotations

from contextlib import ExitStack

import click

from ml_api_lab.cli.grading import open_grader
from ml_api_lab.cli.tasks import here, lab_command, task_meant
from ml_api_lab.cli.text import progress_line
from ml_api_lab.session import signals


@lab_command("run", "lab run 3.2", "lab run 0.1 0.2 0.3", "lab run 0", "lab run --all")
@click.argument("tasks", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Grade all tasks.")
@click.option("-v", "--verbose", is_flag=True, help="Show every card, also where one is enough.")
@click.option("--seed", type=int, help="Repeat the random choices of an earlier run.")
def command(tasks: tuple[str, ...], everything: bool, verbose: bool, seed: int | None) -> int:
    """Grade TASKS once.

    It shows the same cards and points as pytest. The number of a part means all its tasks. Without
    TASKS, it grades the task whose folder you are in, or the one that lab shows as the next.
    """
    place = here()
    if everything:
        entries = list(place.syllabus.tasks)
    else:
        meant = [entry for said in tasks for entry in place.tasks(said)]
        asked = {entry.name for entry in meant or [task_meant(place, None)]}
        entries = [entry for entry in place.syllabus.tasks if entry.name in asked]
    with ExitStack() as stack:
        stack.callback(signals.restore)
        signals.hear()
        grader = open_grader(place, entries)
        stack.callback(grader.close)
        names = [entry.name for entry in entries]
        # Late, as in open_grader.
        from ml_api_lab.cli import result
        from ml_api_lab.progress.record import keep_snapshots

        grading = grader.prepare(names, seed)
        digests = keep_snapshots(place.course, names)
        try:
            grading.run(progress_line("checks"))
        except KeyboardInterrupt:
            pass  # the grade says so, and what it has is shown
        for card in result.cards(grading, all_of_them=verbose):
            click.echo(f"{card}\n")
        for line in result.conclude(place, grading):
            click.echo(line)
        if problem := result.remember(place, grading, digests):
            click.echo(problem)
        return result.status(grading.grade)
