"""What can go wrong, by whose doing.

LabError
├── CourseError      the command or the course's own files are wrong: the run is refused, or, from
│                    inside a check, the harness has failed
├── SubmissionFault  the submission did something wrong: its check fails with this sentence
│   ├── NotThere     a file or the folder of the task is missing, or cannot be used
│   ├── StartFailed  it did not import, or its start-up raised
│   ├── Stopped      its script raised
│   └── Dead         its process ended, hung or broke the link; nothing more can be asked of it
│       └── Late     it did not come to rest within its budget
│           └── UntimedRead  it waits in a read, and it cannot be known for whom
├── WrongEnvironment the Python that runs the lab lacks what it needs: the run is refused
└── HarnessError     the harness itself failed: the run ends with an exit status of its own

Every message is one sentence for the person who can act on it. Beside them stands `Hinted`, a
check's own assertion.
"""

from __future__ import annotations


class LabError(Exception):
    """Any error of the lab."""


class CourseError(LabError):
    """The command, a task, a check or the syllabus is wrong."""


class SubmissionFault(LabError):
    """The submission is wrong in a way that no assertion had to find."""


class NotThere(SubmissionFault):
    """What is to be graded is not there; no hint about the task would help."""


_SLIPS = {
    "ImportError",
    "IndentationError",
    "ModuleNotFoundError",
    "NameError",
    "SyntaxError",
    "TabError",
}


class StartFailed(SubmissionFault):
    """The submission could not be imported or started.

    Attributes:
        kind: the name of the exception that stopped it.
        text: the exception's own text, without traceback.
    """

    def __init__(self, message: str, kind: str, text: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.text = text

    @property
    def is_slip(self) -> bool:
        """Whether it is a matter of Python, for which no hint about the task would help."""
        return self.kind in _SLIPS


class Stopped(SubmissionFault):
    """The submission's script ended with an exception."""


class Dead(SubmissionFault):
    """The submission's process is gone."""


class Late(Dead):
    """Its process has used up its budget of real time.

    Attributes:
        place: the file and the function in which it was, "" if that is not known. The line would be
            another one each time: a loop has many.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class UntimedRead(Late):
    """Its process waits in a read whose answer may come from outside: no lab time can pass."""


class WrongEnvironment(LabError):
    """The lab was started by a Python that it has not been set up in."""


class HarnessError(LabError):
    """The harness failed; the submission is not to blame."""


RAISED = (
    "Begin with the error above: which value does it speak of, of which type, and where in your "
    "code does that come from?"
)


class Conclusive(AssertionError):
    """What a check has seen of a real process would be the same at any other time.

    A program that ended by itself with exit status 0 where it should have gone on, or one that has
    nothing to do and does not end: no neighbour on the machine made it.
    """


class NoPort(AssertionError):
    """A server ended before it served, and another server may have had its port."""


class Hinted(AssertionError):
    """An assertion of a check that did not get as far as its own question.

    Attributes:
        hint: what to look at first, in place of the check's hint; by default, what was raised.
    """

    def __init__(self, message: str, hint: str = RAISED) -> None:
        super().__init__(message)
        self.hint = hint
