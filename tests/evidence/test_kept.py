"""What is kept of pure functions: the same answers, nothing long, and no refusal."""

from __future__ import annotations

import pytest

from ledger.domain.errors import VerificationError
from ledger.evidence.kept import keep, keep_of
from ledger.evidence.signature import recover

LONG = 4097


class Counted:
    """A function of bytes that counts its calls and refuses some."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []

    def __call__(self, data: bytes) -> tuple[int, bytes]:
        self.calls.append(data)
        if data.startswith(b"bad"):
            raise VerificationError("test", "bad bytes")
        return len(data), data


def test_the_same_bytes_are_read_once() -> None:
    function = Counted()
    read = keep(function)
    assert read(b"one") == read(b"one") == (3, b"one")
    assert read(b"two") == (3, b"two")
    assert function.calls == [b"one", b"two"]


def test_what_is_long_is_not_kept() -> None:
    function = Counted()
    read = keep(function)
    assert read(bytes(LONG)) == read(bytes(LONG))
    assert len(function.calls) == 2


def test_a_refusal_is_made_again_each_time() -> None:
    function = Counted()
    read = keep(function)
    for _ in range(2):
        with pytest.raises(VerificationError, match="bad bytes"):
            read(b"bad")
    assert function.calls == [b"bad", b"bad"]


def test_the_name_counts_as_well_as_the_bytes() -> None:
    function = Counted()
    read = keep_of(lambda name, data: (name, function(data)))
    assert read("one", b"x") == ("one", (1, b"x"))
    assert read("two", b"x") == ("two", (1, b"x"))
    assert read("one", b"x") == ("one", (1, b"x"))
    assert read("one", bytes(LONG)) == read("one", bytes(LONG))
    assert len(function.calls) == 4


def test_what_is_kept_is_bounded() -> None:
    function = Counted()
    read = keep(function)
    for number in range(1_025):
        read(b"%d" % number)
    read(b"1024")
    assert len(function.calls) == 1_025
    read(b"0")
    assert function.calls[-1] == b"0"


def test_a_signature_that_is_none_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(VerificationError, match="65 bytes"):
            recover(bytes(32), bytes(64))
