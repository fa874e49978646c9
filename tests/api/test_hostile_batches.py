"""What a hostile reporter, body or node does to those who are honest: nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from ledger.bootstrap import child_process
from ledger.bootstrap.reader_process import ReaderProcesses
from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, UnavailableError
from ledger.domain.records import EventBatch
from ledger.log.tree import leaf_hash
from ledger.service import event_appending, intake
from ledger.service.batch_wire import CBOR, JSON, NDJSON, parse_batch_bytes
from ledger.service.body_bounds import MAX_VALUES
from ledger.service.event_appending import append_batch, append_signed_batch
from ledger.service.event_batches import batch_record
from ledger.service.submission import domain_of
from tests.api.test_reading_ahead import ndjson

if TYPE_CHECKING:
    from tests.api.world import World


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (JSON, b'{"events":[' + b"1," * (MAX_VALUES + 1) + b"1]}"),
        (JSON, b"[" * (MAX_VALUES + 2)),
        (CBOR, b"\xa1\x66events\x9a" + (MAX_VALUES + 1).to_bytes(4, "big") + b"\xa0" * (MAX_VALUES + 1)),
        (CBOR, b"\xa1\x66events\x9b" + b"\xff" * 8),
        (CBOR, b"\xbf\x66events\xff"),
        (CBOR, b"\xa1\x66eve"),
        (NDJSON, b'{"reporter":"x"}' + b"\n" * 20_000),
    ],
)  # fmt: skip
def test_a_body_of_countless_values_is_refused_before_they_are_made(media_type: str, body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_batch_bytes(body, media_type=media_type)


def test_a_body_that_no_reader_expects_leaves_the_reader_at_work(world: World) -> None:
    reader = ReaderProcesses(1)
    good = ndjson(world.batch("reporter-p", {}))
    try:
        assert reader.read(good) is not None
        first = reader._readers[0]._process
        for bad in (good.replace(world.agreement.encode(), b"zz", 1), b"", b"\n", b'{"reporter":1}\n\n', b"\xff" * 99):
            assert reader.read(bad) is None
        assert reader.read(good) is not None
        assert reader._readers[0]._process is first
    finally:
        reader.close()


def test_a_reader_that_died_is_started_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "REST_S", 0.0)
    reader = ReaderProcesses(1)
    good = ndjson(world.batch("reporter-p", {}))
    try:
        assert reader.read(good) is not None
        process: Any = reader._readers[0]._process
        process.kill()
        process.wait()
        assert reader.read(good) is None
        assert reader.read(good) is not None
    finally:
        reader.close()


def test_half_a_character_in_a_rejected_line_harms_nobody(world: World) -> None:
    """It is told as what can be told of it, and the batch is kept and answered again like any other."""
    good = world.batch("reporter-p", {})
    lines = (*good.lines, b'{"\\ud800":1}') if good.lines else (*map(_line, good.events), b'{"\\ud800":1}')
    unsigned = dataclasses.replace(good, lines=lines)
    from ledger.domain.typed_data import digest as signing_digest

    record = batch_record(unsigned, [leaf_hash(line) for line in lines])
    signature = world.signer("reporter-p").sign_digest(
        signing_digest(domain_of(world.services.deployment, EventBatch), record)
    )
    rejected = event_appending.Rejected(1, "invalid_input", "\ud800", "\udfff", "no \ud800")
    batch = dataclasses.replace(unsigned, signature=signature, rejected=(rejected,))
    answer = append_batch(world.services, batch, atomic=False)
    assert [one.field for one in answer.rejected] == ["?"]
    assert append_batch(world.services, batch, atomic=False) == answer
    append_signed_batch(world.services, world.batch("reporter-r", {"side": "CONSUMER"}))


def _line(event: Any) -> bytes:
    from ledger.domain.event_v1 import encode_event

    return encode_event(event)


def test_correlations_with_one_key_are_told_apart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reporter that finds two correlations with one key must not get the first told twice."""
    real = intake.pairing_keys
    monkeypatch.setattr(event_appending, "pairing_keys", lambda events: [4 + key % 2 for key in real(events)])
    world.append("reporter-p", {"correlation": "first"})
    with pytest.raises(ConflictError, match="cannot be told from another"):
        world.append("reporter-p", {"correlation": "second"})
    with pytest.raises(ConflictError, match=r"in the ledger already|other content"):
        world.append("reporter-p", {"correlation": "first"})


def test_a_node_that_is_behind_takes_no_block_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    services: Any = world.services
    (told,) = world.append("reporter-p", {})
    newest = services.state.refresh()
    older = services.chain.block(newest.number - 1).ref
    with monkeypatch.context() as patched:
        patched.setattr(services.chain, "final_block", lambda: older)
        assert services.state.refresh() == newest
        (after,) = world.append("reporter-p", {})
        assert after["block"] >= told["block"]
        other = dataclasses.replace(newest, hash=bytes(32))
        patched.setattr(services.chain, "final_block", lambda: other)
        with pytest.raises(IntegrityError, match="another now"):
            services.state.refresh()
    with monkeypatch.context() as patched:
        patched.setattr(services.intake, "last_block", newest.number + 5)
        with pytest.raises(UnavailableError, match="behind"):
            world.append("reporter-p", {})
