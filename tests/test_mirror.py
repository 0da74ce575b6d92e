"""The tests mirror what they test: a test file bears the name of its module, in its folder.

Of the package's ``sandbox/clock.py`` that is ``tests/sandbox/test_clock.py``; of the checks'
``task_5_1/installation.py`` it is ``tests/checks/task_5_1/test_installation.py``; of the sibling
package's ``engines/local.py`` it is ``tests/ml_api_class/engines/test_local.py``.
"""

from __future__ import annotations

from pathlib import Path

from tests.proofs.prover import COURSE

TESTS = COURSE / "tests"
MOST_LINES = 400

# What tests no module.
OTHER_FILES = {
    "test_contributing.py": "follows CONTRIBUTING.md",
    "test_editors.py": "tests the files for editors and their guide",
    "test_layers.py": "tests the imports of all modules together",
    "test_mirror.py": "tests the tests",
    "test_own_course.py": "follows docs/own-course.md",
    "test_package.py": "tests what a release consists of: version, licences",
    "test_platforms.py": "tests the files in platforms/ and their guide",
    "test_readme.py": "tests README.md and docs/",
}
OTHER_FOLDERS = {
    "attacks": "attacks the harness as hostile submissions do",
    "browser": "opens the pages in a real browser",
    "fuzz": "tries the parsers with texts that nobody would write",
    "handout": "tests the handout",
    "pages": "tests what README.md and docs/ show: pictures of a terminal, commands",
    "proofs": "proves the checks: solutions, mistakes, variants, mutants, cards",
    "slow": "proves what takes long, when it is asked for",
    "support": "helps the tests",
    "surroundings": "tests what stands around a submission",
}


def module_of(test: Path) -> Path:
    """Return the module, or the package, that a test file is named after."""
    folder, name = test.parent.relative_to(TESTS), test.stem.removeprefix("test_")
    roots = {"checks": COURSE, "ml_api_class": COURSE / "shared"}
    root = roots.get(folder.parts[0] if folder.parts else "", COURSE / "shared" / "ml_api_lab")
    package = root / folder / name
    return package if package.is_dir() else package.with_suffix(".py")


def is_other(test: Path) -> bool:
    inner = test.relative_to(TESTS)
    return inner.as_posix() in OTHER_FILES or inner.parts[0] in OTHER_FOLDERS


FILES = sorted(TESTS.rglob("test_*.py"))


def test_each_test_file_is_named_after_a_module() -> None:
    lost = [path for path in FILES if not is_other(path) and not module_of(path).exists()]
    assert [path.relative_to(TESTS).as_posix() for path in lost] == []


def test_the_exceptions_are_needed() -> None:
    assert [name for name in OTHER_FOLDERS if not (TESTS / name).is_dir()] == []
    needless = [
        name
        for name in OTHER_FILES
        if not (TESTS / name).is_file() or module_of(TESTS / name).exists()
    ]
    assert needless == []


def test_no_test_file_is_too_long() -> None:
    long = {
        path.relative_to(TESTS).as_posix(): lines
        for path in FILES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}
