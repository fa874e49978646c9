"""Ledger times never decrease, whatever the machine's clock does; and a clock that is far back is not believed.

A clock that is set back a little costs nothing: events get the time of the newest one until it has caught up. One that
is far back would give every event of an hour one time, so it is refused until somebody has looked at it.
"""

from __future__ import annotations

import structlog

from ledger.domain.errors import UnavailableError

_LOG = structlog.get_logger("clock")


class ClockBackError(UnavailableError):
    """The machine's clock is further behind the newest event's time than is let pass."""

    code = "clock_went_back"
    meaning = "The machine's clock is far behind the newest accepted event's time; no event is accepted meanwhile."
    remedy = (
        "Set the clock right (is time synchronisation on?). If the newest event's time was wrong instead, raise "
        "`QUANZE_CLOCK_BACK_MAX_S` until the clock has passed it."
    )


def ledger_time(now_ms: int, last_ms: int, *, back_max_s: int) -> int:
    """Return the time of an event that is accepted now, after one that was accepted at ``last_ms``.

    Raises:
        ClockBackError: The clock is more than ``back_max_s`` behind.
    """
    behind_ms = last_ms - now_ms
    if behind_ms <= 0:
        return now_ms
    if behind_ms > back_max_s * 1000:
        raise ClockBackError(
            "clock",
            f"it is {behind_ms / 1000:.1f} s behind the newest event's time",
            now_ms=now_ms,
            last_ms=last_ms,
            allowed_s=back_max_s,
        )
    _tell_once(last_ms, now_ms)
    return last_ms


class _Told:
    """The newest event's time for which the log has said that the clock is behind."""

    last_ms = 0


def _tell_once(last_ms: int, now_ms: int) -> None:
    """Log how far the clock is behind: once, since all events have the newest one's time until it has caught up."""
    if _Told.last_ms != last_ms:
        _Told.last_ms = last_ms
        _LOG.warning("clock_behind", behind_ms=last_ms - now_ms, now_ms=now_ms, last_ms=last_ms)
