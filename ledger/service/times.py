"""Times as people write and read them, at the edge of the use-cases.

Reading is the domain's (``ledger.domain.legal_time``: a date is a legal date, an instant has its offset);
here are the default of *now* and the way back to text, always in UTC.
"""

from __future__ import annotations

import datetime

from ledger.domain.legal_time import LEGAL_ZONE, window_end, window_start
from ledger.domain.scalars import OPEN_END


def parse_time(text: str, field: str, *, zone: str = LEGAL_ZONE) -> int:
    """Return Unix seconds of an instant, or of the start of a legal date. Raises as `window_start`."""
    return window_start(text, zone=zone, field=field)


def parse_end(text: str, field: str, *, zone: str = LEGAL_ZONE) -> int:
    """Return Unix seconds of an instant, or of the end of a legal date. Raises as `window_end`."""
    return window_end(text, zone=zone, field=field)


def iso(seconds: int) -> str:
    """Return Unix seconds as an instant in UTC; empty for an open end."""
    if seconds >= OPEN_END:
        return ""
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ001 - UTC by construction


def iso_ms(milliseconds: int) -> str:
    """Return Unix milliseconds as an instant in UTC."""
    return f"{iso(milliseconds // 1000)[:-1]}.{milliseconds % 1000:03d}Z"
