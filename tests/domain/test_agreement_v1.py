"""Drafts: what people write is read one way, refused by field name, and becomes exact terms."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given

from ledger.domain import agreement_v1, legal_time
from ledger.domain.agreement_v1 import AgreementDraftV1, check_terms, parse_draft, review_groups, terms, text_groups
from ledger.domain.commitment import commit
from ledger.domain.draft_text import parse_text
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import agency_id, code_id, dataset_id
from ledger.domain.scalars import OPEN_END
from tests.domain.factories import DATASET, PROVIDER, REQUESTER
from tests.domain.strategies import json_values

SCHEMA = Path(__file__).parents[2] / "docs/spec/agreement-draft-v1.schema.json"
SAMPLE = Path(__file__).parents[2] / "scripts/sample/sample-agreement.yaml"
ID = b"\1" * 32


def grant(**changes: Any) -> dict[str, Any]:
    return {
        "dataset": DATASET,
        "version": 1,
        "recipient": REQUESTER,
        "purpose": "dpv:EnforceSecurity",
        "delivery": "INTERFACE",
        "starts": "2025-01-01",
        "ends": "2027-12-31",
        **changes,
    }


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "format": agreement_v1.FORMAT,
        "reference": "DSA-1",
        "provider": PROVIDER,
        "parties": [{"agency": PROVIDER, "role": "PROVIDER"}, {"agency": REQUESTER, "role": "REQUESTER"}],
        "grants": [grant()],
        **changes,
    }


def salts(groups: dict[str, Any]) -> dict[str, bytes]:
    return {name: bytes([index + 1]) * 32 for index, name in enumerate(sorted(groups))}


def test_the_sample_becomes_exact_terms() -> None:
    value = parse_draft(SAMPLE.read_bytes())
    made = terms(value, agreement=ID, version=1, text=b"\2" * 32)
    assert made.provider == made.parties[0] == agency_id(PROVIDER)
    assert made.parties[1:] == (agency_id(REQUESTER),)
    assert (made.review, made.review_valid_until) == (bytes(32), 0)
    first = made.grants[0]
    assert first.dataset == dataset_id(DATASET)
    assert first.purpose == code_id("dpv:EnforceSecurity")
    shanghai = datetime.timezone(datetime.timedelta(hours=8))
    assert first.valid_from == datetime.datetime(2025, 1, 1, tzinfo=shanghai).timestamp()
    assert first.valid_to == datetime.datetime(2028, 1, 1, tzinfo=shanghai).timestamp()


def test_yaml_and_json_give_the_same_draft() -> None:
    value = draft(texts={"purpose": "line one\nline two"}, title="Vehicle data 车辆数据")
    assert parse_draft(yaml.safe_dump(value, allow_unicode=True).encode()) == parse_draft(json.dumps(value).encode())


def test_dates_unquoted_in_yaml_stay_text() -> None:
    assert parse_text(b"starts: 2025-01-01\nno: no\nn: 12\nf: 1.5\nt: true\nz: null\ne:\n") == {
        "starts": "2025-01-01",
        "no": "no",
        "n": 12,
        "f": "1.5",
        "t": True,
        "z": None,
        "e": None,
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"a: 1\na: 2\n", r"\$\.a"),
        (b"a: {b: 1, b: 2}", r"\$\.a\.b"),
        (b'{"a": 1, "a": 2}', r"\$\.a"),
        (b"a: &x 1\nb: *x\n", "alias"),
        (b"a: !!python/object:os.system x", "tag"),
        (b"a: !mine x", "tag"),
        (b"a: [1\n", "line 2"),
        (b"? [1]\n: 2\n", "text keys"),
        (b"a: \xff\n", "UTF-8"),
        ("a: e\u0301\n".encode(), r"\$\.a"),
        (b"--- 1\n--- 2\n", "YAML"),
        (b"a: \x00\n", "YAML"),
        (b"[" * 100_000, "levels|JSON"),
        (b"- " * 5_000 + b"a", "levels|YAML"),
        (b"x" * 1_000_001, "at most"),
    ],
)
def test_ambiguous_documents_are_refused(text: bytes, named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        parse_text(text)


@given(json_values)
def test_any_json_value_survives_quoted_yaml(value: Any) -> None:
    assert parse_text(b'{"v":' + json.dumps(value).encode() + b"}") == {"v": value}


NAMED = {"agency": "name:r/GB/A", "role": "REQUESTER"}
BAD: list[tuple[str, dict[str, Any]]] = [
    ("format", {"format": "other"}),
    ("reference", {"reference": ""}),
    ("reference", {"reference": "a\nb"}),
    ("reference", {"reference": "DEADBEEF"}),
    ("reference", {"reference": "0x" + "ab" * 32}),
    ("title", {"title": "e\u0301"}),
    ("unknown", {"unknown": 1}),
    ("provider", {"provider": "nobody"}),
    ("parties", {"parties": []}),
    ("parties", {"parties": [{"agency": PROVIDER, "role": "PROVIDER"}]}),
    ("parties", {"parties": draft()["parties"] + [NAMED, NAMED]}),
    ("role", {"parties": [{"agency": PROVIDER, "role": "REQUESTER"}, {"agency": REQUESTER, "role": "PROVIDER"}]}),
    ("role", {"parties": [{"agency": PROVIDER, "role": "OTHER"}, {"agency": REQUESTER, "role": "REQUESTER"}]}),
    ("parties", {"parties": [{"agency": REQUESTER, "role": "REQUESTER"}, NAMED]}),
    ("zone", {"zone": "Mars/Olympus"}),
    ("zone", {"zone": "../../etc/passwd"}),
    ("zone", {"zone": ""}),
    ("legal_bases", {"legal_bases": ["no scheme"]}),
    ("grants", {"grants": []}),
    ("grants", {"grants": [grant(), grant()]}),
    ("dataset", {"grants": [grant(dataset=f"{REQUESTER}#X")]}),
    ("dataset", {"grants": [grant(dataset="x")]}),
    ("version", {"grants": [grant(version=0)]}),
    ("version", {"grants": [grant(version=2**32)]}),
    ("version", {"grants": [grant(version=1.0)]}),
    ("recipient", {"grants": [grant(recipient="name:r/GB/A")]}),
    ("purpose", {"grants": [grant(purpose="x")]}),
    ("delivery", {"grants": [grant(delivery="PIGEON")]}),
    ("starts", {"grants": [grant(starts="2025-01-01T00:00:00")]}),
    ("starts", {"grants": [grant(starts="2025-02-30")]}),
    ("starts", {"grants": [grant(starts="1969-12-31")]}),
    ("starts", {"grants": [grant(starts="2025-01-01\n")]}),
    ("ends", {"grants": [grant(ends="2024-12-31")]}),
    ("ends", {"grants": [grant(ends="9999-12-31")]}),
    ("ends", {"grants": [{k: v for k, v in grant().items() if k != "ends"}]}),
    ("security_review", {"security_review": {"valid_until": "2026-01-01"}}),
    ("commitment", {"security_review": {"valid_until": "2026-01-01", "commitment": "xyz"}}),
    ("valid_until", {"security_review": {"valid_until": "soon", "document": {"a": "b"}}}),
    ("texts", {"texts": {"a": 1}}),
    ("texts", {"texts": {"a": "x\0"}}),
]


@pytest.mark.parametrize(("field", "changes"), BAD, ids=[f"{i}-{f}" for i, (f, _) in enumerate(BAD)])
def test_a_bad_draft_is_refused_and_the_field_named(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_draft(json.dumps(draft(**changes)).encode())
    assert field in caught.value.explain()


@pytest.mark.parametrize(
    ("text", "zone", "start", "end"),
    [
        ("2026-03-01", "Asia/Shanghai", "2026-02-28T16:00:00Z", "2026-03-01T16:00:00Z"),
        ("2026-03-29", "Europe/London", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"),
        ("2026-10-25", "Europe/London", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"),
        ("2026-03-01T09:00:00+08:00", "Europe/London", "2026-03-01T01:00:00Z", "2026-03-01T01:00:00Z"),
        ("2026-03-01T09:00Z", "Asia/Shanghai", "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"),
    ],
)
def test_legal_dates_become_half_open_windows(text: str, zone: str, start: str, end: str) -> None:
    assert legal_time.window_start(text, zone=zone) == datetime.datetime.fromisoformat(start).timestamp()
    assert legal_time.window_end(text, zone=zone) == datetime.datetime.fromisoformat(end).timestamp()


def test_an_open_end_is_the_largest_time() -> None:
    value = AgreementDraftV1.from_object(draft(grants=[grant(ends=None)]))
    assert terms(value, agreement=ID, version=1, text=ID).grants[0].valid_to == OPEN_END


def test_terms_need_a_review_exactly_when_the_draft_has_one() -> None:
    review = {"valid_until": "2026-06-30", "document": {"result": "PASSED"}}
    with_review = AgreementDraftV1.from_object(draft(security_review=review))
    made = terms(with_review, agreement=ID, version=1, text=ID, review=b"\3" * 32)
    assert made.review_valid_until == legal_time.window_end("2026-06-30")
    assert with_review.security_review is not None
    assert review_groups(with_review.security_review) == {"valid_until": "2026-06-30", "document.result": "PASSED"}
    for value, commitment in ((with_review, bytes(32)), (AgreementDraftV1.from_object(draft()), b"\3" * 32)):
        with pytest.raises(InvalidInputError, match="review"):
            terms(value, agreement=ID, version=1, text=ID, review=commitment)


def test_text_groups_are_one_a_field_and_can_be_committed_to() -> None:
    value = AgreementDraftV1.from_object(draft(texts={"onward": "none"}))
    groups = text_groups(value)
    assert set(groups) == {
        *("format", "reference", "title", "provider", "parties", "zone", "legal_bases", "grants"),
        *("security_review", "text.onward"),
    }
    assert len(commit(groups, salts(groups)).root) == 32


def test_opened_groups_are_compared_with_the_chain() -> None:
    value = AgreementDraftV1.from_object(draft())
    groups = text_groups(value)
    made = terms(value, agreement=ID, version=1, text=ID)
    check_terms(made, groups)
    for name, other in [
        ("provider", REQUESTER),
        ("zone", "Europe/London"),
        ("parties", [{"agency": PROVIDER, "role": "PROVIDER"}, NAMED]),
        ("grants", [grant(version=2)]),
    ]:
        with pytest.raises(InvalidInputError):
            check_terms(made, {**groups, name: other})
    with pytest.raises(InvalidInputError, match="groups"):
        check_terms(made, {"provider": PROVIDER})


def test_the_published_schema_is_the_classes_schema() -> None:
    assert json.loads(SCHEMA.read_text()) == agreement_v1.schema()


def test_the_published_schema_takes_good_drafts_and_refuses_bad_shapes() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert validator.is_valid(parse_text(SAMPLE.read_bytes()))
    for _, changes in BAD:
        whole = draft(**changes)
        try:
            msgspec.convert(whole, AgreementDraftV1)
        except msgspec.ValidationError:
            if changes.get("grants", [{}])[:1] != [grant(version=1.0)]:  # JSON Schema counts 1.0 as an integer.
                assert not validator.is_valid(whole)


@pytest.mark.parametrize("name", agreement_v1.RESERVED_TEXTS)
def test_no_text_takes_the_name_of_a_field_that_a_signer_is_shown(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        AgreementDraftV1.from_object(draft(texts={name: "what the other party would rather read"}))
    assert caught.value.field == f"texts.{name}"
