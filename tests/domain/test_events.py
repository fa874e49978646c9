"""Event records: topics and data as eth-abi writes them, strict decoding, and heads as the contracts fold them."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import event_decoding, events, heads
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_log import Event, signature, topic0
from ledger.domain.identifiers import duty_key, entry_key, recipient_key
from ledger.domain.record import shape
from ledger.domain.records import Grant, Terms
from tests.domain.strategies import bytes32, records_of
from tests.domain.test_records import eth_abi_type, plain

ALL = [event for group in event_decoding.EVENTS.values() for event in group]
any_event = st.sampled_from(ALL).flatmap(records_of)


@given(any_event)
def test_logs_equal_eth_abi_and_decode_back(event: Event) -> None:
    fields = shape(type(event))
    topics, data = event.to_log()
    types = [eth_abi_type(field.type) for field in fields]
    assert topics[0] == keccak(text=f"{type(event).__name__}({','.join(types)})") == topic0(type(event))
    unindexed = [field for field in fields if not field.indexed]
    wanted = abi_encode([eth_abi_type(f.type) for f in unindexed], [plain(getattr(event, f.name)) for f in unindexed])
    assert data == wanted
    indexed = [field for field in fields if field.indexed]
    words = [abi_encode([eth_abi_type(f.type)], [plain(getattr(event, f.name))]) for f in indexed]
    assert list(topics[1:]) == words
    assert event_decoding.decode_log(topics, data) == event
    assert type(event).from_log(topics, data) == event


@given(any_event, st.data())
def test_bytes_that_the_contract_would_not_emit_are_refused(event: Event, data: st.DataObject) -> None:
    topics, payload = event.to_log()
    with pytest.raises(InvalidInputError):
        event_decoding.decode_log(topics, payload + bytes(data.draw(st.integers(1, 64))))
    if len(topics) > 1:
        with pytest.raises(InvalidInputError):
            event_decoding.decode_log(topics[:-1], payload)
    with pytest.raises(InvalidInputError):
        event_decoding.decode_log((*topics, b"\1" * 32), payload)


@given(any_event, st.data())
def test_an_altered_byte_never_decodes_to_the_same_event(event: Event, data: st.DataObject) -> None:
    topics, payload = event.to_log()
    raw = bytearray(b"".join(topics[1:]) + payload)
    if not raw:
        return
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    count = len(topics) - 1
    altered = [topics[0], *(bytes(raw[32 * i : 32 * i + 32]) for i in range(count))]
    try:
        other = event_decoding.decode_log(altered, bytes(raw[32 * count :]))
    except InvalidInputError:
        return
    assert other != event


def test_a_log_of_others_is_none() -> None:
    assert event_decoding.decode_log([keccak(text="AuthorityUpdated(address)")], bytes(32)) is None
    assert event_decoding.decode_log([], b"") is None


def test_another_events_log_is_refused() -> None:
    topics, data = events.AgreementDisposed(b"\1" * 32).to_log()
    with pytest.raises(InvalidInputError, match="AgreementActivated"):
        events.AgreementActivated.from_log(topics, data)


def test_event_names_and_topics_are_distinct_and_fit_the_evm() -> None:
    assert len({signature(event) for event in ALL}) == len(ALL)
    assert all(sum(field.indexed for field in shape(event)) <= 3 for event in ALL)


@given(bytes32, st.integers(0, 2**63), st.integers(0, 2**63), bytes32)
def test_advance_is_keccak_of_the_abi_encoding(head: bytes, block: int, timestamp: int, digest: bytes) -> None:
    wanted = keccak(abi_encode(["bytes32", "uint256", "uint256", "bytes32"], [head, block, timestamp, digest]))
    assert heads.advance(head, block=block, timestamp=timestamp, digest=digest) == wanted
    assert heads.fold_head([(block, timestamp, digest)], head) == wanted


def test_event_digest_is_over_topics_and_data() -> None:
    topics, data = events.AgreementActivated(b"\1" * 32, 7).to_log()
    assert heads.event_digest(topics, data) == keccak(b"".join(topics) + data)
    assert heads.head_slot(b"\5" * 32) == keccak(abi_encode(["bytes32", "uint256"], [b"\5" * 32, 0]))


@given(st.permutations(range(4)), st.integers(0, 3))
def test_a_history_with_a_change_gives_another_head(order: list[int], dropped: int) -> None:
    steps = [(number, 100 + number, bytes([number]) * 32) for number in range(4)]
    whole = heads.fold_head(steps)
    assert heads.fold_head(steps[:dropped] + steps[dropped + 1 :]) != whole
    assert (heads.fold_head([steps[i] for i in order]) == whole) == (list(order) == [0, 1, 2, 3])


def test_a_proposal_advances_each_pair_once() -> None:
    grants = tuple(Grant(bytes([d]) * 32, 1, bytes([r]) * 32, b"\0" * 32, 1, 0, 1) for d, r in [(1, 2), (3, 2), (1, 2)])
    terms = Terms(b"\7" * 32, 1, b"\2" * 32, (), b"\0" * 32, b"\0" * 32, 0, grants)
    event = events.AgreementProposed(b"\7" * 32, 1, b"\4" * 32, b"\5" * 32, terms)
    pairs = (recipient_key(b"\2" * 32, b"\1" * 32), recipient_key(b"\2" * 32, b"\3" * 32))
    assert heads.head_keys(event) == (b"\7" * 32, *pairs)


@given(any_event)
def test_every_event_but_the_anchors_advances_a_head(event: Event) -> None:
    assert bool(heads.head_keys(event)) == (type(event) not in event_decoding.EVENTS["CheckpointAnchor"])


def test_head_keys_of_pairs_and_versions() -> None:
    accepted = events.ResponsibilityAccepted(b"\1" * 32, b"\2" * 32, 3, b"\4" * 32)
    assert heads.head_keys(accepted) == (duty_key(3, b"\2" * 32),)
    withdrawn = events.EntryWithdrawn(b"\1" * 32, 9, b"\2" * 32, b"\3" * 32)
    assert heads.head_keys(withdrawn) == (entry_key(b"\1" * 32, 9), b"\1" * 32)
