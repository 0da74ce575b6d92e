"""What belongs to a release: one version, its description, and licences that go together."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree as Xml

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from ml_api_lab.grading import reports
from ml_api_lab.grading.grade import Outcome
from ml_api_lab.version import VERSION
from tests.support.grades import synthetic_grade
from tests.support.lab import run

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Each allows use beside code under the MIT licence: none asks that the lab change its own. Of
# MPL-2.0 that is so as long as its own files are not changed.
COMPATIBLE = re.compile(
    r"MIT|BSD|Apache|Python Software Foundation|PSF|MPL-2\.0|Mozilla Public License 2\.0|ISC|"
    r"Unlicense|Zlib|0BSD|CC0"
)
INCOMPATIBLE = re.compile(r"\b(A?GPL|LGPL|SSPL|Proprietary)|General Public License|Commercial")


def licence_of(name: str) -> str:
    """Return what a distribution says of its licence: expression, classifiers, or first line."""
    about = metadata.metadata(name)
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in about.get_all("Classifier", [])
        if each.startswith("License ::")
    ]
    [expression] = about.get_all("License-Expression") or [""]
    [free_text] = about.get_all("License") or [""]
    return expression or ", ".join(classifiers) or free_text.strip().partition("\n")[0]


def needed(requirements: list[str]) -> set[str]:
    """Return all distributions that these requirements bring in here, directly or not."""
    found: set[str] = set()
    waiting = [Requirement(each) for each in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(each) for each in metadata.requires(name) or []]
    return found


def test_the_licences_of_all_dependencies_go_with_ours() -> None:
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["class"]]
    licences = {name: licence_of(name) for name in needed(asked)}
    assert len(licences) > len(asked)
    doubtful = {
        name: licence
        for name, licence in licences.items()
        if not COMPATIBLE.search(licence) or INCOMPATIBLE.search(licence)
    }
    assert doubtful == {}
    assert PROJECT["license"] == "MIT"


def test_the_newest_change_is_that_of_this_version() -> None:
    headings = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == VERSION
    numbers = [tuple(map(int, each.split("."))) for each in headings]
    assert numbers == sorted(numbers, reverse=True)


def test_the_command_says_its_version_anywhere(tmp_path: Path) -> None:
    said = run(tmp_path, "--version")
    assert (said.status, said.out, said.err) == (0, f"ml-api-lab {VERSION}\n", "")


def test_reports_say_the_version() -> None:
    grade = synthetic_grade(list(Outcome), "text")
    assert json.loads(reports.render(grade, "json"))["version"] == VERSION
    suite = Xml.fromstring(reports.render(grade, "junit")).find("testsuite")
    assert suite is not None
    properties = suite.findall("properties/property")
    assert VERSION in [each.get("value") for each in properties if each.get("name") == "version"]
    assert f", lab {VERSION}." in reports.render(grade, "markdown")


def test_ci_runs_the_lint_environment() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    section = tox["testenv:lint"]
    lines = [each for each in section["commands"].splitlines() if each and each[0] != "#"]
    jobs = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    steps = [step["run"].strip() for step in jobs["lint"]["steps"] if "run" in step]
    assert f'".[{section["extras"].replace(" ", "")}]"' in steps[0]
    assert steps[1:] == lines
