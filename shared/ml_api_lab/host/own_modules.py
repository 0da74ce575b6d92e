"""The modules of a submission: which of them win over modules of the same name, and what they hide.

A file beside `main.py` wins, unless the name is loaded before `main` is imported. A host has more
loaded than `uvicorn main:app` has, so it forgets what uvicorn would not have.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tokenize
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from ml_api_lab.protocol import stand_in

# The lab itself is not on the path of what runs in it. Found out before the fork, once for all.
_PACKAGE_PARENT = Path(__file__).resolve().parents[2]
PACKAGE_NAME = __name__.partition(".")[0]
IMPORT_PATH = [
    each
    for each in sys.path
    if Path(each).resolve() != _PACKAGE_PARENT
    or each == sysconfig.get_path("purelib")  # a wheel lies there
]

# Run by a fresh interpreter: they print the modules that are loaded when `main` begins.
_SCRIPT = "import sys; print(*sys.modules)"
_SERVER = """
import os, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "main":
            print(*sys.modules, flush=True)
            os._exit(0)
sys.meta_path.insert(0, Finder)
sys.argv = ["uvicorn", "main:app"]
from uvicorn.main import main
main()
"""


def give_way(folder: str, *, is_served: bool) -> None:
    """Forget the loaded modules that files of the submission win over.

    Args:
        folder: where the submission's files are.
        is_served: whether uvicorn imports the submission; else Python runs it as a script.
    """
    own = _files(folder)
    clashing = sys.modules.keys() & own.keys()
    if not clashing:
        return
    loaded = _loaded_before(is_served=is_served)
    for name in list(sys.modules):
        top = name.partition(".")[0]
        if top in clashing and top not in loaded and name != stand_in.__name__:
            del sys.modules[name]


def explain(error: BaseException, folder: str) -> str:
    """Return what a file of the submission has to do with the error, "" if nothing is known."""
    # Until Python 3.11.3 a source with null bytes, as UTF-16 has them, is no error of syntax.
    has_null_bytes = isinstance(error, ValueError) and "null bytes" in str(error)
    if isinstance(error, SyntaxError | UnicodeDecodeError) or has_null_bytes:
        for name, file in _files(folder).items():
            if file == f"{name}.py" and not is_decodable(os.path.join(folder, file)):
                return f"{file} is not in UTF-8 (or what its first lines say); save it as UTF-8"
        return ""
    hiding = _hiding_file(error, folder)
    return f"{hiding} hides the library of that name; call it something else" if hiding else ""


def hiding_module(module: ModuleType, folder: str, file: str) -> str:
    """Return what Python has imported in place of that file, "" if it is that file."""
    found = os.path.realpath(module.__file__ or "")
    if found == os.path.realpath(os.path.join(folder, file)):
        return ""
    is_package = os.path.basename(found).startswith("__init__.")
    return f"The folder {module.__name__}/" if is_package else f"The file {os.path.basename(found)}"


def is_decodable(file: str) -> bool:
    """Whether a source is in the encoding that it says, by default UTF-8."""
    try:
        with tokenize.open(file) as source:
            source.read()
    except (SyntaxError, UnicodeDecodeError):
        return False
    except OSError:
        pass  # it is no file, or cannot be read, which is another matter
    return True


def _files(folder: str) -> dict[str, str]:
    """Return the files and folders that are modules of the submission, by the modules' names."""
    files = {}
    for entry in os.scandir(folder):
        if entry.name.endswith(".py"):
            files[entry.name.removesuffix(".py")] = entry.name
        elif os.path.exists(os.path.join(entry.path, "__init__.py")) or (
            entry.name == PACKAGE_NAME and entry.is_dir()
        ):
            files[entry.name] = f"{entry.name}/"
    return files


def _loaded_before(*, is_served: bool) -> set[str]:
    """Return the modules that are loaded before `main` is."""
    # -P: what lies in the working directory is not found by the server's own imports.
    command = [sys.executable, "-P", "-c", _SERVER if is_served else _SCRIPT]
    nothing = subprocess.DEVNULL
    try:
        ran = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(IMPORT_PATH)},
            stdin=nothing,
            stdout=subprocess.PIPE,
            stderr=nothing,
            check=False,
        )
    except OSError:
        return set(sys.stdlib_module_names)
    return {*ran.stdout.decode().split(), *sys.builtin_module_names}


def _hiding_file(error: BaseException, folder: str) -> str:
    """Return the file of the submission that was found in place of a library, "" if none was."""
    name = None
    if isinstance(error, ImportError):
        name = error.name
    elif isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        name = error.obj.__name__
    top = (name or "").partition(".")[0]
    file = _files(folder).get(top, "")
    if not file or not (top in sys.stdlib_module_names or PathFinder.find_spec(top, IMPORT_PATH)):
        return ""
    return file
