"""Who is who: words as they are compared."""

from __future__ import annotations

import pytest

from ml_api_class.export.people import match, people_of, plain
from ml_api_class.journal.records import Person, Standing, State, Submission


@pytest.mark.parametrize(
    "written", ["Zoë Ångström", "zoe angstrom", "Angstrom, Zoe", "  ÅNGSTRÖM,ZOË "]
)
def test_a_name_is_the_same_in_any_order_and_case(written: str) -> None:
    assert plain(written) == "angstrom zoe"


def standing(id_: str, **person: object) -> Standing:
    return Standing(Submission(id_, Person(**person), {}), State.GRADED)  # type: ignore[arg-type]  # the test says which


def test_a_surer_kind_decides_between_two_of_one_name() -> None:
    rows = {
        1: {"id": frozenset({"a1"}), "name": frozenset({"doe jo"})},
        2: {"id": frozenset({"a2"}), "name": frozenset({"doe jo"})},
    }
    found = match([standing("a2", name="Jo Doe"), standing("a1", name="Doe, Jo")], rows)
    assert {number: each.submission.id for number, each in found.rows.items()} == {1: "a1", 2: "a2"}
    assert (found.unknown, found.ambiguous) == ((), ())


def test_a_group_is_its_members() -> None:
    group = standing("a+b", name="A, B", members=("a", "b"))
    assert [id_ for id_, _ in people_of(group)] == ["a", "b"]
