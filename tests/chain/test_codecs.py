"""RLP, tries, headers, receipts and transactions against independent implementations and real blocks."""

from __future__ import annotations

from typing import Any

import pytest
import rlp as reference
from eth_account import Account as EthAccount
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.engine.block import decode_header, header_from_json
from ledger.chain.engine.transaction import parse
from ledger.domain import rlp
from ledger.domain.errors import InvalidInputError
from ledger.domain.ordered_trie import EMPTY_TRIE_ROOT, ordered_trie_root
from tests.chain.accounts import Sender
from tests.chain.state_proof import prove

values = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=20)


@given(values)
def test_rlp_agrees_with_the_rlp_package(value: Any) -> None:
    encoded = rlp.encode(value)
    assert encoded == reference.encode(value)
    assert rlp.decode(encoded) == value


@given(st.binary(max_size=60))
def test_rlp_reads_hostile_bytes_as_the_rlp_package_does(data: bytes) -> None:
    try:
        expected = reference.decode(data)
    except reference.DecodingError:
        with pytest.raises(ValueError):
            rlp.decode(data)
    else:
        assert rlp.encode(rlp.decode(data)) == data == reference.encode(expected)


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_rlp_numbers_return(number: int) -> None:
    encoded = rlp.encode_int(number)
    assert encoded == reference.encode(number)
    assert rlp.to_int(rlp.decode(encoded)) == number


def test_rlp_bounds_nesting() -> None:
    with pytest.raises(ValueError, match="nest"):
        rlp.decode(_nested(40))


def _nested(depth: int) -> bytes:
    encoded = b"\xc0"
    for _ in range(depth):
        encoded = rlp.encode_list([encoded])
    return encoded


def test_trie_root_of_published_block() -> None:
    """Ethereum mainnet block 46147, the first with a transaction: raw bytes and root as published."""
    raw = bytes.fromhex(
        "f86780862d79883d2000825208945df9b87991262f6ba471f09758cde1c0fc1de734827a69801ca088ff6cf0fefd94db4611"
        "1149ae4bfc179e9b94721fffd821d38d16464b3f71d0a045e0aff800961cfce805daef7016b9b675c137a6a41a548f7b60a3484c06a33a"
    )
    assert keccak(raw).hex() == "5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
    expected = "4513310fcb9f6f616972a3b948dc5d547f280849a87ebb5af0191f98b87be598"
    assert ordered_trie_root([raw]).hex() == expected


def test_trie_root_of_nothing() -> None:
    assert ordered_trie_root([]) == EMPTY_TRIE_ROOT == keccak(b"\x80")


def test_parse_reads_what_eth_account_signed() -> None:
    sender = Sender(2**33, 5)
    for kind in (0, 1, 2):
        raw = sender.sign(7, data=b"\x00\x01", kind=kind, gas=90_000)
        tx = parse(raw)
        assert (tx.type, tx.chain_id, tx.sender, tx.nonce, tx.gas) == (kind, 2**33, sender.address, 7, 90_000)
        assert (tx.hash, tx.value, tx.data, tx.is_creation) == (keccak(raw), 0, b"\x00\x01", False)
        assert "0x" + tx.sender.hex() == EthAccount.recover_transaction(raw).lower()
        assert tx.intrinsic_gas() == 21_000 + 4 + 16 + (4_300 if kind == 1 else 0)


@given(st.data())
def test_altered_transaction_is_refused_or_is_another_sender(data: st.DataObject) -> None:
    sender = Sender(2**33, 6)
    raw = bytearray(sender.sign(3, data=b"abc"))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        tx = parse(bytes(raw))
    except InvalidInputError:
        return
    assert tx.sender != sender.address


def test_high_s_is_refused() -> None:
    fields = reference.decode(Sender(2**33, 7).sign(0)[1:])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    fields[-1] = (order - int.from_bytes(fields[-1], "big")).to_bytes(32, "big")
    fields[-3] = b"" if fields[-3] else b"\x01"
    with pytest.raises(InvalidInputError) as caught:
        parse(b"\x02" + reference.encode(fields))
    assert "low-s" in caught.value.explain()


def test_transaction_without_chain_id_is_refused() -> None:
    raw = EthAccount.sign_transaction(
        {"nonce": 0, "gas": 21_000, "gasPrice": 0, "value": 0, "data": b"", "to": b"\x11" * 20}, b"\x01" * 32
    ).raw_transaction
    with pytest.raises(InvalidInputError) as caught:
        parse(bytes(raw))
    assert "EIP-155" in caught.value.explain()


def test_header_with_another_field_is_refused(published_header: dict[str, Any]) -> None:
    header = header_from_json(published_header)
    assert decode_header(header.rlp) == header
    for name in ("stateRoot", "parentHash", "timestamp"):
        altered = published_header | {name: "0x" + "11" * 32 if name != "timestamp" else "0x1"}
        with pytest.raises(ValueError, match="do not give the hash"):
            header_from_json(altered)


@pytest.fixture
def published_header() -> dict[str, Any]:
    """Ethereum mainnet's genesis, as every node shows it."""
    return {
        "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
        "parentHash": "0x" + "00" * 32,
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "miner": "0x" + "00" * 20,
        "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
        "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x400000000",
        "number": "0x0",
        "gasLimit": "0x1388",
        "gasUsed": "0x0",
        "timestamp": "0x0",
        "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
        "mixHash": "0x" + "00" * 32,
        "nonce": "0x0000000000000042",
    }


@pytest.mark.parametrize("count", [1, 2, 16, 17, 127, 128, 129, 300])
def test_trie_of_many_items_holds_each_at_its_index(count: int) -> None:
    """The root is checked by walking a trie that is built node by node, in another way."""
    items = [bytes([number % 251]) * (number % 70 + 1) for number in range(count)]
    assert ordered_trie_root(items) == _slow_root({reference.encode(number): item for number, item in enumerate(items)})


def _slow_root(items: dict[bytes, bytes]) -> bytes:
    """The root by the yellow paper's appendix D, straight from its definition."""

    def compact(nibbles: list[int], flag: int) -> bytes:
        padded = [flag + 1, *nibbles] if len(nibbles) % 2 else [flag, 0, *nibbles]
        return bytes(high * 16 + low for high, low in zip(padded[::2], padded[1::2], strict=True))

    def reference_to(pairs: dict[tuple[int, ...], bytes], depth: int) -> Any:
        node = structure(pairs, depth)
        encoded = reference.encode(node)
        return node if len(encoded) < 32 else keccak(encoded)

    def structure(pairs: dict[tuple[int, ...], bytes], depth: int) -> Any:
        if len(pairs) == 1:
            ((key, value),) = pairs.items()
            return [compact(list(key[depth:]), 2), value]
        first = next(iter(pairs))
        shared = depth
        while all(len(key) > shared and key[shared] == first[shared] for key in pairs):
            shared += 1
        if shared > depth:
            return [compact(list(first[depth:shared]), 0), reference_to(pairs, shared)]
        branch: list[Any] = []
        for nibble in range(16):
            below = {key: value for key, value in pairs.items() if key[depth] == nibble}
            branch.append(reference_to(below, depth + 1) if below else b"")
        return [*branch, b""]

    pairs = {tuple(n for byte in key for n in (byte >> 4, byte & 15)): value for key, value in items.items()}
    return keccak(reference.encode(structure(pairs, 0)))


def test_state_proof_verifier_of_the_tests_refuses_another_root() -> None:
    with pytest.raises(KeyError):
        prove(b"\x00" * 32, b"key", (b"\xc0",))
