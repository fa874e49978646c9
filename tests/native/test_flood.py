"""Claims that are chosen to fall on one place of the compiled table are refused, not searched for hours."""

from __future__ import annotations

from hashlib import sha256

from ledger.native import lines as module
from ledger.native.lines import NativeLines
from tests.native.compiled import compiled

BLOCK = 48
SECRET = 0x8EBC6AF09C88C6E3.to_bytes(8, "little")
"""A secret of the hash: where a block holds it at byte 16, what follows it no longer counts."""
LINE = (
    b'{"agreement":"","correlation":"c","dataset":"%b","delivery":"","grant":-1,"id":"a","kind":"","occurred_at_ms":1000,'
    b'"outcome":"","prev_hash":"%b","provider":"","purpose":"","recipient":"","reporter":"","reporter_seq":%d,'
    b'"requester":"","side":"%b","size":-1,"source":{},"version":0}'
)
CLAIMED_BEFORE = (
    b'{"agreement":"","correlation":,"dataset":"","delivery":"","grant":-1,"id":,"kind":"","occurred_at_ms":,"outcome":"",'
    b'"prev_hash":,"provider":"","purpose":"","recipient":"","reporter":"","reporter_seq":,"requester":"","side":"'
)


def flood(kinds: int, *, filler: bytes) -> bytes:
    """Make lines of so many kinds whose claims differ in bytes that may count for nothing."""
    dataset = b"d" * (-len(CLAIMED_BEFORE) % BLOCK)
    lines, before = [], b"0" * 64
    for number in range(kinds):
        line = LINE % (dataset, before, number, b"x" * 16 + filler + b"%08d" % number + b"x" * 16)
        before = sha256(b"\0" + line).hexdigest().encode()
        lines.append(line)
    return b"\n".join(lines)


def test_kinds_that_collide_are_refused_while_others_of_the_shape_are_read() -> None:
    compiled()
    read = NativeLines.of(flood(module.MAX_KINDS, filler=b"zzzzzzzz"))
    assert read is not None
    assert len(read.examples) == module.MAX_KINDS
    assert NativeLines.of(flood(module.MAX_KINDS, filler=SECRET)) is None
    few = NativeLines.of(flood(60, filler=SECRET))
    assert few is not None
    assert len(few.examples) == 60
