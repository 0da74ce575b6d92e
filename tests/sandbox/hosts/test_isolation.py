"""The choice of a tier: what is asked for, tried, remembered, refused, and told."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ml_api_lab.protocol.confinement import UNCONFINED, Confinement, Tier
from ml_api_lab.sandbox.hosts import isolation
from ml_api_lab.sandbox.hosts.isolation import Isolation, NotIsolated
from tests.proofs.prover import COURSE
from tests.support import tiers
from tests.support.toy import Course

linux = pytest.mark.skipif(sys.platform != "linux", reason="tiers are Linux's")


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The tiers that hold; a test may change them."""
    holding: set[str] = {"landlock", "namespace"}

    def problem_of(confinement: Confinement) -> str | None:
        return None if confinement.tier in holding else "this kernel has none"

    monkeypatch.setattr(isolation, "problem_of", problem_of)
    return holding


@linux
@pytest.mark.parametrize(("release", "told"), [("6.11.0-1018-azure", 1), ("6.12.1", 0), ("7.0", 0)])
def test_what_an_old_kernel_lacks_is_named(
    release: str, told: int, holding: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=release))
    notes = isolation.choose("auto", COURSE).notes
    assert len(notes) == told
    assert all("signals to processes" in note for note in notes)


@pytest.mark.parametrize(
    ("wanted", "holds", "tier"),
    [
        ("none", {"landlock", "namespace"}, "none"),
        ("auto", {"landlock", "namespace"}, "landlock"),
        ("auto", {"namespace"}, "none"),
        ("best", {"landlock", "namespace"}, "namespace"),
        ("best", {"landlock"}, "landlock"),
        ("best", set(), "none"),
        ("landlock", {"landlock"}, "landlock"),
        ("namespace", {"namespace"}, "namespace"),
    ],
)
def test_the_best_that_holds_is_taken(
    wanted: isolation.Wanted, holds: set[str], tier: str, holding: set[str]
) -> None:
    holding.intersection_update(holds)
    chosen = isolation.choose(wanted, COURSE)
    assert chosen.tier == tier
    tried = isolation._CANDIDATES[wanted]
    notes = [each for each in chosen.notes if "cannot be had" in each]
    assert len(notes) == len(tried[: tried.index(tier)] if tier in tried else tried)
    assert all("cannot be had here: this kernel has none." in each for each in notes)


@pytest.mark.parametrize("wanted", ["landlock", "namespace"])
def test_a_tier_asked_for_by_name_is_had_or_refused(
    wanted: isolation.Wanted, holding: set[str]
) -> None:
    holding.clear()
    with pytest.raises(NotIsolated, match=f"Isolation {wanted} cannot be had here"):
        isolation.choose(wanted, COURSE)


def test_debugging_has_the_terminal_and_no_isolation(holding: set[str]) -> None:
    chosen = isolation.choose("auto", COURSE, debugging="a breakpoint needs it")
    assert chosen == Isolation(UNCONFINED, chosen.notes)
    assert "breakpoint" in chosen.notes[0]
    assert (
        isolation.choose("landlock", COURSE, debugging="a breakpoint needs it").tier == "landlock"
    )


# --- the probe ------------------------------------------------------------------------------------


@linux
def test_without_a_tier_every_forbidden_act_succeeds() -> None:
    """Else the probe would prove nothing."""
    problem = isolation._probe(Confinement("none", str(COURSE)))
    assert problem is not None
    source = isolation._PROBE.read_text(encoding="utf-8")
    acts = source.partition("FORBIDDEN = (")[2].partition(")")[0].split(",")
    names = [name for act in acts if (name := act.partition("#")[0].strip().replace("_", " "))]
    assert len(names) == 19
    # Of another's limits and files root alone may always be the master.
    missing = [name for name in names if name not in problem]
    assert missing == []


@linux
def test_a_probe_that_cannot_be_read_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = tmp_path / "noise.py"
    noise.write_text("print('noise')\n", encoding="utf-8")
    monkeypatch.setattr(isolation, "_PROBE", noise)
    problem = isolation._probe(Confinement("none", str(COURSE)))
    assert problem == "the probe wrote no report"


@linux
@pytest.mark.parametrize("abi", tiers.LANDLOCKS)
def test_landlock_holds_with_old_kernels(abi: int) -> None:
    tiers.require("landlock")
    assert isolation._probe(tiers.confinement("landlock", abi)) is None


@linux
def test_a_namespace_holds() -> None:
    assert isolation._probe(tiers.require("namespace")) is None


# --- the memory -----------------------------------------------------------------------------------


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str | None]:
    """What the next probes find, taken from the front; a user's cache folder is there."""
    found: list[str | None] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(isolation, "_probe", lambda confinement: found.pop(0))
    monkeypatch.delenv("LAB_FORK", raising=False)
    return found


@linux
def test_what_holds_is_tried_once(
    probes: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    probes.append(None)
    wanted = Confinement("landlock", str(COURSE))
    assert isolation.problem_of(wanted) is None
    assert isolation.problem_of(wanted) is None
    assert probes == []
    probes += ["it is another", "so is this"]
    assert isolation.problem_of(wanted._replace(landlock_abi=1)) == "it is another"
    monkeypatch.setattr(isolation, "_SOURCES", ("protocol",))  # as if the lab had changed
    assert isolation.problem_of(wanted) == "so is this"


@linux
def test_what_does_not_hold_is_tried_again(probes: list[str | None]) -> None:
    """A submission without a tier could write there, and weaken the next run."""
    probes += ["it failed", None]
    wanted = Confinement("landlock", str(COURSE))
    assert isolation.problem_of(wanted) == "it failed"
    assert isolation.problem_of(wanted) is None


@linux
@pytest.mark.parametrize("content", ["", "{", "3", '["x"]'])
def test_a_damaged_memory_is_none(content: str, probes: list[str | None], tmp_path: Path) -> None:
    (tmp_path / "ml-api-lab").mkdir()
    (tmp_path / "ml-api-lab" / "isolation.json").write_text(content)
    probes.append(None)
    assert isolation.problem_of(Confinement("landlock", str(COURSE))) is None
    assert len(json.loads((tmp_path / "ml-api-lab" / "isolation.json").read_text())) >= 1


@linux
def test_no_cache_folder_is_made(
    probes: list[str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    probes += [None, None]
    for _ in range(2):
        assert isolation.problem_of(Confinement("landlock", str(COURSE))) is None
    assert os.listdir(tmp_path) == []


# --- a run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["none", "landlock", "namespace"])
def test_a_run_names_its_tier(tier: Tier, course: Course) -> None:
    if tier != "none":
        tiers.require(tier)
    result = course.run("--tree=solutions", f"--isolation={tier}")
    assert result.report is not None, result.text
    assert (result.score, result.report["isolation"]) == ((20, 20), tier)
    assert f", isolation {tier}, checks " in result.text


def test_a_run_that_cannot_have_its_tier_grades_nothing(course: Course) -> None:
    """Here it cannot, since nothing is forked; on other systems than Linux it never can."""
    first = course.run("--tree=solutions", "--isolation=none")
    assert first.report is not None
    refused = course.run("--tree=solutions", "--isolation=landlock", LAB_FORK="0")
    assert (refused.status, refused.report) == (4, None)
    assert "Isolation landlock cannot be had here" in refused.text
    assert "Nothing was graded" in refused.text
    weaker = course.run("--tree=solutions", "--isolation=best", LAB_FORK="0")
    assert weaker.report is not None
    assert (weaker.score, weaker.report["isolation"]) == ((20, 20), "none")
    assert weaker.text.count("cannot be had here") == 2
