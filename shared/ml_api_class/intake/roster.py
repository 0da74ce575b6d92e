"""The roster: who is in the class, and which of them a submission is by."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_api_class.errors import ClassError
from ml_api_class.intake.found import Found
from ml_api_class.intake.layouts import read_rows

_COLUMNS = {
    "id": ("id", "student id", "student_id", "sid", "sis user id", "username", "login"),
    "name": ("name", "student", "full name", "student name"),
    "email": ("email", "e-mail", "email address", "mail"),
    "section": ("section", "sections", "class"),
    "group": ("group", "team"),
    "platform_id": ("platform id", "platform_id", "canvas id", "moodle id", "participant"),
}
"""What the columns of a roster may be called; the case does not matter."""


@dataclass(frozen=True)
class Student:
    """One line of the roster.

    Attributes:
        group: of which group, "" for none.
        platform_id: the number by which a platform names their files, "" if the roster lacks it.
    """

    id: str
    name: str = ""
    email: str = ""
    section: str = ""
    group: str = ""
    platform_id: str = ""


class Roster:
    """All students of a class.

    Raises:
        ClassError: two have the same id.
    """

    def __init__(self, students: Sequence[Student]) -> None:
        self.students = students
        self._groups: dict[str, list[Student]] = defaultdict(list)
        self._known: dict[str, dict[str, Student | None]] = {"id": {}, "email": {}, "name": {}}
        for student in students:
            if self._known["id"].get(_plain(student.id)) is not None:
                raise ClassError(f"The roster lists the id {student.id!r} twice.")
            self._know("id", _plain(student.id), student)
            if student.group:
                self._groups[_plain(student.group)].append(student)
        for student in students:
            if student.platform_id:
                self._know("id", _plain(student.platform_id), student)
            if student.email:
                self._know("email", student.email.casefold(), student)
                self._know("email", student.email.casefold().partition("@")[0], student)
            for name in _spellings(student.name):
                self._know("name", name, student)

    def match(self, found: Found) -> list[Student]:
        """Return whose submission that is: one student, a group, or nobody if it is not certain."""
        for id_ in found.ids:
            if group := self._groups.get(_plain(id_)):
                return group
        if found.is_group:
            people = [
                self._person(ids=[id_], emails=[email], names=[name])
                for id_, email, name in _in_step(found.ids, found.emails, found.names)
            ]
            return list({each.id: each for each in people if each is not None}.values())
        person = self._person(found.ids, found.emails, found.names)
        return [] if person is None else [person]

    def _person(
        self, ids: Iterable[str], emails: Iterable[str], names: Iterable[str]
    ) -> Student | None:
        asked = [("id", _plain(each)) for each in ids]
        asked += [("email", each.casefold()) for each in (*emails, *ids)]
        asked += [("name", spelling) for each in names for spelling in _spellings(each)[:1]]
        for kind, word in asked:
            if word and (student := self._known[kind].get(word)) is not None:
                return student
        return None

    def _know(self, kind: str, word: str, student: Student) -> None:
        """Remember a word for a student; one that stands for two stands for nobody."""
        known = self._known[kind]
        is_another = word in known and known[word] != student
        known[word] = None if is_another else student


def _in_step(
    ids: Sequence[str], emails: Sequence[str], names: Sequence[str]
) -> list[tuple[str, str, str]]:
    number = max(len(ids), len(emails), len(names))
    ids, emails, names = ([*each, *[""] * (number - len(each))] for each in (ids, emails, names))
    # Where some lack an id or an e-mail address, the lists are not in step: each stands alone.
    if len({len(list(filter(None, each))) for each in (ids, emails, names)} - {0}) > 1:
        return [(each, "", "") for each in ids if each] + [
            ("", each, "") for each in emails if each
        ]
    return list(zip(ids, emails, names, strict=True))


def read(path: Path) -> Roster:
    """Read a roster: a CSV file with a line of names of columns, `id` among them.

    Raises:
        ClassError: it cannot be read, is empty, or has no such column.
    """
    rows = read_rows(path)
    if not rows:
        raise ClassError(f"{path} lists nobody; its first line names the columns: id,name,email.")
    chosen = {
        field: next((each for each in names if each in rows[0]), None)
        for field, names in _COLUMNS.items()
    }
    if chosen["id"] is None:
        raise ClassError(
            f"{path} has no column id; it has {', '.join(rows[0])}. Its columns may be id, name, "
            "email, section, group and platform_id."
        )
    students = [
        Student(**{field: row[name] for field, name in chosen.items() if name is not None})
        for row in rows
    ]
    return Roster([each for each in students if each.id])


def _plain(word: str) -> str:
    """Return a word without accents, case and all that is neither letter nor digit."""
    bare = unicodedata.normalize("NFKD", word.casefold())
    return "".join(each for each in bare if each.isalnum())


def _spellings(name: str) -> list[str]:
    """Return how a name is written: first the letters alone, then last name first and the like."""
    words = [word for each in re.split(r"[\s,]+", name) if (word := _plain(each))]
    turned = ["".join(words[start:] + words[:start]) for start in range(len(words))]
    return list(dict.fromkeys(turned))
