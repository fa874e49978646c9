"""docs/spec/evidence-v1.md and trust-root-v1.md say what the code does."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import event_decoding, events
from ledger.domain.heads import HEADS_SLOT, head_keys
from ledger.domain.record import solidity_name
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.evidence import file, fingerprint, trust_root
from ledger.evidence.answers import FIELDS
from ledger.evidence.report import TITLES
from ledger.evidence.trie import EMPTY_ROOT
from scripts.generators import evidence_spec
from tests.domain.strategies import records_of

SPEC = Path(__file__).parents[2] / "docs/spec"
EVIDENCE = (SPEC / "evidence-v1.md").read_text()
TRUST_ROOT = (SPEC / "trust-root-v1.md").read_text()
EVENTS = [event for some in event_decoding.EVENTS.values() for event in some]


def section(text: str, title: str) -> str:
    return text.partition(f"\n{title}\n")[2].partition("\n## ")[0].partition("\n### ")[0]


def members(text: str) -> list[str]:
    """Return the names in the first column of the tables."""
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def fields(kind: type[msgspec.Struct]) -> set[str]:
    return set(kind.__struct_fields__)


def test_the_pages_are_fresh() -> None:
    for path, text in evidence_spec.evidence_spec().items():
        assert (SPEC.parents[1] / path).read_text() == text


def test_every_step_is_listed_and_told() -> None:
    rows = re.findall(r"^\| (\d) \| (.+) \|$", EVIDENCE, re.MULTILINE)
    assert rows == [(str(number), title) for number, title in enumerate(TITLES)]
    assert re.findall(r"^\*\*(\d)\.\*\*", EVIDENCE, re.MULTILINE) == [str(number) for number in range(len(TITLES))]


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("### 2.1 The file", [file.Evidence]),
        ("### 2.2 The entry", [file.Entry, file.Batch]),
        ("### 2.3 A block", [file.Block]),
        ("### 2.4 A history", [file.History]),
        ("### 2.5 The state", [file.State]),
    ],
)
def test_every_member_of_the_file_is_told(title: str, kinds: list[Any]) -> None:
    told = members(section(EVIDENCE, title))
    assert sorted(told) == sorted(name for kind in kinds for name in fields(kind))


def test_every_member_of_the_trust_root_is_told() -> None:
    text = section(TRUST_ROOT, "## 1. Form")
    assert sorted(members(text)) == sorted(fields(trust_root.TrustRoot))
    root = trust_root
    for kind in (root.Contract, root.FormerKey, root.Log, root.Validators, root.Witnesses):
        assert all(f'"{name}"' in text for name in fields(kind))
    assert all(f"`{name}`" in text for name in trust_root.REQUIRED_CONTRACTS)


def test_formats_limits_and_constants_are_told() -> None:
    assert f"`{file.FORMAT}`" in EVIDENCE
    assert f"`{trust_root.FORMAT}`" in TRUST_ROOT
    assert all(f"`{kind}`" in EVIDENCE for kind in file.KINDS)
    assert f"at most {file.MAX_BYTES // 2**20} MiB" in EVIDENCE
    assert f"0\nto {trust_root.BINDING_AGE_MAX_S} seconds" in EVIDENCE
    assert f"is 0 to {EVENT_DEADLINE_MAX_S:,} seconds after" in EVIDENCE
    assert EMPTY_ROOT.hex() in EVIDENCE
    assert keccak(b"\x80") == EMPTY_ROOT
    assert HEADS_SLOT == 0


def test_the_fingerprints_example_is_that_of_the_page() -> None:
    root = (SPEC / "vectors/evidence-v1/trust-root.json").read_bytes()
    shown = re.search(r"<!--FINGERPRINT-->\n```\n(.*)\n```", TRUST_ROOT)
    assert shown is not None
    groups = shown[1].split(" ")
    assert len(groups) == 12
    assert b"".join(int(group).to_bytes(2, "big") for group in groups) == sha256(root).digest()[:24]
    assert fingerprint(root) == shown[1]


def test_questions_have_the_members_told() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section(EVIDENCE, "## 5. Answers"), re.MULTILINE)
    told = {ask: tuple(sorted([*re.findall(r"`(\w+)`", rest), "ask", "at", "known_at"])) for ask, rest in rows}
    assert told == FIELDS


def test_event_signatures_and_selectors_hash_as_told() -> None:
    topics = re.findall(r"^\| \w+ \| `([^`]+)` \| `([0-9a-f]{64})` \|", EVIDENCE, re.MULTILINE)
    assert len(topics) == len(EVENTS)
    assert all(keccak(text=text).hex() == digest for text, digest in topics)
    selectors = re.findall(r"^\| [\w, ]+ \| `([^`]+)` \| `([0-9a-f]{8})` \|", EVIDENCE, re.MULTILINE)
    assert len(selectors) == 24
    assert all(keccak(text=text)[:4].hex() == selector for text, selector in selectors)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@given(st.data())
@settings(max_examples=10, deadline=None)
def test_an_event_advances_the_heads_told(kind: type[events.Event], data: st.DataObject) -> None:
    event: Any = data.draw(records_of(kind))
    (told,) = [told for told, some in evidence_spec.HEADS.items() if kind in some]

    def word(name: str) -> bytes:
        value = getattr(event, name)
        return value if isinstance(value, bytes) else value.to_bytes(32, "big")

    match told:
        case "none":
            wanted: list[bytes] = []
        case "caseId":
            wanted = [word("case_id")]
        case "keccak256(duty ‖ object)":
            wanted = [keccak(word("duty") + word("object"))]
        case "keccak256(dataset ‖ version), dataset":
            wanted = [keccak(word("dataset") + word("version")), word("dataset")]
        case "agreement" | "post" | "agency":
            wanted = [word(told)]
        case _:
            pairs = [bytes(4) + keccak(grant.recipient + grant.dataset)[:28] for grant in event.terms.grants]
            wanted = [word("agreement"), *dict.fromkeys(pairs)]
    assert list(head_keys(event)) == wanted


def test_fields_in_the_rules_are_spelt_as_on_chain() -> None:
    names = re.findall(r"`(\w+)`", section(EVIDENCE, "### 6.3 Which record brings about which event"))
    assert {name for name in names if "_" in name} == set()
    assert solidity_name("valid_from") in names
