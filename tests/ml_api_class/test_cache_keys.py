"""Digests: what changes a verdict changes the key, and what does not does not."""

from __future__ import annotations

from pathlib import Path

from ml_api_class import cache_keys
from tests.ml_api_class.toy_class import origin


def course(root: Path) -> Path:
    for name in ("task_0_1/test_a.py", "task_0_1/README.md", "task_0_2/test_b.py", "support/s.py"):
        path = root / "checks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return root


def test_a_tasks_digest_is_of_its_checks_and_of_what_all_share(tmp_path: Path) -> None:
    root = course(tmp_path)
    first = cache_keys.of_checks(root, "task_0_1")
    for name in ("task_0_2/test_b.py", "task_0_1/README.md", "proven.json"):
        (root / "checks" / name).write_text("changed", encoding="utf-8")
        assert cache_keys.of_checks(root, "task_0_1") == first
    (root / "checks" / "task_0_1" / "__pycache__").mkdir()
    (root / "checks" / "task_0_1" / "__pycache__" / "x.pyc").write_text("compiled")
    assert cache_keys.of_checks(root, "task_0_1") == first
    seen = {first}
    for name in ("task_0_1/test_a.py", "support/s.py", "syllabus.toml", "task_0_1/new.json"):
        (root / "checks" / name).write_text("changed", encoding="utf-8")
        seen.add(cache_keys.of_checks(root, "task_0_1"))
    assert len(seen) == 5


def test_the_same_lab_and_environment_have_the_same_digests() -> None:
    assert cache_keys.of_harness() == cache_keys.of_harness()
    assert cache_keys.of_environment() == cache_keys.of_environment()
    assert len({cache_keys.of_harness(), cache_keys.of_environment()}) == 2


def test_keys_are_told_apart_by_files_and_tasks() -> None:
    one, other = origin("task_0_1"), origin("task_0_2")
    assert len({one.key("a"), one.key("b"), other.key("a")}) == 3
    assert cache_keys.grade_key(["a", "b"]) != cache_keys.grade_key(["b", "a"])
