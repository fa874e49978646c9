"""What every adapter of the port ``Chain`` must do. Test modules inherit the class and give the fixture ``chain``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
import rlp
from eth_hash.auto import keccak

from ledger.domain.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, UnavailableError
from ledger.domain.ordered_trie import ordered_trie_root
from tests.chain.accounts import NOBODY, PROBE, PROBE_INITCODE, Sender
from tests.chain.state_proof import account, prove

if TYPE_CHECKING:
    from ledger.service.ports import Chain

WAIT_S = 20.0
_seeds = itertools.count(1000)


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.fixture
def sender(chain: Chain) -> Sender:
    return Sender(chain.chain_id(), next(_seeds))


@pytest.fixture
def probe(chain: Chain, sender: Sender) -> bytes:
    """The address of a fresh probe contract."""
    address = keccak(rlp.encode([sender.address, b""]))[12:]
    done = chain.wait_receipt(chain.submit(sender.next(to=b"", data=PROBE_INITCODE)), WAIT_S)
    assert done.status == 1
    return address


class ChainBehaviour:
    """The suite."""

    @pytest.mark.parametrize("kind", [0, 1, 2])
    def test_submitted_transaction_of_each_type_gets_a_receipt(self, chain: Chain, sender: Sender, kind: int) -> None:
        raw = sender.next(kind=kind)
        tx_hash = chain.submit(raw)
        receipt = chain.wait_receipt(tx_hash, WAIT_S)
        bundle = chain.block(receipt.block_number)
        assert tx_hash == keccak(raw)
        assert (receipt.tx_hash, receipt.status, receipt.revert) == (tx_hash, 1, b"")
        assert receipt.gas_used == (21_000 if kind != 1 else 21_000 + 2_400 + 1_900)
        assert receipt.block_hash == bundle.ref.hash
        assert bundle.transactions[receipt.tx_index] == raw

    def test_same_bytes_are_taken_twice_and_mined_once(self, chain: Chain, sender: Sender) -> None:
        raw = sender.next()
        first = chain.submit(raw)
        done = chain.wait_receipt(first, WAIT_S)
        assert chain.submit(raw) == first
        assert chain.receipt(first) == done
        assert chain.nonce(sender.address) == 1

    def test_used_nonce_is_a_conflict(self, chain: Chain, sender: Sender) -> None:
        chain.wait_receipt(chain.submit(sender.sign(0)), WAIT_S)
        with pytest.raises(ConflictError):
            chain.submit(sender.sign(0, data=b"another"))

    def test_other_chain_id_is_refused(self, chain: Chain) -> None:
        stranger = Sender(chain.chain_id() + 1, next(_seeds))
        with pytest.raises(InvalidInputError) as caught:
            chain.submit(stranger.next())
        assert caught.value.field == "chain_id"

    @pytest.mark.parametrize("raw", [b"", b"\x00", b"\x04\xc0", b"\xc0", b"\xff" * 40, bytes(200)])
    def test_bytes_that_are_no_transaction_are_refused(self, chain: Chain, raw: bytes) -> None:
        with pytest.raises(InvalidInputError):
            chain.submit(raw)

    def test_later_nonce_waits_for_the_earlier(self, chain: Chain, sender: Sender) -> None:
        later = chain.submit(sender.sign(1))
        earlier = chain.submit(sender.sign(0))
        first, second = chain.wait_receipt(earlier, WAIT_S), chain.wait_receipt(later, WAIT_S)
        assert (first.block_number, first.tx_index) < (second.block_number, second.tx_index)
        assert chain.nonce(sender.address) == 2

    def test_contract_is_created_called_and_read(self, chain: Chain, sender: Sender, probe: bytes) -> None:
        assert chain.code(probe) == PROBE
        assert chain.code(NOBODY) == b""
        receipt = chain.wait_receipt(chain.submit(sender.next(to=probe, data=word(42))), WAIT_S)
        assert chain.call(probe, b"") == word(42)
        (log,) = receipt.logs
        assert (log.address, log.topics, log.data) == (probe, (word(42),), word(42))
        assert (log.block_number, log.block_hash) == (receipt.block_number, receipt.block_hash)
        assert (log.tx_hash, log.tx_index) == (receipt.tx_hash, receipt.tx_index)

    def test_revert_keeps_its_return_data(self, chain: Chain, sender: Sender, probe: bytes) -> None:
        receipt = chain.wait_receipt(chain.submit(sender.next(to=probe, data=word(0))), WAIT_S)
        assert (receipt.status, receipt.revert, receipt.logs) == (0, bytes.fromhex("deadbeef"), ())

    def test_simulation_tells_gas_or_revert(self, chain: Chain, sender: Sender, probe: bytes) -> None:
        taken = chain.simulate(sender.address, probe, word(7))
        refused = chain.simulate(sender.address, probe, word(0))
        assert taken.revert is None
        assert taken.gas > 21_000
        assert refused.revert == bytes.fromhex("deadbeef")
        assert chain.call(probe, b"") == word(0)

    def test_reverted_view_is_refused_with_its_data(self, chain: Chain, probe: bytes) -> None:
        with pytest.raises(RefusedError) as caught:
            chain.call(probe, word(0))
        assert caught.value.arguments["data"] == "0xdeadbeef"

    def test_block_is_what_its_hash_says(self, chain: Chain, sender: Sender, probe: bytes) -> None:
        done = [chain.submit(sender.next(to=probe, data=word(number), kind=number % 3)) for number in range(6)]
        receipts = [chain.wait_receipt(tx_hash, WAIT_S) for tx_hash in done]
        for number in {receipt.block_number for receipt in receipts}:
            bundle = chain.block(number)
            header = rlp.decode(bundle.header_rlp)
            assert keccak(bundle.header_rlp) == bundle.ref.hash
            assert int.from_bytes(header[8], "big") == number
            assert int.from_bytes(header[11], "big") == bundle.ref.timestamp
            assert ordered_trie_root(bundle.transactions) == header[4]
            assert ordered_trie_root(bundle.receipts) == header[5]
            assert len(bundle.transactions) == len(bundle.receipts)

    def test_headers_link_up_to_the_head(self, chain: Chain, sender: Sender) -> None:
        chain.wait_receipt(chain.submit(sender.next()), WAIT_S)
        head = chain.head_block()
        headers = chain.headers(0, head.number)
        assert [header.number for header in headers] == list(range(head.number + 1))
        assert headers[-1].hash == head.hash
        for parent, child in itertools.pairwise(headers):
            assert child.parent_hash == parent.hash
            assert child.timestamp >= parent.timestamp

    def test_logs_are_found_by_range_and_address(self, chain: Chain, sender: Sender, probe: bytes) -> None:
        sent = [chain.submit(sender.next(to=probe, data=word(number))) for number in (5, 6, 7)]
        receipts = [chain.wait_receipt(tx_hash, WAIT_S) for tx_hash in sent]
        first, last = receipts[0].block_number, receipts[-1].block_number
        logs = chain.logs(first, last, [probe])
        assert [log.data for log in logs] == [word(5), word(6), word(7)]
        assert [log for receipt in receipts for log in receipt.logs] == logs
        assert chain.logs(first, last, [NOBODY]) == []
        assert [log for log in chain.logs(0, last, []) if log.address == probe] == logs

    def test_proofs_hold_under_one_block(self, chain: Chain, sender: Sender, probe: bytes) -> None:
        chain.wait_receipt(chain.submit(sender.next(to=probe, data=word(9))), WAIT_S)
        stored, absent = chain.proofs({probe: [word(0), word(1)], sender.address: []})
        assert stored.block == absent.block
        state_root = rlp.decode(chain.block(stored.block.number).header_rlp)[3]
        found = account(state_root, probe, stored.account_nodes)
        assert found is not None
        assert found[3] == keccak(PROBE)
        (_, value, nodes), (_, nothing, no_nodes) = stored.slots
        assert (value, nothing) == (9, 0)
        assert rlp.decode(prove(found[2], word(0), nodes)) == b"\x09"
        assert prove(found[2], word(1), no_nodes) is None
        owner = account(state_root, sender.address, absent.account_nodes)
        assert owner is not None
        assert owner[0] == 2

    def test_proof_shows_that_an_account_is_absent(self, chain: Chain, sender: Sender) -> None:
        chain.wait_receipt(chain.submit(sender.next()), WAIT_S)
        (proof,) = chain.proofs({b"\x99" * 20: [word(3)]})
        state_root = rlp.decode(chain.block(proof.block.number).header_rlp)[3]
        assert account(state_root, b"\x99" * 20, proof.account_nodes) is None
        assert proof.slots[0][1] == 0

    def test_unknown_transaction_has_no_receipt(self, chain: Chain) -> None:
        assert chain.receipt(b"\x01" * 32) is None
        with pytest.raises(UnavailableError):
            chain.wait_receipt(b"\x01" * 32, 0.05)

    def test_unknown_block_is_not_found(self, chain: Chain) -> None:
        with pytest.raises(NotFoundError):
            chain.block(10**6)
        assert chain.headers(10**6, 10**6 + 1) == []

    def test_final_block_never_goes_back(self, chain: Chain, sender: Sender) -> None:
        before = chain.final_block()
        receipt = chain.wait_receipt(chain.submit(sender.next()), WAIT_S)
        after = chain.final_block()
        assert before.number < receipt.block_number <= after.number
        assert chain.block(after.number).ref == after
