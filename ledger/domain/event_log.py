"""Between an event record and the log's raw topics and data, strictly both ways.

The decoder of each event class is built once from its shape; static events, which are nearly all, are read
word by word without going through the general ABI decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from ledger.domain import abi
from ledger.domain.errors import InvalidInputError
from ledger.domain.keccak import keccak256_text
from ledger.domain.record import ArrayType, FieldShape, FieldType, Record, RecordType, is_dynamic, shape
from ledger.domain.scalars import WORD_BYTES, Scalar, decode_word, encode_word

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Event(Record):
    """The base of contract events."""

    @classmethod
    def from_log(cls, topics: Sequence[bytes], data: bytes) -> Self:
        """Decode a log of this event.

        Raises:
            InvalidInputError: another event, or bytes that the contract would not emit.
        """
        layout = _layout(cls)
        name = cls.__name__
        if len(topics) != len(layout.topics) + 1 or topics[0] != layout.topic0:
            raise InvalidInputError(
                name, b"".join(topics), f"topic {layout.topic0.hex()} and {len(layout.topics)} more"
            )
        if layout.static_bytes == len(data):
            words = [data[start : start + WORD_BYTES] for start in range(0, len(data), WORD_BYTES)]
            values = [_word(field, word, name) for field, word in zip(layout.data, words, strict=True)]
        elif layout.static_bytes >= 0:
            raise InvalidInputError(name, data, f"{layout.static_bytes} bytes of data")
        else:
            values = abi.decode_values([(field.name, field.type) for field in layout.data], data, name)
        indexed = [_word(field, topic, name) for field, topic in zip(layout.topics, topics[1:], strict=True)]
        merged = indexed + values
        return cls(*(merged[place] for place in layout.order))

    def to_log(self) -> tuple[tuple[bytes, ...], bytes]:
        """Return the topics and data as the contract emits them."""
        layout = _layout(type(self))
        topics = tuple(encode_word(getattr(self, field.name)) for field in layout.topics)
        data = abi.encode_values([(field.type, getattr(self, field.name)) for field in layout.data])
        return (layout.topic0, *topics), data


E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E_co]):
    """An event with its place on the chain; ``timestamp`` is the block's, in seconds."""

    event: E_co
    block: int
    block_hash: bytes
    timestamp: int
    tx_hash: bytes
    tx_index: int
    log_index: int
    address: bytes

    @property
    def position(self) -> tuple[int, int]:
        """Order on the chain: block, then log index within the block."""
        return self.block, self.log_index


def signature(event: type[Event]) -> str:
    """Return the event's Solidity signature, as ``AgreementActivated(bytes32,uint32)``."""
    return f"{event.__name__}({','.join(_abi_name(field.type) for field in shape(event))})"


def topic0(event: type[Event]) -> bytes:
    """Return keccak256 of the event's signature."""
    return _layout(event).topic0


@dataclass(frozen=True, slots=True)
class _Layout:
    topic0: bytes
    topics: tuple[FieldShape, ...]
    data: tuple[FieldShape, ...]
    order: tuple[int, ...]
    static_bytes: int
    """Bytes of data when every data field is one word, -1 otherwise."""


_layouts: Final[dict[type[Event], _Layout]] = {}


def _layout(event: type[Event]) -> _Layout:
    known = _layouts.get(event)
    if known is None:
        fields = shape(event)
        topics = tuple(field for field in fields if field.indexed)
        data = tuple(field for field in fields if not field.indexed)
        places = {field.name: place for place, field in enumerate(topics + data)}
        static = not any(is_dynamic(field.type) or isinstance(field.type, RecordType) for field in data)
        known = _layouts[event] = _Layout(
            topic0=keccak256_text(signature(event)),
            topics=topics,
            data=data,
            order=tuple(places[field.name] for field in fields),
            static_bytes=len(data) * WORD_BYTES if static else -1,
        )
    return known


def _word(field: FieldShape, word: bytes, name: str) -> object:
    if not isinstance(field.type, Scalar):
        raise InvalidInputError(f"{name}.{field.name}", word, "a scalar (the layout is wrong)")
    return decode_word(field.type, word, field.name)


def _abi_name(field_type: FieldType) -> str:
    match field_type:
        case Scalar():
            return field_type.solidity
        case ArrayType():
            return _abi_name(field_type.element) + "[]"
        case RecordType():
            return f"({','.join(_abi_name(field.type) for field in shape(field_type.record))})"
