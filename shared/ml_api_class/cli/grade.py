"""`lab class grade`: grades everything that was handed in and is not graded yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click

from ml_api_class import sharding
from ml_api_class.cli.course import Course, chosen_isolation, chosen_seed, chosen_tasks, open_course
from ml_api_class.cli.engines import open_engine
from ml_api_class.cli.options import grading_options
from ml_api_class.engines.local import Limits
from ml_api_class.errors import ClassError
from ml_api_class.gradebook import write_csv
from ml_api_class.intake import intake, roster
from ml_api_class.intake.intake import Matched
from ml_api_class.journal.journal import FILE, Journal
from ml_api_class.journal.lock import locked
from ml_api_class.journal.records import Standing, State
from ml_api_class.progress import Bar
from ml_api_class.sharding import Shard
from ml_api_class.supervisor import Supervisor, Totals
from ml_api_class.task_files import TaskFiles
from ml_api_lab.cli.tasks import here, lab_command
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.sandbox.hosts.isolation import Wanted
from ml_api_lab.session import signals

_MOST_TOLD = 20
_KEPT = ("asked tasks", "roster", "due")
"""The settings of a run in which its journal keeps options."""


def _due(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return intake.parse_time(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no date; write --due 2026-11-30 or --due 2026-11-30T18:00+01:00."
        ) from None


@lab_command(
    "grade",
    "lab class grade submissions/ --out run",
    "lab class grade download.zip --roster roster.csv --due 2026-11-30T18:00 --out run --dry-run",
)
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder of the run: its journal and its grades. To continue, name it again.",
)
@click.option(
    "--roster",
    "roster_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV file: id, and if you have them name, email, section, group, platform_id.",
)
@click.option("--tasks", help="Only these tasks, as in 3.1,3.2; write all for all tasks.")
@click.option("--due", callback=_due, help="Mark submissions that came later as late.")
@click.option("--seed", type=int, help="Fixes the random choices; by default drawn and kept.")
@click.option(
    "--shard", "written_shard", help="Grade one shard of the class: 2/8 is the second of eight."
)
@click.option("--dry-run", is_flag=True, help="Show who handed in what; grade nothing.")
@click.option("--no-cache", is_flag=True, help="Grade everything; use no result twice.")
@click.option("--retry", is_flag=True, help="Grade again what could not be graded.")
@grading_options
def command(
    submissions: Path,
    out: Path,
    roster_file: Path | None,
    tasks: str | None,
    due: datetime | None,
    seed: int | None,
    written_shard: str | None,
    dry_run: bool,
    no_cache: bool,
    retry: bool,
    wanted: Wanted,
    engine_name: str,
    workers: int,
    time_limit: float,
    memory: int,
) -> int:
    """Grade all submissions in SUBMISSIONS.

    SUBMISSIONS is a folder of folders or archives (zip, tar), the bulk download of Moodle, Canvas
    or Gradescope, unpacked or not, or a CSV file with the columns path and id. Submissions that
    were graded and have not changed are not graded again. A run keeps its --tasks, --roster and
    --due until you give others.
    """
    place = here()
    kept = _kept_options(out)
    if tasks is None:
        tasks = kept.get("asked tasks") or None
    if roster_file is None and kept.get("roster"):
        roster_file = Path(kept["roster"])
    if due is None and kept.get("due"):
        due = datetime.fromisoformat(kept["due"])
    names = chosen_tasks(place, tasks)
    people = None if roster_file is None else roster.read(roster_file)
    with ExitStack() as stack:
        folder = stack.enter_context(intake.opened(submissions))
        matched = intake.plan(folder, people, due)
        shard = None if written_shard is None else sharding.parse(written_shard)
        if shard is not None:
            matched = [each for each in matched if shard.holds(each.id)]
        if dry_run:
            for line in _matches(matched):
                click.echo(line)
            return ExitStatus.ALL_POINTS
        if out.exists() and not out.is_dir():
            raise ClassError(f"{out} is a file; --out names a folder.")
        out.mkdir(parents=True, exist_ok=True)
        stack.callback(signals.restore)
        signals.hear()
        chosen = chosen_isolation(wanted, place.course)
        stack.enter_context(locked(out))
        journal = stack.enter_context(Journal(out, can_create=True))
        _require_one_seed(journal, shard, seed)
        course = open_course(place, names, chosen, chosen_seed(journal, seed), memory)
        journal.set("tasks", ",".join(names))
        # As it was asked for: all tasks are others when the course has got a new one.
        journal.set("asked tasks", tasks or "all")
        journal.set("roster", "" if roster_file is None else str(roster_file.resolve()))
        journal.set("due", "" if due is None else due.isoformat())
        if shard is not None:
            journal.set("shard", str(shard))
        intake.take_in(journal, matched, place.syllabus.names, names)
        limits = Limits(time_limit)
        try:
            totals = grade(
                journal,
                course,
                engine_name,
                workers,
                limits,
                use_cache=not no_cache,
                retry=retry,
            )
        except KeyboardInterrupt:
            signals.ignore()
            click.echo("Interrupted; what is graded is kept. The same command goes on from here.")
            conclude(out, journal)
            return ExitStatus.INTERRUPTED
        click.echo(
            f"{totals.done - totals.earlier} of {totals.number} submissions were graded now."
        )
        return conclude(out, journal)


def _kept_options(out: Path) -> dict[str, str]:
    """Return the options that a run was last graded with, of those that it keeps."""
    if not (out / FILE).is_file():
        return {}
    with Journal(out) as journal:
        return {name: journal.setting(name) or "" for name in _KEPT}


def _require_one_seed(journal: Journal, shard: Shard | None, seed: int | None) -> None:
    if shard is not None and seed is None and journal.setting("seed") is None:
        raise ClassError(
            "All shards of a class need the same seed; write --seed 1, or any other number, for "
            "each of them."
        )


def grade(
    journal: Journal,
    course: Course,
    engine_name: str,
    workers: int,
    limits: Limits,
    *,
    use_cache: bool = True,
    retry: bool = False,
) -> Totals:
    """Grade what a journal holds, with an engine that is asked for."""
    click.echo(f"Isolation: {course.settings.tier}. Seed: {course.settings.seed}.")
    for note in course.isolation.notes:
        click.echo(note)
    with ExitStack() as stack:
        engine = open_engine(engine_name, course.settings, workers, limits)
        stack.callback(engine.close)
        bar = Bar(engine.progress)
        stack.callback(bar.clear)
        supervisor = Supervisor(
            journal, engine, course.origins, use_cache=use_cache, retry=retry, on_tick=bar.show
        )
        return supervisor.run()


def conclude(out: Path, journal: Journal) -> int:
    """Write the table of grades, tell what it holds, and return the exit status."""
    standings = list(journal.standings(in_sum=True))
    path = write_csv(out, standings)
    for line in summary(standings):
        click.echo(line)
    if empty := [each.submission.id for each in standings if _has_no_task(journal, each)]:
        click.echo(f"No folder of a task was found in what was handed in by {_some(empty)}.")
    click.echo(f"Grades: {path}")
    problems = [each for each in standings if each.state == State.NOT_GRADED]
    is_whole = all(each.reason == intake.NOTHING for each in problems)
    return ExitStatus.ALL_POINTS if is_whole else ExitStatus.HARNESS_FAILED


def _has_no_task(journal: Journal, standing: Standing) -> bool:
    """Whether a submission earned nothing since it has none of the folders that were looked for."""
    if standing.state != State.GRADED or standing.score:
        return False
    digests = standing.submission.files.values()
    return all(TaskFiles.unpack(journal.packed(each)).is_missing for each in digests)


def summary(standings: Sequence[Standing]) -> Iterator[str]:
    """Yield what a run came to, as lines of text."""
    states = Counter(each.state for each in standings)
    yield ", ".join(f"{states[state]} {state}" for state in State if states[state]) + "."
    graded = [each for each in standings if each.state == State.GRADED]
    if graded:
        mean = sum(each.score for each in graded) / len(graded)
        yield f"Mean: {mean:.1f} of {max(each.maximum for each in graded)} points."
    late = [each.submission.id for each in standings if each.submission.person.is_late]
    if late:
        yield f"Late: {_some(late)}."
    problems = [each for each in standings if each.state == State.NOT_GRADED]
    nothing = [each.submission.id for each in problems if each.reason == intake.NOTHING]
    if nothing:
        yield f"Nothing was handed in by {_some(nothing)}."
    for each in [each for each in problems if each.reason != intake.NOTHING][:_MOST_TOLD]:
        yield f"Not graded: {each.submission.id}. {each.reason}"


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_TOLD
    return ", ".join(names[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _matches(matched: Sequence[Matched]) -> Iterator[str]:
    """Yield a line for each submission, then what does not fit together."""
    width = max((len(each.id) for each in matched), default=0)
    for each in matched:
        person = each.person
        marks = [person.name or "?"]
        if each.found is None:
            marks.append("nothing handed in")
        else:
            marks.append(" + ".join(path.name for path in each.found.sources))
        if person.is_listed is False:
            marks.append("not in the roster")
        if each.earlier:
            marks.append(f"{each.earlier} earlier attempt{'s' if each.earlier > 1 else ''}")
        if person.is_late:
            marks.append("late")
        yield f"{each.id:<{width}}  {'; '.join(marks)}"
    handed_in = [each for each in matched if each.found is not None]
    unlisted = sum(each.person.is_listed is False for each in handed_in)
    without = len(matched) - len(handed_in)
    yield (
        f"{len(handed_in)} submission{'' if len(handed_in) == 1 else 's'}, {without} "
        f"student{'' if without == 1 else 's'} without one, {unlisted} not in the roster. Nothing "
        "was graded."
    )
