"""Archives of strangers: nothing outside, no links, no floods, and names as they were meant."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from ml_api_class.errors import UnreadableSource
from ml_api_class.intake.archives import Allowance, is_archive, stem_of, unpack


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, *infos: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, data in infos:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def unpacked(archive: Path, allowance: Allowance | None = None) -> dict[str, bytes]:
    target = archive.parent / "target"
    unpack(archive, target, allowance or Allowance())
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }


def test_files_come_out_with_the_right_to_run_them(tmp_path: Path) -> None:
    run = tarfile.TarInfo("task_0_1/run")
    run.mode = 0o755
    archive = make_tar(tmp_path / "a.tar.gz", (run, b"x"), (tarfile.TarInfo("./main.py"), b"y"))
    assert unpacked(archive) == {"task_0_1/run": b"x", "main.py": b"y"}
    if os.name == "posix":
        assert (tmp_path / "target" / "task_0_1" / "run").stat().st_mode & 0o100
    assert unpacked(make_zip(tmp_path / "b.zip", {"a\\b.py": b"z"}))["a/b.py"] == b"z"


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "C:\\out", "..\\out"])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    for archive in (
        make_zip(tmp_path / "a.zip", {name: b"x", "in": b"y"}),
        make_tar(tmp_path / "a.tgz", (tarfile.TarInfo(name), b"x"), (tarfile.TarInfo("in"), b"y")),
    ):
        allowance = Allowance()
        assert unpacked(archive, allowance) == {"in": b"y"}
        (note,) = allowance.notes
        assert note.endswith("leads out of the archive; it was left out.")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.tgz", "a.zip", "target"]


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    link, device = tarfile.TarInfo("link"), tarfile.TarInfo("device")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device.type = tarfile.CHRTYPE
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "/etc/passwd"
    allowance = Allowance()
    archive = make_tar(tmp_path / "a.tar.gz", (link, b""), (device, b""), (hard, b""))
    assert unpacked(archive, allowance) == {}
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr(info, "/etc/passwd")
    assert unpacked(tmp_path / "a.zip", allowance) == {}
    assert len(allowance.notes) == 4


def test_what_is_no_work_is_left_out_in_silence(tmp_path: Path) -> None:
    allowance = Allowance()
    archive = make_zip(
        tmp_path / "a.zip",
        {
            "__MACOSX/._main.py": b"x",
            "lab/.venv/lib/big.py": b"x",
            "lab/node_modules/x": b"x",
            "lab/.git/config": b"x",
            "lab/.DS_Store": b"x",
            "lab/main.py": b"y",
        },
    )
    assert unpacked(archive, allowance) == {"lab/main.py": b"y"}
    assert allowance.notes == []


def test_floods_are_ended(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(4 * 2**20))
    with pytest.raises(UnreadableSource, match="holds more than 300 MB, unpacked"):
        unpacked(tmp_path / "bomb.zip", Allowance(bytes=2**20))
    assert not (tmp_path / "target").exists()
    many = make_zip(tmp_path / "many.zip", {str(number): b"" for number in range(9)})
    with pytest.raises(UnreadableSource, match="holds more than 20000 files"):
        unpacked(many, Allowance(files=8))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.rar", b"Rar!", "an archive of a kind that is not read; ask for a .zip or .tar.gz"),
        ("a.7z", b"7z", "an archive of a kind that is not read"),
        ("a.zip", b"PK\x03\x04 and no more", "is damaged"),
        ("a.tar.gz", b"\x1f\x8b\x08 no", "is damaged"),
        ("a.zip", b"", "is damaged"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(
    tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UnreadableSource, match=says):
        unpacked(tmp_path / name)


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"main.py": b"x"})
    data = bytearray(archive.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(UnreadableSource, match="is encrypted; ask for it without a password"):
        unpacked(archive)


def test_names_without_a_mark_for_utf_8_are_read_as_they_were_meant(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"Loesung_Zo~.py": b"x"})
    data = archive.read_bytes().replace(b"Loesung_Zo~", "Lösung_Zoë"[:9].encode().ljust(11, b"_"))
    archive.write_bytes(data)
    assert list(unpacked(archive)) == ["Lösung_Zo_.py"]
    info = tarfile.TarInfo("Zo\udceb.py")
    tar = tmp_path / "b.tar.gz"
    with tarfile.open(tar, "w:gz", errors="surrogateescape") as opened:
        opened.addfile(info, io.BytesIO(b""))
    assert "Zoë.py" in unpacked(tar)


def test_names_of_archives(tmp_path: Path) -> None:
    for name, stem in (("a.b.zip", "a.b"), ("a.tar.gz", "a"), ("a.TGZ", "a"), (".zip", ".zip")):
        path = tmp_path / name
        path.touch()
        assert (is_archive(path), stem_of(path)) == (True, stem)
    (tmp_path / "folder.zip").mkdir()
    assert not is_archive(tmp_path / "folder.zip")
    assert not is_archive(tmp_path / "main.py")
