"""Where the program's own log goes: standard error, so that standard output holds results alone.

Verbs tell of warnings only; ``quanze up`` tells what it does, one JSON object a line where nobody watches.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Container


def log_warnings(told_in_result: Container[str] = ()) -> None:
    """Let verbs tell of warnings and errors, but for events that the verb's own result tells of."""
    _configure(logging.WARNING, as_json=False, left_out=told_in_result)


def log_service() -> None:
    """Let the service tell of its starts, stops and what happens by itself."""
    _configure(logging.INFO, as_json=not sys.stderr.isatty())


def _configure(level: int, *, as_json: bool, left_out: Container[str] = ()) -> None:
    def leave_out(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if event["event"] in left_out:
            raise structlog.DropEvent
        return event

    # A plain traceback: a rich one prints the frames' variables, and with them bodies and keys.
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            leave_out,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if as_json else structlog.processors.StackInfoRenderer(),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
