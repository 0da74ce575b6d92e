"""The sentences of errors, for tests of what they say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ml_api_lab.errors import SubmissionFault


def fault(asked: Callable[[], object]) -> str:
    with pytest.raises(SubmissionFault) as raised:
        asked()
    return str(raised.value)
