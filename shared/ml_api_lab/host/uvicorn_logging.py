"""uvicorn's logging, set up before the fork and switched on in a host that serves.

Where it is uvicorn that serves, its loggers print. To set them up takes some milliseconds, and a
host that does not serve is to find them as they are after an import.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass

_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")


@dataclass(frozen=True)
class _SetUp:
    """What uvicorn has made of one of its loggers."""

    logger: logging.Logger
    level: int
    propagate: bool
    handlers: list[logging.Handler]


_prepared: list[_SetUp] = []


def prepare() -> None:
    """Set the loggers up as uvicorn does, and leave them as they were."""
    uvicorn = sys.modules.get("uvicorn")
    if uvicorn is None:
        return
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(each.level, each.propagate, each.handlers) for each in loggers]
    for logger in loggers:
        logger.handlers = []
    uvicorn.Config("main:app")  # sets its loggers up
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        _prepared.append(_SetUp(logger, logger.level, logger.propagate, logger.handlers))
        logger.setLevel(level)
        logger.propagate, logger.handlers = propagate, handlers


def switch_on() -> None:
    """Let the loggers print to this process's streams."""
    for each in _prepared:
        for handler in each.handlers:
            if isinstance(handler, logging.StreamHandler):
                is_output = handler.stream is sys.__stdout__
                handler.stream = sys.stdout if is_output else sys.stderr
        each.logger.handlers, each.logger.propagate = each.handlers, each.propagate
        each.logger.setLevel(each.level)
