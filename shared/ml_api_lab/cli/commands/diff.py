"""`lab diff`: your files beside the stub, an earlier state, the reference or its variants."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff

import click

from ml_api_lab.cli.tasks import here, history_of, lab_command, standing_now, task_named, width
from ml_api_lab.cli.text import pad, wrap
from ml_api_lab.course import stubs
from ml_api_lab.course.corpus import Edit, variants_of
from ml_api_lab.course.place import Place
from ml_api_lab.course.snapshot import Snapshot
from ml_api_lab.course.syllabus import POINTS_PER_TASK, Entry
from ml_api_lab.errors import CourseError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.progress.folder import lab_folder
from ml_api_lab.progress.snapshots import Snapshots, short

_WIDE = 120
"""From how many columns on two texts stand side by side."""

_CONTEXT = 3


@lab_command(
    "diff",
    "lab diff 3.2",
    "lab diff 3.2 --state 1a2b3c4d",
    "lab diff 3.2 --reveal",
    "lab diff 3.2 --way 1",
)
@click.argument("task", required=False)
@click.option("--stub", "with_stub", is_flag=True, help="Compare with the stub in any case.")
@click.option("--state", metavar="STATE", help="Compare with this state (see lab history TASK).")
@click.option("--reveal", is_flag=True, help="Show the reference before you have all points.")
@click.option("--way", type=click.IntRange(min=1), help="Compare with this other right way.")
def command(
    task: str | None, with_stub: bool, state: str | None, reveal: bool, way: int | None
) -> int:
    """Compare your files of TASK with the stub or the reference.

    If your last grade had all points, it is the reference, and other right ways are listed below
    it; --way shows one of them. After a reset it is the stub again.
    """
    place = here()
    entry = task_named(place, task, "lab diff")
    mine = Snapshot.read(place.folder(entry))
    if state is not None:
        snapshots = Snapshots(lab_folder(place.course))
        digest = snapshots.named(entry.name, state)
        _compare(short(digest), snapshots.get(entry.name, digest), "yours", mine)
    elif not with_stub and (reveal or _is_solved(place, entry)):
        _compare_with_reference(place, entry, mine, way)
    elif way is not None:
        raise CourseError(
            f"{entry.number} has not all points yet, and another right way gives its answer away; "
            f"if you want that: lab diff {entry.number} --reveal --way {way}"
        )
    else:
        _compare("stub", stubs.read(place.course, entry.name), "yours", mine)
    return ExitStatus.ALL_POINTS


def _is_solved(place: Place, entry: Entry) -> bool:
    """Return whether all points are there now: who resets a task wants to find it out anew."""
    standing = standing_now(place, entry, history_of(place).standings().get(entry.name))
    return standing is not None and standing.last == POINTS_PER_TASK


def _compare_with_reference(place: Place, entry: Entry, mine: Snapshot, way: int | None) -> None:
    folder = place.course / "solutions" / entry.name
    if not folder.is_dir():
        raise CourseError(f"There is no solutions/{entry.name} here to compare with.")
    is_solved = _is_solved(place, entry)
    if not is_solved:
        click.echo(
            f"This shows the answer of {entry.number}, which has not all points yet.", err=True
        )
        if sys.stdin.isatty():
            click.confirm("Show it?", abort=True, err=True)
    reference = Snapshot.read(folder)
    ways = variants_of(place.course, entry.name)
    if way is not None:
        if way > len(ways):
            raise CourseError(f"{entry.number} has {len(ways)} other right ways, and no way {way}.")
        name, edits = ways[way - 1]
        _compare("yours", mine, name, _edited(reference, edits))
        return
    _compare("yours", mine, "reference", reference)
    shown_by = f"lab diff {entry.number}{'' if is_solved else ' --reveal'} --way"
    for number, (name, _) in enumerate(ways, 1):
        click.echo(f"Another right way ({shown_by} {number}): {name}")


def _edited(state: Snapshot, edits: Sequence[Edit]) -> Snapshot:
    texts = {name: file.data.decode("utf-8", "replace") for name, file in state.files.items()}
    for edit in edits:
        text = edit.applied(texts.pop(edit.file, None))
        if text is not None:
            texts[edit.file] = text
    return Snapshot.of_texts(texts)


def _compare(left_name: str, left: Snapshot, right_name: str, right: Snapshot) -> None:
    """Print what differs, side by side where the terminal is wide."""
    names = left.differing(right)
    columns = width()
    for name in names:
        before, after = _lines(left, name), _lines(right, name)
        if columns >= _WIDE and sys.stdout.isatty():
            for row in side_by_side(name, left_name, before, right_name, after, columns):
                click.echo(row)
            continue
        headings = (f"{name} ({left_name})", f"{name} ({right_name})")
        for line in unified_diff(before, after, *headings, n=_CONTEXT, lineterm=""):
            click.echo(line)
    if not names:
        click.echo(f"No difference: {left_name} and {right_name} are the same.")


def _lines(state: Snapshot, name: str) -> list[str]:
    if name in state.links:
        return [f"(a link to {state.links[name]})"]
    file = state.files.get(name)
    return [] if file is None else file.data.decode("utf-8", "backslashreplace").splitlines()


def side_by_side(
    name: str,
    left_name: str,
    left: Sequence[str],
    right_name: str,
    right: Sequence[str],
    columns: int,
) -> Iterator[str]:
    """Yield two texts as rows of that width: what differs, and some lines around it."""
    half = (columns - 3) // 2
    yield f"{pad(f'{name} ({left_name})', half)} | {name} ({right_name})"
    yield "-" * columns
    groups = SequenceMatcher(None, left, right, autojunk=False).get_grouped_opcodes(_CONTEXT)
    for number, group in enumerate(groups):
        if number:
            yield f"{pad('...', half)} | ..."
        for kind, from_left, to_left, from_right, to_right in group:
            mark = "|" if kind == "equal" else "*"
            lefts, rights = left[from_left:to_left], right[from_right:to_right]
            for place in range(max(len(lefts), len(rights))):
                yield from _row(lefts[place : place + 1], rights[place : place + 1], half, mark)
    yield ""


def _row(left: Sequence[str], right: Sequence[str], half: int, mark: str) -> Iterator[str]:
    """Yield a line of each text beside each other, wrapped; one that is not there is empty."""
    lefts = [row for line in left for row in wrap(line, half)]
    rights = [row for line in right for row in wrap(line, half)]
    for place in range(max(len(lefts), len(rights))):
        one = lefts[place] if place < len(lefts) else ""
        other = rights[place] if place < len(rights) else ""
        yield f"{pad(one, half)} {mark} {other}".rstrip()
