"""The record of a check: what a submission says of places in its source."""

from __future__ import annotations

from tests.support.faults import SERVE, SPEAK_ON_LINK, Fault, app, each_fault

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


test_fault = each_fault(FAULTS)
