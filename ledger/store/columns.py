"""Column types and the columns that every row of the index has.

``Uint64`` is the one place that knows how a uint64 of the contracts is stored: eight bytes, big end first.
They sort as the numbers do, on SQLite and on PostgreSQL, whose integers end at 2^63 - 1. Numbers that the
follower bounds (blocks, log indices, times of blocks, indices of leaves) are plain integers.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

UINT64_BYTES: Final = 8


class Bytes(sa.LargeBinary):
    """Bytes as the drivers take and give them: wrapping each of them took a third of the time of writing a row."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> None:
        """Hand bytes over as they are."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> None:
        """Take bytes as they are."""


class Uint64(TypeDecorator[int]):
    """A uint64 as eight big-endian bytes."""

    impl = Bytes(UINT64_BYTES)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> bytes | None:  # noqa: ARG002
        """Return the stored form."""
        return None if value is None else value.to_bytes(UINT64_BYTES, "big")

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """Return the number; bytes of another length are no number of ours and read as -1, which nothing equals."""
        if value is None:
            return None
        return int.from_bytes(value, "big") if isinstance(value, bytes) and len(value) == UINT64_BYTES else -1


class TextId(TypeDecorator[int]):
    """The id of a text in the table ``texts``: the same few names stand in every fact and in most of its indexes."""

    impl = sa.BigInteger
    cache_ok = True


def key_of(value: bytes | str) -> int:
    """Return what a long value is looked up by: 64 bits of a hash, as a signed integer. The value decides then."""
    data = value.encode() if isinstance(value, str) else value
    return int.from_bytes(sha256(data).digest()[:8], "big", signed=True)


def text_id(name: str) -> sa.Column[int]:
    """Return a column of a text by its id."""
    return sa.Column(name, TextId, nullable=False)


def hash32(name: str, **options: Any) -> sa.Column[bytes]:
    """Return a column of 32 bytes."""
    return sa.Column(name, Bytes(32), nullable=False, **options)


def address(name: str, **options: Any) -> sa.Column[bytes]:
    """Return a column of 20 bytes."""
    return sa.Column(name, Bytes(20), nullable=False, **options)


def integer(name: str, **options: Any) -> sa.Column[int]:
    """Return a column of an integer below 2^63."""
    return sa.Column(name, sa.BigInteger, nullable=False, **options)


def uint64(name: str, **options: Any) -> sa.Column[int]:
    """Return a column of any uint64."""
    return sa.Column(name, Uint64, nullable=False, **options)


def text(name: str, **options: Any) -> sa.Column[str]:
    """Return a column of text."""
    return sa.Column(name, sa.Text, nullable=False, **options)


def flag(name: str) -> sa.Column[bool]:
    """Return a column of true or false."""
    return sa.Column(name, sa.Boolean, nullable=False)


def placed(*, key: bool = False) -> tuple[sa.Column[Any], ...]:
    """Return the columns that say which event a row came from, when it counts, and when it was recorded.

    Args:
        key: The place is (part of) the table's key.
    """
    return (
        integer("block", primary_key=key, autoincrement=False),
        integer("log_index", primary_key=key, autoincrement=False),
        hash32("block_hash"),
        hash32("tx_hash"),
        integer("recorded_at"),
        uint64("valid_from"),
        uint64("valid_to"),
    )
