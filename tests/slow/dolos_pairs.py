"""Dolos reads what is exported for it, ignores the stub, and finds the pairs that were planted.

    npm install --prefix FOLDER @dodona/dolos-lib
    DOLOS=FOLDER pytest tests/slow/dolos_pairs.py

Two of a pair differ as copies do: in the names, the comments and the values. What is no pair was
written apart, below one and the same stub.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ml_api_class.export.similarity import lay_out
from ml_api_class.journal.records import Person, Submission
from ml_api_class.task_files import TaskFiles
from ml_api_lab.course.snapshot import File
from tests.proofs.prover import COURSE

TASK = "task_3_2"
STUDENTS = 24
PAIRS = {("s00", "s01"), ("s10", "s17"), ("s05", "s22")}
_SCRIPT = """
import { Dolos } from "@dodona/dolos-lib";
const report = await new Dolos({ language: "python" }).analyzePaths([process.argv[2]]);
const pairs = report.allPairs().sort((a, b) => b.similarity - a.similarity);
const student = (file) => file.path.split("/").at(-2);
console.log(JSON.stringify({
  files: report.files.length,
  pairs: pairs.map((each) => [student(each.leftFile), student(each.rightFile), each.similarity]),
}));
"""


def _statements(draw: random.Random, indent: str, depth: int) -> Iterator[str]:
    """Yield the lines of a program that nobody else would write."""
    for _ in range(draw.randrange(3, 6)):
        a, b, n = draw.choice("abcdefg"), draw.choice("abcdefg"), draw.randrange(100)
        simple = (
            f"{a} = {b} * {n} - {a}",
            f"{a} += [{b} for {b} in range({n}) if {b} % {n + 1}]",
            f"{a} = {{'{b}': {n}, '{a}': {b}}}",
            f"print({a}, {b}, sep='{n}')",
            f"assert {a} > {n} or not {b}, {a}",
            f"{a}.append(max({b}, {n}, key=lambda each: -each))",
            f"{a}, {b} = {b}[{n}:], {a} @ {b}",
        )
        heads = (
            f"if {a} > {n}:",
            f"for {b} in sorted({a}, reverse=True):",
            f"while {a} and {b} != {n}:",
            f"with open({a}) as {b}:",
            f"async def {a}_{b}({b}, *, {a}={n}):",
        )
        if depth and draw.random() < 0.5:
            yield indent + draw.choice(heads)
            yield from _statements(draw, indent + "    ", depth - 1)
        else:
            yield indent + draw.choice(simple)


def _program(seed: int) -> str:
    return "\n".join(_statements(random.Random(seed), "", 4)) + "\n"


def _disguised(program: str) -> str:
    """Return a copy with other names, other values and comments."""
    renamed = re.sub(r"\b([a-g])\b", r"renamed_\1", program)
    changed = re.sub(r"\b\d+\b", lambda found: str(int(found[0]) + 3), renamed)
    return "\n".join(f"{line}  # line {n}" for n, line in enumerate(changed.splitlines())) + "\n"


def test_planted_pairs_rank_first(tmp_path: Path) -> None:
    modules = Path(os.environ.get("DOLOS", "DOLOS is not set")) / "node_modules"
    assert (modules / "@dodona" / "dolos-lib").is_dir(), "set DOLOS; the top of this file says how"
    node = shutil.which("node")
    assert node is not None, "there is no node"
    stub = (COURSE / "exercises" / TASK / "main.py").read_text(encoding="utf-8")
    copies = {second: first for first, second in PAIRS}
    files = {}
    for number in range(STUDENTS):
        id_ = f"s{number:02}"
        origin = copies.get(id_, id_)
        program = _program(int(origin[1:]) + 1)
        own = program if origin == id_ else _disguised(program)
        files[id_] = TaskFiles({"main.py": File(f"{stub}\n{own}".encode())})
    done = lay_out(
        "dolos",
        COURSE,
        TASK,
        [Submission(id_, Person(id_), {TASK: each.digest}) for id_, each in files.items()],
        {each.digest: each.pack() for each in files.values()}.__getitem__,
        tmp_path / "dolos",
    )
    assert done.number == STUDENTS
    script = tmp_path / "pairs.mjs"
    script.write_text(_SCRIPT, encoding="utf-8")
    # Modules are looked for beside the script.
    (tmp_path / "node_modules").symlink_to(modules.resolve())
    ran = subprocess.run(
        [node, script, tmp_path / "dolos" / "info.csv"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["files"] == STUDENTS, "the ignored file is none of the submissions"
    first = [(min(a, b), max(a, b)) for a, b, _ in found["pairs"][: len(PAIRS)]]
    assert set(first) == PAIRS
    nearest = [similarity for *_, similarity in found["pairs"][: len(PAIRS) + 1]]
    assert nearest[-1] < min(nearest[:-1])
