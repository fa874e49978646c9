"""The examples in docs/spec hold, recomputed from the pages alone with other people's code."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import rfc8785
from eth_utils.crypto import keccak

from ledger.domain import codes
from scripts.generators import domain_spec

SPEC = Path(__file__).parents[2] / "docs/spec"


def block(name: str, mark: str) -> str:
    found = re.search(f"<!--{mark}-->\n```\n(.*?)\n```\n<!--/{mark}-->", (SPEC / name).read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def test_the_pages_are_fresh() -> None:
    for name in domain_spec.fillings():
        text = (SPEC / name).read_text()
        assert domain_spec.rendered(name, text) == text


def test_the_event_and_leaf_examples_hold() -> None:
    event = json.loads(block("entry-v1.md", "EVENT"))
    assert leaf_hash(rfc8785.dumps(event)).hex() == block("entry-v1.md", "DIGEST")
    salt = base64.b64encode(b"\7" * 32).decode()
    opening = rfc8785.dumps([salt, "stream", {"agreement": "", "reporter": event["reporter"]}])
    assert leaf_hash(opening).hex() == block("entry-v1.md", "STREAM")
    leaf = block("entry-v1.md", "LEAF").encode()
    assert rfc8785.dumps(json.loads(leaf)) == leaf
    assert leaf_hash(leaf).hex() == block("entry-v1.md", "LEAFHASH")


def test_the_commitment_example_holds() -> None:
    leaves = re.findall(r"^leaf [ab]  (.*)$", (SPEC / "commitment.md").read_text(), re.MULTILINE)
    hashes = [leaf_hash(rfc8785.dumps(json.loads(leaf))) for leaf in leaves]
    assert len(hashes) == 2
    assert hashlib.sha256(b"\1" + b"".join(hashes)).hexdigest() == block("commitment.md", "ROOT")


def test_the_type_table_holds() -> None:
    rows = re.findall(
        r"^\| \S+ \| `([^`]+)` \| `([0-9a-f]{64})` \|$", (SPEC / "typed-data.md").read_text(), re.MULTILINE
    )
    assert len(rows) == len(domain_spec.records.CONTRACTS) + 2
    assert all(keccak(text=text).hex() == digest for text, digest in rows)


def test_every_code_is_in_the_binding_page() -> None:
    text = (SPEC / "binding.md").read_text()
    listed = re.findall(r"`([A-Z_]+)`", text.partition("## 3.")[2].partition("## 4.")[0])
    assert listed == [code.value for code in codes.Mismatch]
    assert all(f"| `{flag.value}` |" in text for flag in codes.Flag)
