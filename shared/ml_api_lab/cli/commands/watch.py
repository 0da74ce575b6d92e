"""`lab watch`: grades a task at each save, on processes that stay."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ml_api_lab.cli.changes import Changes, Look, first_syntax_error, look
from ml_api_lab.cli.grading import open_grader
from ml_api_lab.cli.keys import END, INTERRUPT, Keys
from ml_api_lab.cli.screen import KEYS_TOLD, View, clear, compose, paint, prepare_windows, size
from ml_api_lab.cli.tasks import here, history_of, lab_command, task_meant
from ml_api_lab.course.place import Place
from ml_api_lab.course.syllabus import POINTS_PER_TASK, Entry
from ml_api_lab.errors import LabError
from ml_api_lab.exit_status import ExitStatus
from ml_api_lab.grading import problems
from ml_api_lab.progress.next_step import comparison_line, next_task
from ml_api_lab.progress.readme_hints import next_hint
from ml_api_lab.session import signals

if TYPE_CHECKING:
    from ml_api_lab.trials.grader import Grader, Grading

_TICK_SECONDS = 0.25
"""How often to see whether the window has another size: Windows does not tell."""

_LONG_SECONDS = 3


@lab_command("watch", "lab watch 3.2", "lab watch 0.1 --advance", "lab watch")
@click.argument("task", required=False)
@click.option("--advance", is_flag=True, help="Go on to the next task when one has all points.")
def command(task: str | None, advance: bool) -> int:
    """Grade TASK now, and again at each save.

    It shows one card, cut to fit the window. Keys: h shows the next hint, n goes to the next task,
    p to the previous one, l lists the tasks, a shows all cards, Enter grades again, q quits.
    """
    place = here()
    entry = task_meant(place, task)
    with ExitStack() as stack:
        stack.callback(signals.restore)
        signals.hear()
        grader = open_grader(place, [entry])
        stack.callback(grader.close)
        return Watch(place, entry, grader, advance=advance).run()


@dataclass(frozen=True)
class _Key:
    key: str


@dataclass(frozen=True)
class _Changed:
    """Something may have changed in what is watched."""


@dataclass(frozen=True)
class _Resumed:
    """The terminal may show anything."""


@dataclass(frozen=True)
class _Progress:
    grading: Grading
    done: int
    number: int


@dataclass(frozen=True)
class _Ended:
    """A grading has ended: with an error that is no submission's, or by itself."""

    grading: Grading
    digests: dict[str, str]
    seconds: float
    error: Exception | None


_Event = _Key | _Changed | _Resumed | _Progress | _Ended


class Watch:
    """The loop of `lab watch`.

    Everything happens in the thread that runs it. Keys, changes and verdicts come from others, as
    events.

    Args:
        advance: whether to go on to the next task when one has all points.
    """

    def __init__(self, place: Place, entry: Entry, grader: Grader, *, advance: bool) -> None:
        self._place = place
        self._entry = entry
        self._grader = grader
        self._advance = advance
        self._history = history_of(place)
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        # An editor reads lines; a screen that is painted anew would hide them.
        self._is_for_editor = problems.are_wanted()
        self._is_screen = sys.stdin.isatty() and sys.stdout.isatty() and not self._is_for_editor
        self._grading: Grading | None = None
        self._thread: threading.Thread | None = None
        self._last: Grading | None = None
        self._body: list[str] | None = None
        self._body_before: list[str] | None = None
        self._slips = False
        self._note = self._progress = self._news = self._shown_news = ""
        self._began = 0.0
        self._status = ExitStatus.NOTHING_SELECTED
        self._look: Look = {}
        self._checks_look = look(self._check_folders())
        self._size = size()

    def run(self) -> ExitStatus:
        """Watch until somebody quits; return the status of the last grade."""
        folders = [self._place.course / name for name in ("exercises", "checks")]
        try:
            with ExitStack() as stack:
                if self._is_screen:
                    prepare_windows()
                    keys = Keys(
                        lambda key: self._events.put(_Key(key)),
                        lambda: self._events.put(_Resumed()),
                    )
                    stack.enter_context(keys)
                    sys.stdout.write(clear())
                self._begin()
                changes = Changes(folders, lambda: self._events.put(_Changed()))
                stack.callback(changes.close)
                while self._handle_next():
                    pass
        finally:
            self._cancel()
            if self._is_screen:
                click.echo()
        return self._status

    # --- events -----------------------------------------------------------------------------------

    def _handle_next(self) -> bool:
        """Wait for an event, and handle it; return whether to go on."""
        try:
            event = self._events.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            if size() != self._size:
                self._draw()
            elif self._grading is not None and self._is_screen:
                self._tell_how_long()
            return True
        match event:
            case _Key(key):
                return self._handle_key(key)
            case _Changed():
                self._begin_if_changed()
            case _Resumed():
                self._draw(anew=True)
            case _Progress(grading, done, number):
                if grading is self._grading and self._is_screen:
                    self._progress = f"grading: {done} of {number} checks"
                    self._draw()
            case _Ended():
                if event.grading is self._grading:
                    self._end(event)
        return True

    def _handle_key(self, key: str) -> bool:
        if key == INTERRUPT:
            raise KeyboardInterrupt
        if key in ("q", "Q", END):
            return False
        if key in "\r\n ":
            if self._body is None:
                self._begin()
            self._body = None
        elif key in "hH":
            hint = next_hint(self._place.course, self._history, self._entry.name)
            self._body = [f"{hint.text}\n\n({hint.label})" if hint else "There are no hints."]
        elif key in "nN":
            self._go_to(self._following())
        elif key in "pP":
            tasks = self._place.syllabus.tasks
            self._go_to(tasks[max(tasks.index(self._entry) - 1, 0)])
        elif key in "lL":
            from ml_api_lab.cli.commands.list import rows

            columns = size().columns
            self._body = ["\n".join(rows(self._place, self._history, columns, full=False))]
        elif key in "aA":
            self._show_all()
            return True
        else:
            self._body, self._note = None, KEYS_TOLD
        self._draw()
        return True

    def _begin_if_changed(self) -> None:
        checks = look(self._check_folders())
        if checks != self._checks_look:
            self._checks_look = checks
            try:
                self._grader.reload()
            except LabError as error:
                self._tell(str(error))
                return
        elif look([self._place.folder(self._entry)]) == self._look:
            return
        self._begin()

    # --- grading ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Begin to grade what is there now; what is being graded is ended."""
        self._cancel()
        folder = self._place.folder(self._entry)
        self._look = look([folder])
        if self._is_for_editor:
            click.echo(f"Grading {self._entry.number} ...")
        if slip := first_syntax_error(self._look):
            self._tell_slip(slip, folder)
            return
        try:
            grading = self._grader.prepare([self._entry.name])
        except LabError as error:
            self._tell(str(error))
            return
        self._grading, self._note = grading, ""
        self._body_before = self._body  # it stays until there is a new card: the old one is stale
        self._slips = False
        self._progress, self._began = "grading", time.monotonic()
        self._thread = threading.Thread(target=self._grade, args=(grading,), name="grading")
        self._thread.start()
        if self._is_screen:
            self._draw()

    def _grade(self, grading: Grading) -> None:
        """Grade; in a thread of its own."""
        from ml_api_lab.progress.record import keep_snapshots

        began = time.monotonic()
        error: Exception | None = None
        digests = keep_snapshots(self._place.course, grading.grade.tasks)
        try:
            grading.run(lambda done, number: self._events.put(_Progress(grading, done, number)))
        except Exception as raised:
            error = raised
        self._events.put(_Ended(grading, digests, time.monotonic() - began, error))
        self._grader.refill(grading.grade.tasks)

    def _tell_how_long(self) -> None:
        """Say that the card on the screen is an old one, when a new one takes its time."""
        seconds = int(time.monotonic() - self._began)
        if seconds >= _LONG_SECONDS and not self._progress.endswith(f"for {seconds} s"):
            self._progress = f"what you saved is being graded for {seconds} s"
            self._draw()

    def _cancel(self) -> None:
        if self._grading is not None:
            self._grading.cancel()
        if self._thread is not None:
            self._thread.join()
        self._grading = self._thread = None
        self._progress = ""

    def _end(self, ended: _Ended) -> None:
        from ml_api_lab.cli import result

        self._cancel()
        if ended.error is not None:
            self._status = ExitStatus.HARNESS_FAILED
            self._tell(f"The lab failed: {ended.error}")
            return
        self._last = ended.grading
        if self._body is self._body_before:
            self._body = None
        grade = ended.grading.grade
        self._status = result.status(grade)
        when = time.strftime("%H:%M:%S")
        self._note = f"{when}: {grade.score} of {grade.maximum} points, in {ended.seconds:.1f} s"
        self._shown_news, self._news = self._news, ""
        if not self._is_screen:
            for card in result.cards(ended.grading, all_of_them=False):
                click.echo(f"{card}\n")
            for line in list(result.conclude(self._place, ended.grading))[1:]:
                click.echo(line)
            click.echo(f"{self._entry.number} at {self._note}")
        self._draw()  # before the disk is waited for
        if problem := result.remember(self._place, ended.grading, ended.digests):
            self._note = f"{self._note}. {problem}"
            if not self._is_screen:
                click.echo(problem)
        if self._advance and not grade.missing and (following := self._following()) is not None:
            self._news = f"{self._entry.number} has all points; this is {following.number}."
            self._go_to(following)
        self._draw()

    def _following(self) -> Entry | None:
        """Return the task to go to: the next without all points after this one, at the end any."""
        standings = self._history.standings()
        points = {task: each.best for task, each in standings.items()}
        points[self._entry.name] = POINTS_PER_TASK  # this one is to be left, whatever it has
        return next_task(self._place.syllabus, [self._entry.name], points)

    def _go_to(self, entry: Entry | None) -> None:
        if entry is None:
            self._note = comparison_line(self._place.course, self._place.here, self._place.syllabus)
            return
        self._entry, self._last, self._body = entry, None, None
        self._checks_look = look(self._check_folders())
        self._begin()

    def _check_folders(self) -> list[Path]:
        checks = self._place.course / "checks"
        return [checks / "support", checks / self._entry.name]

    # --- showing ----------------------------------------------------------------------------------

    def _tell(self, sentence: str) -> None:
        """Show a sentence beside what was there."""
        self._note = sentence
        if self._is_screen:
            self._draw()
        else:
            click.echo(sentence)
        if self._is_for_editor:
            click.echo(f"{self._entry.number} at {time.strftime('%H:%M:%S')}: not graded")

    def _tell_slip(self, slip: SyntaxError, folder: Path) -> None:
        self._slips = True
        file = Path(slip.filename or "").relative_to(folder).as_posix()
        if self._is_for_editor:
            shown = f"exercises/{self._entry.name}/{file}"
            self._tell(problems.problem_line(shown, slip.lineno or 1, slip.msg))
        else:
            self._tell(f"Not graded yet: {file}, line {slip.lineno}: {slip.msg}")

    def _draw(self, *, anew: bool = False) -> None:
        if not self._is_screen:
            return
        before, self._size = self._size, size()
        anew |= self._size != before
        rows = compose(self._view(), self._size.columns, self._size.lines)
        colours = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        sys.stdout.write((clear() if anew else "") + paint(rows, colours=colours))
        sys.stdout.flush()

    def _view(self) -> View:
        from ml_api_lab.cli import result

        title = f"{self._entry.number} {self._entry.title}"
        body = self._body
        is_good = False
        if self._last is not None:
            grade = self._last.grade
            is_good = not grade.missing
            title = f"{title}: {grade.score} of {grade.maximum} points"
            if body is None:
                cards = result.cards(self._last, all_of_them=True)
                cards = result.not_begun(self._place, self._last) or cards
                body = cards[0].split("\n\n") if cards else [*grade.absent, self._praise()]
        news = self._news or self._shown_news
        note = "  ".join(filter(None, [news, self._note, self._progress, self._others()]))
        return View(title, is_good, body or [], note)

    def _others(self) -> str:
        from ml_api_lab.cli import result

        if self._last is None or result.not_begun(self._place, self._last):
            return ""
        more = len(self._last.failed) - 1
        return f"{more} more failed" if more > 0 and not self._progress and not self._slips else ""

    def _praise(self) -> str:
        following = self._following()
        if self._last is not None and self._last.grade.missing:
            return ""
        if following is None:
            return comparison_line(self._place.course, self._place.here, self._place.syllabus)
        return f"All points. Next (n): {following.number} {following.title}."

    def _show_all(self) -> None:
        """Print all cards whole, to scroll through; the next key or save brings the screen back."""
        from ml_api_lab.cli import result

        cards = [] if self._last is None else result.cards(self._last, all_of_them=True)
        text = "\n\n".join([*cards, "(Any key: back to one card.)"])
        sys.stdout.write(clear() + text + "\n")
        sys.stdout.flush()
