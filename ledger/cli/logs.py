"""Where the program's own log goes: standard error, so that standard output holds results alone.

Verbs tell of warnings only; ``quanze up`` tells what it does, one JSON object a line where nobody watches.
"""

from __future__ import annotations

import logging
import sys

import structlog


def log_warnings() -> None:
    """Let verbs tell of warnings and errors."""
    _configure(logging.WARNING, as_json=False)


def log_service() -> None:
    """Let the service tell of its starts, stops and what happens by itself."""
    _configure(logging.INFO, as_json=not sys.stderr.isatty())


def _configure(level: int, *, as_json: bool) -> None:
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
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if as_json else structlog.processors.StackInfoRenderer(),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
