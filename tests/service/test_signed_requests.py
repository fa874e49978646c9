"""Records come back from what a wallet signed, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.errors import InvalidInputError
from ledger.domain.records import Grant, Propose, Terms
from ledger.domain.typed_data import Domain, as_json
from ledger.service.signed_requests import parse_record

GRANT = Grant(b"\1" * 32, 1, b"\2" * 32, b"\3" * 32, 1, 5, 2**64 - 1)
TERMS = Terms(b"\4" * 32, 1, b"\5" * 32, (b"\5" * 32, b"\2" * 32), b"\6" * 32, bytes(32), 0, (GRANT, GRANT))
PROPOSE = Propose(b"\7" * 32, TERMS, 2**256 - 1, 2**64 - 1)


def _message() -> dict[str, Any]:
    message: Any = as_json(Domain(1, b"\0" * 20), PROPOSE)["message"]
    return dict(message)


def test_a_record_is_what_its_typed_data_says() -> None:
    assert parse_record("Propose", _message()) == PROPOSE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("post", "0x00"),
        ("post", 5),
        ("post", "zz"),
        ("nonce", "1e3"),
        ("nonce", str(2**256)),
        ("nonce", "-1"),
        ("deadline", True),
        ("terms", []),
        ("unknown", "1"),
    ],
)
def test_another_value_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=field):
        parse_record("Propose", {**_message(), field: value})


def test_a_missing_field_and_an_unknown_record_are_refused() -> None:
    message = _message()
    del message["deadline"]
    with pytest.raises(InvalidInputError, match="deadline"):
        parse_record("Propose", message)
    with pytest.raises(InvalidInputError, match="EventBatch"):
        parse_record("EventBatch", {})
