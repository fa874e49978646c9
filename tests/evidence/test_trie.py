"""Merkle-Patricia proofs: of what is there and of what is not, and nothing but what the keys need."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import rlp
from ledger.domain.errors import VerificationError
from ledger.domain.keccak import keccak256
from ledger.domain.ordered_trie import EMPTY_TRIE_ROOT, ordered_trie_nodes, ordered_trie_root
from ledger.evidence.state import read_account
from ledger.evidence.trie import EMPTY_ROOT, TrieProof, select_nodes
from scripts.evidence_vectors.tries import Trie, ordered, secure
from tests.chain.accounts import PROBE, PROBE_INITCODE, SealerKey, Sender
from tests.chain.conftest import ANVIL, GENESIS_TIME
from tests.chain.state_proof import prove

if TYPE_CHECKING:
    from pathlib import Path

entries = st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=40), max_size=40)
items = st.lists(st.binary(min_size=1, max_size=70), max_size=300)


@given(entries, st.lists(st.binary(min_size=1, max_size=4), max_size=5))
def test_a_proof_gives_what_is_there_and_none_for_what_is_not(known: dict[bytes, bytes], others: list[bytes]) -> None:
    trie = secure(known)
    for key in [*known, *others]:
        path = keccak256(key)
        nodes = select_nodes(trie.root, trie.nodes, [path])
        proof = TrieProof(trie.root, nodes)
        assert proof.get(path) == known.get(key)
        proof.check_used([path])
        assert prove(trie.root, key, tuple(nodes)) == known.get(key) if known else nodes == []


@given(entries.filter(len), st.data())
def test_one_list_proves_many_keys_and_holds_nothing_else(known: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = secure(known)
    keys = [keccak256(key) for key in data.draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=6))]
    nodes = select_nodes(trie.root, trie.nodes, keys)
    TrieProof(trie.root, nodes).check_used(keys)
    place = data.draw(st.integers(0, len(nodes) - 1))
    for wrong in (
        nodes[:place] + nodes[place + 1 :],
        [*nodes, keccak256(b"needless")],
        [*nodes, nodes[place]],
        *([nodes[1:] + nodes[:1]] if len(nodes) > 1 else []),
    ):
        with pytest.raises(VerificationError):
            TrieProof(trie.root, wrong).check_used(keys)


@given(entries.filter(len), st.data())
def test_an_altered_node_is_no_proof(known: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = secure(known)
    key = keccak256(data.draw(st.sampled_from(sorted(known))))
    nodes = select_nodes(trie.root, trie.nodes, [key])
    place = data.draw(st.integers(0, len(nodes) - 1))
    at = data.draw(st.integers(0, len(nodes[place]) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    wrong = bytearray(nodes[place])
    wrong[at] ^= bit
    with pytest.raises(VerificationError, match="no node has the hash"):
        TrieProof(trie.root, [*nodes[:place], bytes(wrong), *nodes[place + 1 :]]).get(key)


@given(items)
@settings(max_examples=40)
def test_a_blocks_trie_is_that_of_the_definition(made: list[bytes]) -> None:
    trie = ordered(made)
    assert ordered_trie_root(made) == trie.root
    for place, item in enumerate(made):
        key = rlp.encode_int(place)
        nodes = select_nodes(trie.root, ordered_trie_nodes(made), [key])
        assert TrieProof(trie.root, nodes).get(key) == item
    assert TrieProof(trie.root, ordered_trie_nodes(made)).get(rlp.encode_int(len(made))) is None


def test_an_empty_trie_holds_nothing_and_its_proof_has_no_nodes() -> None:
    assert Trie({}).root == EMPTY_ROOT == EMPTY_TRIE_ROOT
    proof = TrieProof(EMPTY_ROOT, [])
    assert proof.get(b"any") is None
    proof.check_used([b"any"])
    with pytest.raises(VerificationError):
        TrieProof(EMPTY_ROOT, [b"\x80"]).check_used([b"any"])


@pytest.mark.parametrize(
    "node",
    [
        b"",
        b"\x81\x80",
        b"\xc0",
        rlp.encode([b"", b"value"]),
        rlp.encode([b"\x40", b"value"]),
        rlp.encode([b"\x01", b"value"]),
        rlp.encode([b"\x00", b"value"]),
        rlp.encode([[b"\x20"], b"value"]),
        rlp.encode([b"\x20\x00", [b"value"]]),
        rlp.encode([b"a", b"b", b"c"]),
        rlp.encode([b"short"] * 17),
        b"\xf8\x01",
        b"\xff" * 40,
    ],
)
def test_bytes_that_are_no_node_are_refused(node: bytes) -> None:
    with pytest.raises(VerificationError):
        TrieProof(keccak256(node), [node]).get(b"\x00")


@given(st.lists(st.binary(max_size=60), max_size=4), st.binary(max_size=8))
def test_hostile_nodes_raise_nothing_but_the_one_error(nodes: list[bytes], key: bytes) -> None:
    root = keccak256(nodes[0]) if nodes else EMPTY_ROOT
    proof = TrieProof(root, nodes)
    found: bytes | None = b""
    with contextlib.suppress(VerificationError):
        found = proof.get(key)
        proof.check_used([key])
    assert found is None or isinstance(found, bytes)


def test_a_real_nodes_proofs_hold(tmp_path: Path) -> None:
    from ledger.chain.engine import EmbeddedChain, EngineConfig
    from ledger.domain.block import decode_header

    config = EngineConfig(
        folder=tmp_path, anvil=ANVIL, chain_id=2**32 + 11, genesis_time=GENESIS_TIME, time_lead_max_s=10**6
    )
    with EmbeddedChain(config, SealerKey()) as chain:
        sender = Sender(config.chain_id, 5)
        probe = keccak256(rlp.encode([sender.address, b""]))[12:]
        chain.wait_receipt(chain.submit(sender.next(to=b"", data=PROBE_INITCODE)), 20)
        done = chain.submit(sender.next(to=probe, data=(300).to_bytes(32, "big")))
        receipt = chain.wait_receipt(done, 20)
        stored, absent = chain.proofs({probe: [bytes(32), (1).to_bytes(32, "big")], b"\x99" * 20: []})
        bundle = chain.block(stored.block.number)
    root = decode_header(bundle.header_rlp).state_root
    heap = [*stored.account_nodes, *absent.account_nodes]
    state = TrieProof(root, select_nodes(root, heap, [keccak256(probe), keccak256(b"\x99" * 20)]))
    held = read_account(state.get(keccak256(probe)))
    assert held.code_hash == keccak256(PROBE)
    assert read_account(state.get(keccak256(b"\x99" * 20))).storage_root == EMPTY_ROOT
    nodes = [node for _, _, some in stored.slots for node in some]
    storage = TrieProof(held.storage_root, nodes)
    assert storage.get(keccak256(bytes(32))) == rlp.encode_bytes((300).to_bytes(2, "big"))
    assert storage.get(keccak256((1).to_bytes(32, "big"))) is None
    header = decode_header(bundle.header_rlp)
    key = rlp.encode_int(receipt.tx_index)
    raw = TrieProof(header.receipts_root, ordered_trie_nodes(bundle.receipts)).get(key)
    assert raw == bundle.receipts[receipt.tx_index]
