"""The record of a check: what a submission says of places in its source."""

from __future__ import annotations

import pytest

from tests.support.faults import (
    SERVE,
    SPEAK_ON_LINK,
    Fault,
    Outcomes,
    app,
    expect_fault,
    possible_here,
)

FAULTS = {
    "raises in a file of no possible name": Fault(
        app(
            "place = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'x' * 300)\n"
            "exec(compile('raise KeyError', place, 'exec'))"
        ),
        "The status is wrong.",
        SERVE,
    ),
    "tells of a line that is no number": Fault(
        app(
            "frames = [[os.path.abspath(__file__), '\u00b2', 'app', '']]\n"
            "say(kind='problem', stage='request', request=1, type='A', text='', frames=frames)\n"
            "raise KeyError",
            SPEAK_ON_LINK,
        ),
        "The status is wrong.",
        SERVE,
    ),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return Outcomes(tmp_path_factory.mktemp("faults"), FAULTS)


@pytest.mark.parametrize("name", possible_here(FAULTS))
def test_fault(name: str, outcomes: Outcomes) -> None:
    expect_fault(outcomes.forked[name], FAULTS[name])
