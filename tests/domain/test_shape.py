"""A value of another shape is told by its field, what was found, and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.agreement_v1 import AgreementDraftV1
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import complete_event

GRANT: dict[str, Any] = {
    "dataset": "ods:A#D",
    "version": 1,
    "recipient": "ods:B",
    "purpose": "dpv:X",
    "delivery": "FILE",
    "starts": "2025-01-01",
    "ends": None,
}
DRAFT: dict[str, Any] = {
    "format": "quanze-agreement-draft-v1",
    "reference": "R",
    "provider": "ods:A",
    "parties": [{"agency": "ods:A", "role": "PROVIDER"}, {"agency": "ods:B", "role": "REQUESTER"}],
    "grants": [GRANT],
}
EVENT: dict[str, Any] = {"id": "x", "kind": "ACCESS", "side": "CONSUMER", "occurred_at_ms": 1}

DRAFTS: list[tuple[dict[str, Any], str, object, str]] = [
    (
        {"grants": [{**GRANT, "delivery": "WEIRD"}]},
        "grants[0].delivery",
        "WEIRD",
        "one of BATCH, COMPUTE_TO_DATA, FILE",
    ),
    ({"grants": [{**GRANT, "version": 0}]}, "grants[0].version", 0, "an integer from 1 to 4294967295"),
    ({"grants": [{**GRANT, "ends": 5}]}, "grants[0].ends", 5, "a legal date in the draft's zone"),
    ({"grants": [GRANT, {**GRANT, "x": 1}]}, "grants[1].x", 1, "only the fields dataset, version"),
    ({"grants": []}, "grants", [], "a list of 1 to 255 items"),
    ({"format": "v9"}, "format", "v9", "quanze-agreement-draft-v1"),
    ({"reference": ""}, "reference", "", "text of 1 to 100 characters"),
    ({"texts": {"a": "1", "b.c": 2}}, "texts.b.c", 2, "text of at most 20000 characters"),
    ({"security_review": 7}, "security_review", 7, "an object with the fields valid_until"),
]
EVENTS: list[tuple[dict[str, Any], str, object, str]] = [
    ({"kind": "WHAT"}, "kind", "WHAT", "one of DELIVERY, ACCESS"),
    ({"colour": "red"}, "colour", "red", "only the fields id, kind"),
    ({"size": -5}, "size", -5, "an integer from -1 to"),
    ({"occurred_at_ms": "now"}, "occurred_at_ms", "now", "an integer from 0 to"),
    ({"agreement": "xx"}, "agreement", "xx", "64 hex digits in lower case, or an empty text"),
    ({"source": {"a": 1, "b": [1]}}, "source.b", [1], "text, or an integer"),
]


@pytest.mark.parametrize(("changes", "field", "value", "allowed"), DRAFTS)
def test_a_draft_of_another_shape(changes: dict[str, Any], field: str, value: object, allowed: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        AgreementDraftV1.from_object({**DRAFT, **changes})
    assert (caught.value.field, caught.value.value) == (field, value)
    assert caught.value.allowed.startswith(allowed)


@pytest.mark.parametrize(("changes", "field", "value", "allowed"), EVENTS)
def test_an_event_of_another_shape(changes: dict[str, Any], field: str, value: object, allowed: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        complete_event({**EVENT, **changes}, reporter="r@ods:A")
    assert (caught.value.field, caught.value.value) == (field, value)
    assert caught.value.allowed.startswith(allowed)


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(InvalidInputError) as caught:
        complete_event({name: value for name, value in EVENT.items() if name != "occurred_at_ms"}, reporter="r@ods:A")
    assert caught.value.field == "occurred_at_ms"
    assert caught.value.allowed.endswith("the field is missing")


def test_a_value_that_is_no_object_is_named_as_a_whole() -> None:
    with pytest.raises(InvalidInputError, match=r"^draft: .* an object with the fields format, reference"):
        AgreementDraftV1.from_object([])
