"""How submissions lie: each platform's download is known by its names, and the rest is plain."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_api_class.errors import ClassError
from ml_api_class.intake.layouts import find_submissions, is_of_canvas, is_of_moodle


def files(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")


def test_plain_folders_and_archives(tmp_path: Path) -> None:
    files(tmp_path, "ada/", "bob.tar.gz", "cy_attempt_1/", "cy attempt 2.zip", "notes.txt", ".git/")
    found = find_submissions(tmp_path)
    assert sorted((each.label, each.order[1], each.attempt) for each in found) == [
        ("ada", 0, 0),
        ("bob", 0, 0),
        ("cy", 1, 1),
        ("cy", 2, 2),
    ]


def test_moodle_with_and_without_folders(tmp_path: Path) -> None:
    files(
        tmp_path,
        "Jane van Doe_4711_assignsubmission_file_/lab.zip",
        "Jane van Doe_4711_assignsubmission_onlinetext_/onlinetext.html",
        "Zoë_4712_assignsubmission_file_lab.zip",
        "Zoë_4712_assignsubmission_file_notes.txt",
    )
    found = {each.folder: each for each in find_submissions(tmp_path)}
    zoe = found["Zoë_4712_assignsubmission_file_"]
    assert (zoe.label, zoe.names, zoe.ids) == ("Zoë (4712)", ("Zoë",), ("4712",))
    assert [path.name for path in zoe.sources] == [
        "Zoë_4712_assignsubmission_file_lab.zip",
        "Zoë_4712_assignsubmission_file_notes.txt",
    ]
    assert found["Jane van Doe_4711_assignsubmission_file_"].names == ("Jane van Doe",)
    assert all(map(is_of_moodle, found))


def test_canvas_takes_the_last_of_each_file_and_tells_late(tmp_path: Path) -> None:
    files(
        tmp_path,
        "doejane_11_901_lab.zip",
        "doejane_11_902_lab-1.zip",
        "hopebob_LATE_12_903_task_3_2.zip",
        "hopebob_LATE_12_904_notes.txt",
    )
    jane, bob = sorted(find_submissions(tmp_path), key=lambda each: each.label)
    assert (jane.label, jane.ids, jane.is_late) == ("doejane (11)", ("11",), False)
    assert [path.name for path in jane.sources] == ["doejane_11_902_lab-1.zip"]
    assert (jane.attempt, bob.attempt) == (2, 0)
    assert (jane.folder, bob.folder) == ("doejane_11_902", "hopebob_LATE_12_903")
    assert bob.is_late
    assert len(bob.sources) == 2
    assert is_of_canvas(bob.folder)


GRADESCOPE = """\
submission_1:
  :submitters:
  - :name: Jane Doe
    :sid: '0042'
    :email: jane@x.org
  :created_at: 2026-11-29 18:01:02.123 Z
  :score: 5.0
submission_2:
  :submitters:
  - :name: Bob
    :sid:
    :email: bob@x.org
  - :name: Cy
    :sid: c3
    :email: cy@x.org
  :created_at: 2026-11-30 08:00:00 Z
submission_3:
  :submitters: []
"""


def test_gradescope_with_groups(tmp_path: Path) -> None:
    root = tmp_path / "assignment_7_export"
    files(root, "submission_1/main.py", "submission_2/main.py")
    (root / "submission_metadata.yml").write_text(GRADESCOPE, encoding="utf-8")
    for folder in (root, tmp_path):
        jane, both = find_submissions(folder)
        assert (jane.ids, jane.emails, jane.is_group) == (("0042",), ("jane@x.org",), False)
        assert jane.submitted.startswith("2026-11-29 18:01:02")
        assert (both.names, both.ids, both.is_group) == (("Bob", "Cy"), ("c3",), True)
        assert both.label == "Bob, Cy"


def test_metadata_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for text in ("a: [", "- one\n"):
        (tmp_path / "submission_metadata.yml").write_text(text, encoding="utf-8")
        with pytest.raises(ClassError, match=r"submission_metadata\.yml"):
            find_submissions(tmp_path)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_csv_file_of_paths(tmp_path: Path, separator: str) -> None:
    rows = [
        ["Path", "ID", "submitted", "attempt"],
        ["work/a", "s1", "2026-11-01", "3"],
        ["work/b.zip", "s1", "2026-11-02", "four"],
        ["/elsewhere/c", "", "", ""],
    ]
    text = "\r\n".join(separator.join(row) for row in rows)
    (tmp_path / "list.csv").write_text(text, encoding="utf-8-sig")
    first, second, third = find_submissions(tmp_path / "list.csv")
    assert (first.label, first.sources) == ("s1", (tmp_path / "work" / "a",))
    assert first.order < second.order
    assert [each.attempt for each in (first, second, third)] == [3, 0, 0]
    assert (third.label, third.sources) == ("c", (Path("/elsewhere/c"),))


def test_a_csv_file_without_paths_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("id,folder\ns1,x\n", encoding="utf-8")
    with pytest.raises(ClassError, match="has no column path; it has id, folder"):
        find_submissions(tmp_path / "list.csv")


def test_one_submission_is_no_class(tmp_path: Path) -> None:
    files(tmp_path, "task_0_1/main.py", "task_0_2/main.py")
    with pytest.raises(ClassError, match="holds the tasks of one submission"):
        find_submissions(tmp_path)


def test_no_folder_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ClassError, match="There is no folder"):
        find_submissions(tmp_path / "nowhere")
    with pytest.raises(ClassError, match="holds no submissions"):
        find_submissions(tmp_path)
