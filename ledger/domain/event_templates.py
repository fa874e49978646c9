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

from ledger.domain.event_groups import event_groups, exchange_group

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
class Exchange:
    """The constant bytes of the group ``exchange``, which follow from what an event claims alone."""

    before_time: bytes
    after_time: bytes

    def hashes(self, event: EventV1, detail_salt: bytes, exchange_salt: bytes) -> bytes:
        """Return the leaf hashes of the groups ``detail`` and ``exchange``, one after the other; salts in base64."""
        detail = sha256(
            _OPEN
            + detail_salt
            + _DETAIL
            + _encode(event.correlation)
            + b',"size":%d,"source":' % event.size
            + _encode(event.source)
            + b"}]"
        ).digest()
        exchange = sha256(
            _OPEN + exchange_salt + self.before_time + b"%d" % event.occurred_at_ms + self.after_time
        ).digest()
        return detail + exchange


@dataclass(frozen=True, slots=True)
class Template:
    """The constant bytes of the group ``binding``, and those of ``exchange``."""

    before_id: bytes
    after_id: bytes
    after_prev: bytes
    after_seq: bytes
    exchange: Exchange

    def root(self, event: EventV1, salts: tuple[bytes, bytes, bytes]) -> bytes:
        """Return the root of `commit_event` for an event of this template.

        Args:
            event: A checked event that claims and is bound as the template's.
            salts: In base64, for binding, detail and exchange.
        """
        others = self.exchange.hashes(event, salts[1], salts[2])
        return self.root_with(salts[0], _encode(event.id), event.prev_hash.encode(), event.reporter_seq, others)

    def root_with(self, salt: bytes, event_id: bytes, prev_hash: bytes, seq: int, others: bytes) -> bytes:
        """Return the root for an event whose other groups are hashed already.

        Args:
            salt: The salt of the group ``binding``, in base64.
            event_id: The event's id as JSON.
            prev_hash: The digest of the event before in hex.
            seq: The event's number in its stream.
            others: From `Exchange.hashes`.
        """
        binding = sha256(
            b"%b%b%b%b%b%b%b%d%b"
            % (
                _OPEN,
                salt,
                self.before_id,
                event_id,
                self.after_id,
                prev_hash,
                self.after_prev,
                seq,
                self.after_seq,
            )
        ).digest()
        return sha256(b"\x01" + sha256(b"\x01" + binding + others[:32]).digest() + others[32:]).digest()


def exchange_of(event: EventV1) -> Exchange:
    """Return the template of the group ``exchange`` of all events that claim what this one does."""
    exchange = exchange_group(event)
    return Exchange(
        _EXCHANGE + _before(exchange, "occurred_at_ms"),
        _after(exchange, "occurred_at_ms") + b"]",
    )


def template_of(event: EventV1, binding: Binding) -> Template:
    """Return the template of all events that claim what this one does and are bound like it."""
    bound = event_groups(event, binding)["binding"]
    return Template(
        before_id=_BINDING + _before(bound, "id"),
        after_id=_between(bound, "id", "prev_hash") + b'"',
        after_prev=b'"' + _between(bound, "prev_hash", "reporter_seq"),
        after_seq=_after(bound, "reporter_seq") + b"]",
        exchange=exchange_of(event),
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
