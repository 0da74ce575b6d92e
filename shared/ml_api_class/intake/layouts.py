"""How submissions lie on a disk: a folder of them, the bulk download of a platform, or a CSV file.

The layouts, as the platforms write them:

- Moodle: a folder or a file a student, `Jane Doe_4711_assignsubmission_file_`, by the participant's
  number in the assignment (mod/assign/locallib.php, `download_submissions`).
- Canvas: a file an upload, `doejane_4711_90210_lab.zip`, with `LATE` after the name where it was
  late, by the numbers of the user and the upload.
- Gradescope: a folder a submission and one `submission_metadata.yml`.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ml_api_class.errors import ClassError
from ml_api_class.intake.archives import is_archive, stem_of
from ml_api_class.intake.found import Found

METADATA = "submission_metadata.yml"
_MAX_METADATA_BYTES = 200 * 2**20

_MOODLE = re.compile(
    r"(?P<folder>(?P<name>.+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext))_?(?P<rest>.*)"
)
_CANVAS = re.compile(
    r"(?P<folder>(?P<name>[^_]+)(?P<late>_LATE)?_(?P<user>\d+)_(?P<upload>\d+))_(?P<file>.+)"
)
_ATTEMPT = re.compile(r"(?P<label>.+?)[ _-]+attempt[ _-]*(?P<number>\d+)", re.IGNORECASE)
_TASK = re.compile(r"task_\d+_\d+")
_COPY_NUMBER = re.compile(r"-(\d+)$")
_IGNORED = {"__MACOSX", "__pycache__"}


def find_submissions(path: Path) -> list[Found]:
    """Return the submissions in a folder or a CSV file, attempts of one person each by itself.

    Raises:
        ClassError: there is no such folder or file, nothing in it, or one submission's tasks.
    """
    if path.is_file() and path.suffix.lower() == ".csv":
        found = of_csv(path)
    elif path.is_dir():
        found = _of_folder(path)
    else:
        raise ClassError(
            f"There is no folder {str(path)!r} with submissions; valid are a folder of folders or "
            "archives, a platform's bulk download (its archive too), or a CSV file of paths."
        )
    if not found:
        raise ClassError(
            f"{str(path)!r} holds no submissions; each is a folder or an archive in it."
        )
    return found


def _of_folder(path: Path) -> list[Found]:
    entries = [each for each in sorted(path.iterdir()) if _counts(each)]
    if (path / METADATA).is_file():
        return of_gradescope(path, path / METADATA)
    if len(entries) == 1 and (entries[0] / METADATA).is_file():
        return of_gradescope(entries[0], entries[0] / METADATA)
    if any(_TASK.fullmatch(each.name) for each in entries):
        raise ClassError(
            f"{str(path)!r} holds the tasks of one submission; name the folder above it, with one "
            "folder for each student."
        )
    if any(_MOODLE.fullmatch(each.name) for each in entries):
        return of_moodle(entries)
    if any(_CANVAS.fullmatch(each.name) and each.is_file() for each in entries):
        return of_canvas(entries)
    return of_plain(entries)


def _counts(path: Path) -> bool:
    return not path.name.startswith(".") and path.name not in _IGNORED


def is_of_moodle(folder: str) -> bool:
    """Whether Moodle calls a submission so."""
    return _MOODLE.fullmatch(folder) is not None


def is_of_canvas(folder: str) -> bool:
    """Whether Canvas begins the name of a file so."""
    return _CANVAS.fullmatch(f"{folder}_x") is not None


def of_plain(entries: Iterable[Path]) -> list[Found]:
    """Return a submission for each folder and archive; `jane_attempt_2` is one of several."""
    found = []
    for path in entries:
        if not (path.is_dir() or is_archive(path)):
            continue
        label = path.name if path.is_dir() else stem_of(path)
        several = _ATTEMPT.fullmatch(label)
        number = int(several["number"]) if several else 0
        label = several["label"] if several else label
        found.append(
            Found(
                label,
                (path,),
                ids=(label,),
                names=(label,),
                folder=label,
                order=("", number),
                attempt=number,
            )
        )
    return found


def of_moodle(entries: Iterable[Path]) -> list[Found]:
    """Return the submissions of Moodle's download, with or without a folder for each."""
    sources: dict[str, list[Path]] = defaultdict(list)
    told: dict[str, tuple[str, str]] = {}
    for path in entries:
        if match := _MOODLE.fullmatch(path.name):
            folder = match["folder"]
            sources[folder].append(path)
            told[folder] = match["name"], match["number"]
    return [
        Found(
            f"{name} ({number})",
            tuple(sources[folder]),
            names=(name,),
            ids=(number,),
            folder=f"{folder}_",
        )
        for folder, (name, number) in told.items()
    ]


def of_canvas(entries: Iterable[Path]) -> list[Found]:
    """Return the submissions of Canvas's download: its files, those of one user together.

    Of a file that was uploaded again (`lab-1.zip`) only the last counts.
    """
    uploads: dict[str, dict[str, tuple[int, Path, re.Match[str]]]] = defaultdict(dict)
    for path in entries:
        match = _CANVAS.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        stem = match["file"].partition(".")[0]
        copy = _COPY_NUMBER.search(stem)
        number = int(copy[1]) if copy else 0
        name = stem[: copy.start()] if copy else stem
        before = uploads[match["user"]].get(name)
        if before is None or number > before[0]:
            uploads[match["user"]][name] = number, path, match
    found = []
    for user, files in uploads.items():
        parts = sorted(files.values(), key=lambda each: each[1].name)
        _, _, first = parts[0]
        found.append(
            Found(
                f"{first['name']} ({user})",
                tuple(path for _, path, _ in parts),
                names=(first["name"],),
                ids=(user,),
                folder=first["folder"],
                is_late=any(match["late"] for *_, match in parts),
                # Canvas numbers from the second upload of a file on.
                attempt=1 + again if (again := max(copy for copy, *_ in parts)) else 0,
            )
        )
    return found


def of_gradescope(root: Path, metadata: Path) -> list[Found]:
    """Return the submissions of Gradescope's export, those of groups too.

    Raises:
        ClassError: its file of metadata cannot be read.
    """
    try:
        if metadata.stat().st_size > _MAX_METADATA_BYTES:
            raise ClassError(f"{metadata} has more than {_MAX_METADATA_BYTES // 2**20} MB.")
        content = YAML(typ="safe", pure=False).load(metadata.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ClassError(f"{metadata} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise ClassError(f"{metadata} is no list of submissions; get Gradescope's export anew.")
    found = []
    for name, entry in content.items():
        if not isinstance(entry, dict) or not (root / str(name)).is_dir():
            continue
        people = [each for each in _of(entry, "submitters") or [] if isinstance(each, dict)]
        ids = tuple(str(sid) for each in people if (sid := _of(each, "sid")))
        when = str(_of(entry, "created_at") or "")
        found.append(
            Found(
                ", ".join(str(_of(each, "name") or "") for each in people) or str(name),
                (root / str(name),),
                names=tuple(str(_of(each, "name")) for each in people if _of(each, "name")),
                ids=ids,
                emails=tuple(str(_of(each, "email")) for each in people if _of(each, "email")),
                folder=str(name),
                order=(when, 0),
                submitted=when,
                is_group=len(people) > 1,
            )
        )
    return found


def _of(entry: dict[str, Any], name: str) -> Any:
    """Return a field, whose name Gradescope writes as a symbol of Ruby's."""
    return entry.get(f":{name}", entry.get(name))


def of_csv(path: Path) -> list[Found]:
    """Return the submissions that a CSV file lists: `path`, and what else it says of each.

    Its columns: `path` (from the file's folder), and `id`, `name`, `email`, `submitted`, `attempt`,
    each if known. Of rows with the same id the latest counts: by `submitted`, else the last.

    Raises:
        ClassError: it cannot be read, or has no column `path`.
    """
    rows = read_rows(path)
    if rows and "path" not in rows[0]:
        raise ClassError(f"{path} has no column path; it has {', '.join(rows[0])}.")
    found = []
    for number, row in enumerate(rows, 1):
        source = path.parent / row["path"]
        label = row.get("id") or row.get("name") or source.name
        found.append(
            Found(
                label,
                (source,),
                names=tuple(filter(None, [row.get("name", "")])),
                ids=(label,),
                emails=tuple(filter(None, [row.get("email", "")])),
                folder=label,
                order=(row.get("submitted", ""), number),
                submitted=row.get("submitted", ""),
                attempt=_whole_number(row.get("attempt", "")),
            )
        )
    return found


def _whole_number(text: str) -> int:
    """Return the number that a cell holds, 0 if it holds none."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, with the names of its columns in lower case.

    Raises:
        ClassError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ClassError(f"{path} cannot be read ({error}); save it as CSV in UTF-8.") from error
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = list(csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ClassError(f"{path} is no CSV file: {error}.") from error
    return [
        {
            str(name).strip().lower(): (value or "").strip()
            for name, value in row.items()
            if name is not None and not isinstance(value, list)
        }
        for row in rows
    ]
