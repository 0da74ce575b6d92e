"""Compare this checkout's speed with another's: the same run of pytest, in turn, as ratios.

    git worktree add ../before 417fc77
    python -m venv ../before/.venv
    ../before/.venv/bin/pip install -c ../before/constraints.txt -e "../before[dev]"
    python benchmarks/compare.py ../before checks --tree=solutions

Each round runs both once, in an order that alternates, so that what else the machine does meets
both alike. Printed are the seconds and the ratios of this checkout to the other: minimum, median
and maximum.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _environment() -> dict[str, str]:
    """Return ours without what changes a run; Python keeps compiled modules, as it does by itself.

    Otherwise who has more modules of their own is slower than their users ever see.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LAB_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def measure(checkout: Path, python: Path, arguments: list[str]) -> tuple[float, float]:
    """Run pytest there; return the seconds that it took, and those of processors."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=checkout,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        sys.exit(f"pytest in {checkout} ended with {done.returncode}:\n{done.stdout.decode()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(title: str, figures: list[float]) -> str:
    low, middle, high = min(figures), statistics.median(figures), max(figures)
    return f"{title:<28} {low:>7.2f} {middle:>7.2f} {high:>7.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="another checkout, with its environment in .venv")
    parser.add_argument("--rounds", type=int, default=5)
    options, arguments = parser.parse_known_args()
    other = options.other.resolve()
    folder = "Scripts" if os.name == "nt" else "bin"
    sides = {
        "this": (ROOT, Path(sys.executable)),
        "other": (other, other / ".venv" / folder / "python"),
    }
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(options.rounds):
        for name in sorted(sides, reverse=bool(number % 2)):
            seen[name].append(measure(*sides[name], arguments))
    print(f"pytest {' '.join(arguments)}, {options.rounds} rounds{'':<6} min  median     max")
    for place, kind in enumerate(("seconds", "processor seconds")):
        figures = {name: [each[place] for each in runs] for name, runs in seen.items()}
        for name in sides:
            print(row(f"{kind}, {name}", figures[name]))
        ratios = [a / b for a, b in zip(figures["this"], figures["other"], strict=True)]
        print(row(f"{kind}, ratio", ratios))


if __name__ == "__main__":
    main()
