"""The submission as a program: whose modules it imports, and what keeps it from being run."""

from __future__ import annotations

from pathlib import Path

from tests.support.toy import Course
from tests.support.toy_tasks import CHECKS


def test_a_submissions_own_modules_come_first(tmp_path: Path) -> None:
    """Also where they are called as one that the host has loaded: the lab's own, or a package."""
    course = Course(tmp_path / "course")
    course.preload("dotenv")
    main = "from {module} import hello, wait\nhello()\nwait()\n"
    helpers = "import time\ndef hello(): print('hello')\ndef wait(): time.sleep(2)\n"
    for number, (module, files) in enumerate(
        {
            "shared": {"shared.py": helpers},
            "ml_api_lab.errors": {"ml_api_lab/errors.py": helpers},
            "ml_api_lab.host": {"ml_api_lab/__init__.py": "", "ml_api_lab/host.py": helpers},
            "dotenv": {"dotenv.py": helpers},
        }.items(),
        start=1,
    ):
        course.task(f"task_0_{number}", CHECKS, {"main.py": main.format(module=module), **files})
    result = course.run()
    assert result.messages == {}
    assert result.score == (40, 40)
