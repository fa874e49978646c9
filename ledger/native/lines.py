"""`BatchLines` by compiled code: scanned, checked and hashed outside Python's lock.

What is not plain ASCII in an event's own fields is looked at here once more, by the product's own parser, and so are
pairing keys of events without a correlation.
"""

from __future__ import annotations

import ctypes
from array import array
from typing import TYPE_CHECKING

import msgspec

from ledger.domain import canonical
from ledger.domain.codes import Side
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import check_own, encode_event, read_line
from ledger.native.library import Bytes, Event, Exchange, Found, library, within
from ledger.service.batch_lines import MAX_KINDS, Committed
from ledger.service.event_batches import MAX_BATCH_EVENTS
from ledger.service.intake import pairing_keys, pairing_start
from ledger.service.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain import event_templates
    from ledger.domain.event_v1 import EventV1

_HASH = 32


class NativeLines:
    """`ledger.service.batch_lines.BatchLines`."""

    def __init__(
        self,
        library: ctypes.CDLL,
        text: bytes,
        events: ctypes.Array[Event],
        digests: bytes,
        found: Found,
        kind_of: bytes,
        examples: Sequence[int],
        unusual: dict[int, EventV1],
    ) -> None:
        """Use ``NativeLines.of``."""
        first = events[0]
        self.count: int = found.count
        self.first_seq: int = first.seq_number
        self.first_prev = text[first.prev + 1 : first.prev_end - 1].decode()
        self.latest_ms: int = found.latest_ms
        self.kind_of = kind_of
        self.digests = digests
        self.examples = [text[events[place].start : events[place].end] for place in examples]
        self._library = library
        self._text = text
        self._events = events
        self._unusual = unusual

    @classmethod
    def of(cls, text: bytes) -> NativeLines | None:
        """Take lines apart; None if they are not canonical, or an event is not well formed or out of place."""
        loaded = library()
        if loaded is None:
            return None
        room = min(text.count(b"\n") + 1, MAX_BATCH_EVENTS)
        events = (Event * room)()
        digests = bytearray(_HASH * room)
        kind_of, unusual, examples = (
            array("H", bytes(2 * room)),
            array("I", bytes(4 * room)),
            array("I", bytes(4 * MAX_KINDS)),
        )
        found = Found()
        if loaded.qz_scan(
            text, len(text), events, within(digests), kind_of.buffer_info()[0], unusual.buffer_info()[0], room,
            examples.buffer_info()[0], MAX_KINDS, found,
        ):  # fmt: skip
            return None
        looked_at = {}
        for place in unusual[: found.unusual]:
            event = _checked(text[events[place].start : events[place].end])
            if event is None:
                return None
            looked_at[place] = event
        return cls(
            loaded,
            text,
            events,
            bytes(digests[: _HASH * found.count]),
            found,
            kind_of[: found.count].tobytes(),
            examples[: found.kinds],
            looked_at,
        )

    def commit(self, reporter: str, exchanges: Sequence[event_templates.Exchange], salts: bytes) -> Committed:
        """Return what follows from the events; see `BatchLines`."""
        count, size = self.count, len(self._text)
        shared = (Exchange * len(exchanges))(
            *(
                Exchange(Bytes.of(one.before_time), Bytes.of(one.after_time), read_line(line).side is Side.PROVIDER)
                for one, line in zip(exchanges, self.examples, strict=True)
            )
        )
        keys, ends = array("Q", bytes(8 * count)), array("I", bytes(8 * count))
        others, ids, correlations = bytearray(64 * count), bytearray(size), bytearray(size)
        lines = bytearray(4 * (count + 1) + self._lines_bytes())
        self._library.qz_commit(
            self._text, size, self._events, count, shared, len(exchanges), Bytes.of(pairing_start(reporter)), salts,
            keys.buffer_info()[0], within(others), within(ids), within(correlations), ends.buffer_info()[0],
            within(lines), len(lines),
        )  # fmt: skip
        for place, event in self._unusual.items():
            keys[place] = pairing_keys([event])[0]
        return Committed(
            keys.tobytes(),
            bytes(others),
            Pieces(bytes(ids[: ends[count - 1]]), ends[:count].tobytes()),
            Pieces(bytes(correlations[: ends[2 * count - 1]]), ends[count:].tobytes()),
            bytes(lines),
        )

    def _lines_bytes(self) -> int:
        """Return the bytes of all lines, without their ends."""
        return len(self._text) - (self.count - 1) - (1 if self._text.endswith(b"\n") else 0)


def _checked(line: bytes) -> EventV1 | None:
    """Return the event of a line in full, None if it is not canonical and well formed."""
    try:
        event = read_line(line)
        if len(line) > canonical.MAX_ENTRY_BYTES or encode_event(event) != line:
            return None
        check_own(event)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, InvalidInputError):
        return None
    return event
