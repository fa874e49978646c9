"""The outer shape of import files: what is read, what is rejected and where."""

from __future__ import annotations

import json

import pytest

from ledger.domain.errors import InvalidInputError
from ledger.service.importing.source_file import Rejection, read_records, text_of


def test_list_object_and_lines_give_the_same_records() -> None:
    """A list, an object that holds it and one object a line are read alike."""
    records = [{"a": 1}, {"a": "x"}]
    as_list = json.dumps(records).encode()
    as_object = json.dumps({"records": records}).encode()
    as_lines = "\n".join(json.dumps(record) for record in records).encode()
    assert read_records(as_list, "records") == read_records(as_object, "records") == read_records(as_lines, "records")
    assert read_records(as_list, "records") == records


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "file"),
        (b"  \n", "file"),
        (b"\xff\xfe", "byte 0"),
        (b"{", "file"),
        (b'{"other": []}', "file"),
        (b"17", "file"),
        (b"[NaN]", "file"),
        (b"[" * 100_000, "file"),
    ],
)
def test_file_that_holds_no_records_is_refused_naming_the_place(data: bytes, field: str) -> None:
    """A file that cannot be read as a whole is one error, not many rejections."""
    with pytest.raises(InvalidInputError) as caught:
        read_records(data, "records")
    assert caught.value.field == field


def test_bad_records_are_rejected_in_their_place_and_good_ones_kept() -> None:
    """Record numbers count from 1 over good and bad alike."""
    data = b'[{"name":"a"}, 5, {"name":"b","name":"c"}, {"name":7}, {"name":"d"}]'
    results = read_records(data, "records")
    rejected = [result for result in results if isinstance(result, Rejection)]
    assert [results.index(result) + 1 for result in rejected] == [2, 3]
    assert [(result.record, result.field) for result in rejected] == [(2, "record"), (3, "name")]
    assert [result["name"] for result in results if isinstance(result, dict)] == ["a", 7, "d"]


def test_fractions_are_kept_as_text_and_large_integers_rejected_by_their_field() -> None:
    """No float reaches a record, and no integer is read by two readers as two numbers."""
    kept, *rejected = read_records(
        b'[{"f": 1670665587.68073}, {"n": 9007199254740992}, {"a": {"m": [-1, 12345678901234567890]}}]', "records"
    )
    assert kept == {"f": "1670665587.68073"}
    assert [(found.record, found.field) for found in rejected if isinstance(found, Rejection)] == [(2, "n"), (3, "m")]


def test_names_in_either_normal_form_are_one_name() -> None:
    """Decomposed letters are composed, so that one body has one id."""
    composed, decomposed = ({"name": "Skellefte\u00e5"}, {"name": " Skelleftea\u030a "})
    assert text_of(composed, "name") == text_of(decomposed, "name")
