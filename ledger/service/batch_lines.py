"""A batch's lines taken apart: the part of reading a batch that costs most, behind a port.

`PythonLines` does it with the product's own parser, `ledger.native` with compiled code; both answer the same of the
same bytes, and pass the same tests. What is said of events is exact: the lines are canonical, all that events have for
themselves is well formed, and each event follows the one before. What events claim is for the caller to check, in one
line of each kind; an event is of a kind if it claims the same in the same second.
"""

from __future__ import annotations

from array import array
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import msgspec

from ledger.domain.commitment import SALT_BYTES
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import check_own, claims_of
from ledger.log.tree import leaf_hash
from ledger.service.batch_events import canonical_events
from ledger.service.batch_wire import split_lines
from ledger.service.intake import pairing_keys
from ledger.service.pieces import Pieces, pieces
from ledger.service.stored_batches import joined_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.event_templates import Exchange
    from ledger.domain.event_v1 import EventV1

_encode: Final = msgspec.json.Encoder(order="sorted").encode
MAX_KINDS: Final = 4_096


@dataclass(frozen=True, slots=True)
class Committed:
    """What follows from a batch's events and their salts, without any binding."""

    keys: bytes
    """Each event's pairing key, as uint64 of this machine."""
    others: bytes
    """For each event the hashes of its groups ``detail`` and ``exchange``."""
    ids: Pieces
    correlations: Pieces
    """Ids and correlations as JSON."""
    lines: bytes
    """From `joined_lines`."""


class BatchLines(Protocol):
    """The lines of a batch whose events are canonical, well formed in themselves, and follow each other."""

    @property
    def count(self) -> int: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def first_prev(self) -> str: ...
    @property
    def latest_ms(self) -> int:
        """The latest time at which an event occurred."""
        ...

    @property
    def examples(self) -> Sequence[bytes]:
        """A line of each kind."""
        ...

    @property
    def kind_of(self) -> bytes:
        """For each event the place of its kind, as uint16 of this machine."""
        ...

    @property
    def digests(self) -> bytes: ...

    def commit(self, reporter: str, exchanges: Sequence[Exchange], salts: bytes) -> Committed:
        """Return what follows from the events.

        Args:
            reporter: Whom all events are from.
            exchanges: For each kind what its events have in common; the examples were checked.
            salts: 96 bytes for each event.
        """
        ...


TakeApart: TypeAlias = "Callable[[bytes], BatchLines | None]"
"""Takes the lines of a body apart; None if they are not the usual ones."""


@dataclass(frozen=True, slots=True)
class PythonLines:
    """`BatchLines` by the product's own parser."""

    events: Sequence[EventV1]
    lines: Sequence[bytes]
    count: int
    first_seq: int
    first_prev: str
    latest_ms: int
    examples: Sequence[bytes]
    kind_of: bytes
    digests: bytes

    @classmethod
    def of(cls, text: bytes) -> PythonLines | None:
        """Take lines apart; None if they are not canonical, or an event is not well formed or out of place."""
        try:
            lines = split_lines(text)
            events = canonical_events(lines)
            if events is None:
                return None
            for event in events:
                check_own(event)
        except InvalidInputError:
            return None
        digests = [leaf_hash(line) for line in lines]
        if not _follow(events, digests):
            return None
        kinds: dict[tuple[tuple[object, ...], int], int] = {}
        kind_of = [kinds.setdefault((claims_of(one), one.occurred_at_ms // 1000), len(kinds)) for one in events]
        if len(kinds) > MAX_KINDS:
            return None
        return cls(
            events,
            lines,
            count=len(events),
            first_seq=events[0].reporter_seq,
            first_prev=events[0].prev_hash,
            latest_ms=max(event.occurred_at_ms for event in events),
            examples=[lines[kind_of.index(kind)] for kind in range(len(kinds))],
            kind_of=array("H", kind_of).tobytes(),
            digests=b"".join(digests),
        )

    def commit(self, reporter: str, exchanges: Sequence[Exchange], salts: bytes) -> Committed:
        """Return what follows from the events; see `BatchLines`."""
        del reporter  # Each event names it.
        kind_of = array("H")
        kind_of.frombytes(self.kind_of)
        texts = [b64encode(salt) for salt in pieces(salts, SALT_BYTES)]
        others = [
            exchanges[kind].hashes(event, detail, exchange)
            for event, kind, detail, exchange in zip(self.events, kind_of, texts[1::3], texts[2::3], strict=True)
        ]
        return Committed(
            keys=array("Q", pairing_keys(self.events)).tobytes(),
            others=b"".join(others),
            ids=Pieces.of([_encode(event.id) for event in self.events]),
            correlations=Pieces.of([_encode(event.correlation) for event in self.events]),
            lines=joined_lines(self.lines),
        )


def _follow(events: Sequence[EventV1], digests: Sequence[bytes]) -> bool:
    """Say whether the events follow each other, wherever the first one stands."""
    first = events[0].reporter_seq
    if [event.reporter_seq for event in events] != list(range(first, first + len(events))):
        return False
    return [event.prev_hash for event in events[1:]] == [digest.hex() for digest in digests[:-1]]
