"""Compiled modules are loaded with the real dates; what they and their imports bind is lab time.

With real libraries this is proved by `tests/surroundings/libraries.py`. Here a loader of compiled
modules stands for one, which does in Python what such a module does in C while it is loaded.
"""

from __future__ import annotations

import textwrap

from tests.support.toy import Scenes

LOADER = """
import datetime, importlib.machinery, importlib.util, pathlib, sys, threading, time

pathlib.Path("inner.py").write_text(
    "import datetime, time\\n"
    "from datetime import datetime as bound\\n"
    "shown = datetime.datetime.__name__\\n"
    "def now(at=datetime.datetime.now): return at()\\n"
)
seen = {}

def load(self, module):
    seen["date"] = datetime.date.__name__
    module.moment = datetime.datetime
    import inner
    seen["inner"] = inner.shown
    module.__dict__.setdefault("loaded", datetime.datetime.__name__)

# What the harness calls is the loader's own function, taken before it replaced it.
shown = importlib.machinery.ExtensionFileLoader.exec_module
dates = shown.__closure__[[*shown.__code__.co_freevars].index("self")].cell_contents
execute = dates.shown_to_compiled(load)

module = type(sys)("compiled")
sys.modules["compiled"] = module
execute(None, module)
import inner
"""


def played(source: str, scripts: Scenes) -> list[str]:
    return scripts.script(LOADER + textwrap.dedent(source)).output.splitlines()


def test_real_while_it_is_loaded_and_frozen_afterwards(scripts: Scenes) -> None:
    source = """
    print(seen["date"], module.loaded, "|", seen["inner"], inner.bound.__name__)
    print(module.moment.__name__, datetime.datetime.__name__, datetime.date.__name__)
    time.sleep(2)
    print(module.moment.now(), inner.now(), inner.bound.now())
    """
    assert played(source, scripts) == [
        "date datetime | FakeDatetime FakeDatetime",
        "FakeDatetime FakeDatetime FakeDate",
        " ".join(["2026-01-05 09:00:02"] * 3),
    ]


def test_frozen_again_when_it_does_not_load(scripts: Scenes) -> None:
    source = """
    def fail(loader, module):
        raise ImportError(datetime.datetime.__name__)
    try:
        dates.shown_to_compiled(fail)(None, module)
    except ImportError as error:
        print(error, datetime.datetime.__name__)
    """
    assert played(source, scripts) == ["datetime FakeDatetime"]


def test_two_threads_may_load_at_the_same_time(scripts: Scenes) -> None:
    """The dates stay real until both have loaded, whichever begins or ends first."""
    source = """
    def slow(loader, module):
        first = datetime.datetime.__name__
        time.sleep(module.delay)
        module.seen = [first, datetime.datetime.__name__]
    modules = [type(sys)(f"slow_{delay}") for delay in (1, 2)]
    threads = []
    for module, delay in zip(modules, (1, 2)):
        module.delay = delay
        threads.append(threading.Thread(target=dates.shown_to_compiled(slow), args=(None, module)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    print([module.seen for module in modules], datetime.datetime.__name__)
    """
    assert played(source, scripts) == [f"{[['datetime', 'datetime']] * 2} FakeDatetime"]
