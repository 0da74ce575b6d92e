"""What can go wrong when a class is graded, beside what can go wrong in the lab itself.

LabError
├── ClassError          the command, the roster or the run's folder is wrong: nothing was graded
│   └── RunInUse        another process grades into the same folder
├── UnreadableSource    one submission cannot be read; the others can
├── WorkerEnded         a worker process ended while it graded, and why
└── JournalTooNew       the journal was written by a later version of the lab
"""

from __future__ import annotations

from ml_api_lab.errors import LabError


class ClassError(LabError):
    """The command, or a file that it names, is wrong."""


class RunInUse(ClassError):
    """Another process grades into the same folder."""


class JournalTooNew(ClassError):
    """A later version of the lab wrote the journal."""


class UnreadableSource(LabError):
    """What one student handed in cannot be read."""


class WorkerEnded(LabError):
    """A worker ended while it graded a submission.

    Attributes:
        is_limit: whether it was ended, since the submission passed a limit.
    """

    def __init__(self, message: str, *, is_limit: bool = False) -> None:
        super().__init__(message)
        self.is_limit = is_limit
