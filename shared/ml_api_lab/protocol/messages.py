"""The messages between the checks and a submission's host; each class is its own schema.

On the lab clock the two sides take turns. The checks' side sends its messages and then a
:class:`Grant`; the host acts on all of them at once, runs until nothing in it can run, and sends
its own messages and then an :class:`Idle`. On the wall clock neither is sent.
"""

# No postponed annotations: of a named tuple, each is compiled as the class is made, and both sides
# wait for this module.
from typing import Literal, NamedTuple

ClockName = Literal["lab", "real"]
"""Lab time, or the wall's."""

HostRole = Literal["forks", "one"]
"""What a host's process does: serve forks of itself, or be one host."""

Mode = Literal["serve", "mount", "run", "import", "evaluate"]
"""What a host does with the submission's file.

"mount" serves it without its lifespan, as an application inside another gets none. "evaluate" runs
a text of the checks' own, beside nothing of the submission's.
"""

ProblemStage = Literal["import", "app", "startup", "lifespan", "run", "request", "shutdown"]
"""Where an exception happened.

"app" is no application, as the text says; "lifespan" is that its first event was refused, so that
there is none.
"""

# --- to the host ------------------------------------------------------------------------------


class Fork(NamedTuple):
    """To the fork server: fork a host, which connects back and says this token.

    `is_early` says that it is for a run to come, and has time to get ready meanwhile.
    """

    token: str
    is_early: bool


class Kill(NamedTuple):
    """To the fork server: end that host and all that it started."""

    pid: int


class Release(NamedTuple):
    """To the fork server: that host becomes a program; what it leaves behind is not ended."""

    pid: int


class Signal(NamedTuple):
    """To the fork server: send that signal to a host, or to its group."""

    pid: int
    number: int
    to_group: bool


class Survey(NamedTuple):
    """To the fork server: say whether that host's group has members (answered with `Members`)."""

    pid: int


class Execute(NamedTuple):
    """To a fresh host on the wall clock: become a program, and forget the link.

    That is `python` with these arguments, or else the program that their first one names. Its
    output goes to the end of the file `output`; with "" that has been seen to. `workspace` is what
    it may write to.
    """

    arguments: list[str]
    is_python: bool
    folder: str
    environment: dict[str, str]
    output: str
    workspace: str


class Start(NamedTuple):
    """To a fresh host: become the submission in this folder.

    `workspace` is what it may write to: that folder, and others beside it. `beat` is a length,
    `now` the moment at which it begins, both in nanoseconds of lab time. `source` is the text to
    evaluate, "" in the other modes. `debugger` is the port at which to wait for a debugger before
    anything of the submission runs, None for none; it knows the files as those of `original`.
    """

    mode: Mode
    workspace: str
    folder: str
    file: str
    environment: dict[str, str]
    output: str
    terminal: str | None
    beat: int | None
    now: int
    source: str
    debugger: int | None
    original: str


class Grant(NamedTuple):
    """It is now this moment (ns since the lab's day began); act until nothing can run."""

    now: int


class Request(NamedTuple):
    """An HTTP request. Header names and values are Latin-1 text, the body is base64."""

    id: int
    method: str
    target: str
    headers: list[list[str]]
    body: str


class Disconnect(NamedTuple):
    """The client of that request has gone away."""

    id: int


class Stop(NamedTuple):
    """Shut the application down."""


class Where(NamedTuple):
    """Say what the submission waits for (answered with `Waiting`)."""


class ModelLoaded(NamedTuple):
    """To that `LoadModel`: which model it is (None if there is no such file), and how slow."""

    number: int
    model: str | None
    seconds: float


class ModelAnswers(NamedTuple):
    """To that `AskModel`: the class of each row, None if the model fails."""

    number: int
    classes: list[int] | None


# --- from the host ----------------------------------------------------------------------------


class Hello(NamedTuple):
    """A host has connected; the token shows which."""

    token: str
    pid: int


class Ended(NamedTuple):
    """From the fork server: that host has ended, with this status (negative: by a signal)."""

    pid: int
    status: int


class Members(NamedTuple):
    """From the fork server: whether a process that a host has started still runs, or it itself.

    `commands` are the command lines of those that do, as far as the system tells them, and
    `are_at_work` is whether one of them computes at this moment, or waits for the disk.
    """

    pid: int
    are_there: bool
    are_at_work: bool
    commands: list[str]


class Ready(NamedTuple):
    """The application has started, or the module is imported."""


class Problem(NamedTuple):
    """An exception of the submission's: its type, its text and its own frames.

    `request` is the request's id in a request and 0 otherwise. A frame is [file, line, function,
    source].
    """

    stage: ProblemStage
    request: int
    type: str
    text: str
    frames: list[list[str]]


class Head(NamedTuple):
    """The status and headers of an answer."""

    id: int
    status: int
    headers: list[list[str]]


class Body(NamedTuple):
    """A piece (base64) of an answer's body."""

    id: int
    data: str
    more: bool


class Idle(NamedTuple):
    """Nothing in the host can run before this moment (None: before the next message)."""

    next: int | None


class Done(NamedTuple):
    """The script has ended with this exit status, or the application has shut down (0)."""

    status: int


class Beat(NamedTuple):
    """The submission's event loop was free to run another coroutine."""


class LoadModel(NamedTuple):
    """The stand-in model in the file with that token is loaded (answered with `ModelLoaded`)."""

    number: int
    token: str


class AskModel(NamedTuple):
    """A stand-in model is asked for the classes of these rows (answered with `ModelAnswers`)."""

    number: int
    token: str
    rows: list[list[float]]


class Report(NamedTuple):
    """What the text to evaluate has found out."""

    text: str


class Waiting(NamedTuple):
    """What the submission waits for, one [file, line, function, source] each.

    `reads` are the threads for which lab time waits and which are in a read, one [thread, file,
    line, function, source] each; the four are "" outside the submission's files. Where the system
    does not say who reads, `knows_reads` is false, and they are all threads that may be in one.
    """

    frames: list[list[str]]
    reads: list[list[str]]
    knows_reads: bool


class Paused(NamedTuple):
    """The submission has entered the debugger (True) or left it (False)."""

    inside: bool


class AwaitsDebugger(NamedTuple):
    """The submission waits for a debugger at this port."""

    port: int


ToHost = (
    Fork
    | Kill
    | Release
    | Signal
    | Survey
    | Execute
    | Start
    | Grant
    | Request
    | Disconnect
    | Stop
    | Where
    | ModelLoaded
    | ModelAnswers
)
FromHost = (
    Hello
    | Ended
    | Members
    | Ready
    | Problem
    | Head
    | Body
    | Idle
    | Done
    | Beat
    | LoadModel
    | AskModel
    | Report
    | Waiting
    | Paused
    | AwaitsDebugger
)
Message = ToHost | FromHost
"""One message; each class is its own schema."""
