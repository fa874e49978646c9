"""A file of one record a line is read piece by piece; a document as a whole; the records are the same."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ledger.domain.errors import InvalidInputError
from ledger.service.importing import source_stream
from ledger.service.importing.source_file import Rejection
from ledger.service.importing.source_stream import MAX_LINE_BYTES, stream_records

RECORDS: list[dict[str, Any]] = [{"reference": "A", "n": 1}, {"reference": "B"}, {"reference": "C"}]


def _read(data: bytes) -> list[tuple[int, Any]]:
    return [(found.number, found.item) for found in stream_records(io.BytesIO(data), "agreements")]


WANTED = list(enumerate(RECORDS, start=1))


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(RECORDS).encode(),
        json.dumps(RECORDS, indent=2).encode(),
        json.dumps({"title": "x", "agreements": RECORDS}).encode(),
        json.dumps({"title": "x", "agreements": RECORDS}, indent=1).encode(),
        b"\xef\xbb\xbf" + json.dumps(RECORDS).encode(),
        b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS),
        b"\n\n" + b"\r\n\r\n".join(json.dumps(record).encode() for record in RECORDS),
        b"\xef\xbb\xbf" + b"\n".join(json.dumps(record).encode() for record in RECORDS),
    ],
)
def test_every_outer_shape_gives_the_same_records(data: bytes) -> None:
    assert _read(data) == WANTED


def test_one_record_alone_is_a_record() -> None:
    assert _read(b'{"reference": "A"}') == [(1, {"reference": "A"})]


def test_one_foreign_object_is_no_file_of_records_and_a_foreign_line_among_records_is_one_bad_line() -> None:
    def read(data: bytes) -> list[Any]:
        return [found.item for found in stream_records(io.BytesIO(data), "agreements", ("reference",))]

    with pytest.raises(InvalidInputError, match=r"^file: 'an object with a' .*'agreements'.* records with reference"):
        read(b'{"a": 1}\n')
    assert read(b'{"reference": ""}') == [{"reference": ""}]
    assert read(b'{"a": 1}\n{"reference": "A"}\n') == [{"a": 1}, {"reference": "A"}]


def test_a_bad_line_takes_no_good_one_with_it() -> None:
    lines = [
        b'{"reference": "A"}',
        b"{",
        b'{"a": 1, "a": 2}',
        b"\xff\xfe",
        b'{"x": NaN}',
        b"[1]",
        b'{"reference": "B"}',
    ]
    found = dict(_read(b"\n".join(lines)))
    assert (found[1], found[7]) == ({"reference": "A"}, {"reference": "B"})
    assert {number: found[number].field for number in range(2, 7)} == {
        2: "column 2",
        3: "a",
        4: "byte 0",
        5: "file",
        6: "record",
    }


def test_the_rest_of_a_line_that_is_too_long_is_no_further_record() -> None:
    long = b'{"x": "' + b"y" * (3 * MAX_LINE_BYTES) + b'"}\n'
    found = dict(_read(b'{"reference": "A"}\n' + long + b'{"reference": "B"}\n'))
    assert found[1] == {"reference": "A"}
    assert isinstance(found[2], Rejection)
    assert found[3] == {"reference": "B"}
    assert len(found) == 3


def test_a_document_longer_than_its_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_stream, "MAX_DOCUMENT_BYTES", 20)
    with pytest.raises(InvalidInputError, match="more than 20 bytes"):
        _read(json.dumps(RECORDS).encode())


def test_half_a_character_and_a_repeated_key_deep_inside_are_rejected_by_their_field() -> None:
    found = _read(b'[{"a": {"name": "\\ud800"}}, {"b": [{"c": 1, "c": 2}]}, {"\\udfff": 1}]')
    assert [(number, item.field) for number, item in found] == [(1, "name"), (2, "c"), (3, "\\udfff")]


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xff", b"null", b"{", b"[1,"])
def test_a_file_without_records_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        _read(data)
