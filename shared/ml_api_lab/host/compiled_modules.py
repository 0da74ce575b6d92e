"""Compiled modules are loaded with the real dates; what they have bound is lab time afterwards.

Under frozen time, `datetime.datetime` is a class written in Python. Compiled code takes `datetime`
by its C interface: while it is loaded, it looks up the class by that name, derives types from it,
and expects the memory layout of the C object. With the frozen class it crashes (pandas does, and so
does all that imports pandas where it finds it, such as scikit-learn).

Compiled code that asks the operating system for the time sees the real time
(`numpy.datetime64("now")`): no Python function is called there that could be replaced.
"""

from __future__ import annotations

import datetime
import sys
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from types import ModuleType
from typing import Any

Load = Callable[[Any, Any], Any]

_TIMESTAMPS = "pandas._libs.tslibs.timestamps"


def load_with_real_dates(frozen: Mapping[str, type], real: Mapping[str, type]) -> None:
    """Show compiled modules the real dates while they are loaded, from now on.

    Another thread that asks for the date in that same moment sees the real one as well.

    Args:
        frozen: the classes that the module `datetime` shows by these names.
        real: the classes that the module `datetime` has by itself.
    """
    loader: Any = ExtensionFileLoader
    dates = _Dates(frozen, real)
    loader.create_module = dates.shown_to_compiled(loader.create_module)
    loader.exec_module = dates.shown_to_compiled(loader.exec_module)


class _Dates:
    """Which dates the module `datetime` shows: the real ones while any thread wants them."""

    def __init__(self, frozen: Mapping[str, type], real: Mapping[str, type]) -> None:
        self._frozen = frozen
        self._real = real
        self._frozen_by_id = {id(real[name]): date for name, date in frozen.items()}
        self._lock = allocate_lock()
        self._wants_real: dict[int, bool] = {}
        self._load_source: Load = SourceFileLoader.exec_module

    def shown_to_compiled(self, load: Load) -> Load:
        """Return a loader's function that shows the real dates meanwhile."""

        def show_and_load(loader: Any, what: Any) -> Any:
            before = set(sys.modules)
            with self._shown(real=True):
                result = load(loader, what)
            new = [sys.modules[name] for name in sys.modules.keys() - before]
            for module in [what, *new]:
                if isinstance(module, ModuleType):
                    self._freeze_names(module)
            return result

        return show_and_load

    @contextmanager
    def _shown(self, *, real: bool) -> Iterator[None]:
        thread = get_ident()
        before = self._wants_real.get(thread, False)
        self._want(thread, real=real)
        try:
            yield
        finally:
            self._want(thread, real=before)

    def _want(self, thread: int, *, real: bool) -> None:
        with self._lock:
            self._wants_real[thread] = real
            are_real = any(self._wants_real.values())
            for name, date in (self._real if are_real else self._frozen).items():
                setattr(datetime, name, date)
            # Not always: it adds a line to the tracebacks of what is imported.
            source: Any = SourceFileLoader
            source.exec_module = self._load_source
            if are_real:
                source.exec_module = lambda loader, module: self._load_frozen(loader, module)

    def _load_frozen(self, loader: Any, module: ModuleType) -> None:
        """Show the frozen dates to a module of Python code that a compiled one imports."""
        with self._shown(real=False):
            self._load_source(loader, module)

    def _freeze_names(self, module: ModuleType) -> None:
        """Let the names by which a module has bound the real dates be the frozen ones."""
        for name, value in list(vars(module).items()):
            if id(value) in self._frozen_by_id:
                setattr(module, name, self._frozen_by_id[id(value)])
        if module.__name__ == _TIMESTAMPS and hasattr(module, "Timestamp"):
            module.Timestamp.now = module.Timestamp.today = classmethod(_now)


def _now(cls: Any, tz: Any = None) -> Any:
    """`pandas.Timestamp.now` and `today`, which take the time by the C interface."""
    if tz is None:
        return cls(datetime.datetime.now())
    return cls(datetime.datetime.now(datetime.UTC)).tz_convert(tz)
