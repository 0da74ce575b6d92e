"""What psutil cannot tell a confined submission, and how joblib gets on without it.

psutil reads /proc. Landlock's rules are about the files that are there when the rules are made, so
a host is shown its own entry of /proc, and no process that it will start is shown one. Where psutil
is installed, joblib asks it for the memory of its workers, in the workers, and for their children,
in the host; it gives up when psutil is refused, and does well without it where it is not installed.

A submission's own process keeps psutil.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import MutableMapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

from ml_api_lab.host import internals

_IN_PLACE = str(Path(__file__).with_name("in_place"))
_USERS = (
    *("joblib.externals.loky.backend.utils", "joblib.externals.loky.process_executor"),
    *("loky.backend.utils", "loky.process_executor"),
)

_is_installed = False


def install() -> None:
    """Keep psutil from joblib, in this process and in those that it will fork, if it is there.

    To be called before joblib is imported.
    """
    global _is_installed
    if importlib.util.find_spec("psutil") is not None:
        _is_installed = True
        sys.meta_path.insert(0, _Finder)


def tell_children(environment: MutableMapping[str, str]) -> None:
    """Let Python in processes that are started with this environment find no psutil."""
    if _is_installed and _IN_PLACE not in environment.get("PYTHONPATH", ""):
        others = filter(None, [environment.get("PYTHONPATH")])
        environment["PYTHONPATH"] = os.pathsep.join([*others, _IN_PLACE])


def forget() -> None:
    """Let this process find no psutil, as one that is started anew would."""
    if _is_installed:
        for name in [each for each in sys.modules if each.partition(".")[0] == "psutil"]:
            del sys.modules[name]


class _Finder:
    """Finds the modules of joblib that use psutil in the host."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _USERS:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(name, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        # As the modules do without it.
        if hasattr(module, "psutil"):
            module.psutil = None  # type: ignore[attr-defined]
        internals.do_without_psutil(module)
