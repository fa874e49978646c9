"""docs/spec/evidence-v1.md and trust-root-v1.md say what the code does."""

from __future__ import annotations

import json
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
from ledger.evidence import events_file, file, fingerprint, trust_root
from ledger.evidence.answers import FIELDS
from ledger.evidence.events_run import STREAM_SUBJECT
from ledger.evidence.report import TITLES
from ledger.evidence.trie import EMPTY_ROOT
from ledger.log.multiproof import multiproof
from ledger.log.tree import HashList, inclusion_proof, root_of
from scripts.generators import evidence_spec
from tests.domain.strategies import records_of

SPEC = Path(__file__).parents[2] / "docs/spec"
EVIDENCE = (SPEC / "evidence-v1.md").read_text()
BATCH = (SPEC / "evidence-batch-v1.md").read_text()
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


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("### 1.1 The file", fields(events_file.EventsEvidence)),
        ("### 1.2 A batch", fields(events_file.SignedBatch)),
        ("### 1.3 A checkpoint", fields(events_file.Anchored)),
        ("### 1.4 An entry", fields(events_file.HeldEntry)),
        ("## 2. Verification", fields(file.Entry)),
        ("## 4. A stream", {*STREAM_SUBJECT}),
    ],
)
def test_every_member_of_a_file_of_many_events_is_told(title: str, wanted: set[str]) -> None:
    # The table after a stream's members is of what is disclosed.
    text = section(BATCH, title).partition("What that proves")[0]
    assert sorted(members(text)) == sorted(wanted)


def test_what_each_disclosure_shows_is_what_files_show() -> None:
    rows = [row.split(" | ") for row in section(BATCH, "### 1.5 What may be withheld").split("\n") if row[:2] == "| "][
        1:
    ]
    index = json.loads((SPEC / "vectors/evidence-batch-v1/index.json").read_bytes())
    seen = set()
    for case in index:
        if case["assurance"] == "NONE" or "patch" in case:
            continue
        value = json.loads((SPEC / "vectors/evidence-batch-v1" / case["file"]).read_bytes())
        shown = tuple(group[1] for group in value["checkpoints"][0]["entries"][0]["groups"] if isinstance(group, list))
        row = 0 if len(shown) == 3 else 1 if shown == ("binding", "exchange") else 2 if "binding" in shown else 3
        seen.add((row, value["kind"]))
        told = [cell.strip(" |") for cell in rows[row]]
        salts = told[4 if value["kind"] == "stream" else 3]
        for member, word in (("batches", told[1]), ("histories", told[2]), ("state", told[2]), ("streams", salts)):
            assert bool(value[member]) == (word == "shown"), (case["title"], member)
        steps = ", ".join(str(step) for step, letter in enumerate(case["steps"]) if letter == "N") or "none"
        assert steps == told[5]
    assert seen == {(row, kind) for row in range(4) for kind in ("events", "stream")}


def test_the_multiproof_of_the_example_is_the_one_told() -> None:
    leaves = [sha256(bytes([place])).digest() for place in range(7)]
    paths = {place: inclusion_proof(HashList(leaves), place, 7) for place in (2, 5)}
    cover = [root_of(leaves[begin:end]) for begin, end in ((0, 2), (3, 4), (4, 5), (6, 7))]
    assert "[0, 2), [3, 4), [4, 5), [6, 7)" in BATCH
    assert multiproof(paths, 7) == cover
    assert "[3, 4), [0, 2), [4, 7)" in BATCH
    assert paths[2] == [leaves[3], cover[0], root_of(leaves[4:])]


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
    assert f"`{events_file.FORMAT}`" in BATCH
    assert f"at most {file.MAX_BYTES // 2**20} MiB and {events_file.MAX_EVENTS:,} events" in BATCH
    assert f"`{events_file.BEGINNING.decode()}`" in BATCH
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
