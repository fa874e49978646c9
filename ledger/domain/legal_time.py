"""Instants and legal dates, as people write them, to Unix seconds.

A date without a time is a legal date in its document's zone: a window of dates is
[first day 00:00, day after the last 00:00). An instant must carry its offset.

    window_start("2026-03-01", zone="Asia/Shanghai")          -> 1772294400
    window_end("2026-03-01", zone="Asia/Shanghai")            -> 1772380800
    window_start("2026-03-01T09:00:00+08:00", zone="…")       -> 1772326800
"""

from __future__ import annotations

import datetime
import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.domain.errors import InvalidInputError

LEGAL_ZONE: Final = "Asia/Shanghai"

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_ALLOWED: Final = "a date (2026-03-01) or an instant with its offset (2026-03-01T09:00:00+08:00), from 1970 to 9998"


def window_start(text: str, *, zone: str = LEGAL_ZONE, field: str = "starts") -> int:
    """Return Unix seconds of an instant, or of 00:00 of a legal date.

    Raises:
        InvalidInputError: neither, no such day, an instant without offset, an unknown zone, or a year out of range.
    """
    return _seconds(text, zone, field, days=0)


def window_end(text: str, *, zone: str = LEGAL_ZONE, field: str = "ends") -> int:
    """Return Unix seconds of an instant, or of 00:00 of the day after a legal date.

    Raises:
        InvalidInputError: as `window_start`.
    """
    return _seconds(text, zone, field, days=1)


def check_zone(zone: str, field: str = "zone") -> None:
    """Check that ``zone`` is an IANA time zone.

    Raises:
        InvalidInputError: it is not.
    """
    _zone(zone, field)


def _seconds(text: str, zone: str, field: str, *, days: int) -> int:
    known = _zone(zone, "zone")
    try:
        if _DATE.fullmatch(text):
            day = datetime.date.fromisoformat(text) + datetime.timedelta(days=days)
            seconds = datetime.datetime.combine(day, datetime.time(), known).timestamp()
        elif _INSTANT.fullmatch(text):
            seconds = datetime.datetime.fromisoformat(text).timestamp()
        else:
            raise InvalidInputError(field, text, _ALLOWED)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(field, text, _ALLOWED) from error
    if seconds < 0 or text >= "9999":
        raise InvalidInputError(field, text, _ALLOWED)
    return int(seconds)


def _zone(zone: str, field: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(field, zone, "an IANA time zone, as Asia/Shanghai") from error
