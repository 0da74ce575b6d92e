"""Messages: each that is declared can be sent, and under a kind of its own."""

from __future__ import annotations

from ml_api_lab.protocol import link, messages


def test_every_message_has_a_kind_of_its_own() -> None:
    """What is declared is what can be sent."""
    declared = {
        name.lower()
        for name, each in vars(messages).items()
        if isinstance(each, type) and each.__module__ == messages.__name__
    }
    assert declared == link._KINDS.keys()
