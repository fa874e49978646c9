"""Many events of one kind of exchange committed to at once: the bytes of `commit_event`, from parts made once.

Events that claim the same and are bound alike differ in few places: id, number and hash of the event before in the
group ``binding``, the time in ``exchange``, and the whole of ``detail``. A `Template` holds the canonical bytes
between those places; the tests compare it with `commit_event` on any event.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain.event_groups import event_groups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.domain.binding import Binding
    from ledger.domain.event_v1 import EventV1

_encode: Final = msgspec.json.Encoder(order="sorted").encode
_OPEN: Final = b'\x00["'
_BINDING: Final = b'","binding",'
_DETAIL: Final = b'","detail",{"correlation":'
_EXCHANGE: Final = b'","exchange",'


@dataclass(frozen=True, slots=True)
class Template:
    """The constant bytes of the groups ``binding`` (four parts) and ``exchange`` (two)."""

    before_id: bytes
    after_id: bytes
    after_prev: bytes
    after_seq: bytes
    before_time: bytes
    after_time: bytes

    def root(self, event: EventV1, salts: tuple[bytes, bytes, bytes]) -> bytes:
        """Return the root of `commit_event` for an event of this template.

        Args:
            event: A checked event that claims and is bound as the template's.
            salts: In base64, for binding, detail and exchange.
        """
        binding = sha256(
            _OPEN
            + salts[0]
            + self.before_id
            + _encode(event.id)
            + self.after_id
            + event.prev_hash.encode()
            + self.after_prev
            + b"%d" % event.reporter_seq
            + self.after_seq
        ).digest()
        detail = sha256(
            _OPEN
            + salts[1]
            + _DETAIL
            + _encode(event.correlation)
            + b',"size":%d,"source":' % event.size
            + _encode(event.source)
            + b"}]"
        ).digest()
        exchange = sha256(_OPEN + salts[2] + self.before_time + b"%d" % event.occurred_at_ms + self.after_time).digest()
        return sha256(b"\x01" + sha256(b"\x01" + binding + detail).digest() + exchange).digest()


def template_of(event: EventV1, binding: Binding) -> Template:
    """Return the template of all events that claim what this one does and are bound like it."""
    groups = event_groups(event, binding)
    bound, exchange = groups["binding"], groups["exchange"]
    return Template(
        before_id=_BINDING + _before(bound, "id"),
        after_id=_between(bound, "id", "prev_hash") + b'"',
        after_prev=b'"' + _between(bound, "prev_hash", "reporter_seq"),
        after_seq=_after(bound, "reporter_seq") + b"]",
        before_time=_EXCHANGE + _before(exchange, "occurred_at_ms"),
        after_time=_after(exchange, "occurred_at_ms") + b"]",
    )


def _before(members: Mapping[str, object], key: str) -> bytes:
    """Return the canonical bytes of an object up to the value of ``key``."""
    written = _encode({name: value for name, value in members.items() if name < key})
    return written[:-1] + (b"," if len(written) > 2 else b"") + _encode(key) + b":"


def _between(members: Mapping[str, object], first: str, second: str) -> bytes:
    """Return the bytes after the value of ``first`` up to the value of ``second``."""
    written = _encode({name: value for name, value in members.items() if first < name < second})
    return b"," + written[1:-1] + (b"," if len(written) > 2 else b"") + _encode(second) + b":"


def _after(members: Mapping[str, object], key: str) -> bytes:
    """Return the bytes after the value of ``key``, up to the object's end."""
    written = _encode({name: value for name, value in members.items() if name > key})
    return (b"," if len(written) > 2 else b"") + written[1:]
