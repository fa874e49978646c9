"""A batch that is read ahead by another process becomes what it becomes the long way: places, leaves and answer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ledger.bootstrap.reader_process import ReaderProcesses
from ledger.domain import canonical
from ledger.domain.event_v1 import encode_event
from ledger.native.leaves import NativeLeaves
from ledger.native.lines import NativeLines
from ledger.service.ahead_appending import append_ahead
from ledger.service.batch_lines import PythonLines
from ledger.service.batch_wire import NDJSON, parse_batch_bytes
from ledger.service.event_appending import append_batch
from ledger.service.event_documents import opened
from ledger.service.event_submission import shown
from ledger.service.leaf_making import PythonLeaves
from ledger.service.read_ahead import ReadAhead, read_ahead
from tests.api.world import PROVIDER
from tests.native.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.batch_lines import TakeApart
    from ledger.service.event_batches import SignedBatch
    from tests.api.world import World


def ndjson(batch: SignedBatch) -> bytes:
    head = {
        "reporter": batch.reporter, "agreement": batch.agreement, "nonce": str(batch.nonce), "deadline": batch.deadline,
        "signer": "0x" + batch.signer.hex(), "signature": "0x" + batch.signature.hex(), "count": len(batch.events),
    }  # fmt: skip
    return b"\n".join([canonical.encode(head), *map(encode_event, batch.events), b""])


@pytest.fixture(params=["python", "compiled"], autouse=True)
def way(request: pytest.FixtureRequest, world: World) -> str:
    """Read batches and make leaves in both ways there are."""
    world.services.leaf_maker = PythonLeaves() if request.param == "python" else NativeLeaves(compiled())
    return str(request.param)


def take_apart_of(world: World) -> TakeApart:
    """Return what takes lines apart in the way under test."""
    return NativeLines.of if isinstance(world.services.leaf_maker, NativeLeaves) else PythonLines.of


def ahead(world: World, batch: SignedBatch) -> ReadAhead:
    read = read_ahead(ndjson(batch), take_apart_of(world))
    assert read is not None
    return read


MIXED: list[dict[str, Any]] = [
    {}, {"purpose": "dpv:Marketing"}, {"correlation": "told-\u4e2d"}, {"size": 7, "source": {"a": "\u00e9", "b": 2}},
    {"kind": "STORAGE"}, {"requester": "", "recipient": ""},
    {"occurred_at_ms": 1_780_000_000_999}, {"outcome": "FAILED"},
]  # fmt: skip


def mixed(name: str) -> list[dict[str, Any]]:
    """Name the one exchange that can be told only once."""
    return [change | ({"correlation": name} if "correlation" in change else {}) for change in MIXED]


def test_leaves_and_answer_are_those_of_the_long_way(world: World, way: str) -> None:
    batch = world.batch("reporter-p", *mixed(f"told-\u4e2d-{way}"))
    answer = append_ahead(world.services, ahead(world, batch), idempotency_key=f"read-ahead-{way}")
    assert answer is not None
    # A retry goes the long way, and is answered from what is on disk.
    assert append_ahead(world.services, ahead(world, batch), idempotency_key=f"read-ahead-{way}") is None
    again = append_batch(world.services, dataclasses.replace(batch, idempotency_key=f"read-ahead-{way}"), atomic=False)
    assert msgspec.json.encode(shown(again)) == answer
    for receipt, event in zip(again.receipts, batch.events, strict=True):
        leaf, document = opened(world.services, receipt["index"])  # It raises where the leaf commits to anything else.
        assert leaf.hash().hex() == receipt["leaf_hash"]
        assert document.groups["binding"][1]["id"] == event.id  # type: ignore[index]
    assert world.do("fsck")["defects"] == []


def test_the_long_way_gives_the_same_to_the_same_events(world: World, way: str) -> None:
    """The two ways differ in salts alone: verdicts, mismatches and flags of like events are the same."""
    first, changes = mixed(f"told-slowly-{way}"), mixed(f"told-fast-{way}")
    slow = append_batch(world.services, world.batch("reporter-p", *first), atomic=True).receipts
    answer = append_ahead(world.services, ahead(world, world.batch("reporter-p", *changes)), idempotency_key="")
    assert answer is not None
    fast = msgspec.json.decode(answer)["items"]
    for name in ("verdict", "mismatches", "flags"):
        assert [one[name] for one in fast] == [one[name] for one in slow]
    assert [one["index"] for one in fast] == [one["index"] + len(MIXED) for one in slow]
    assert [list(one) for one in fast] == [list(one) for one in slow]


def _wrong_signature(batch: SignedBatch) -> SignedBatch:
    return dataclasses.replace(batch, nonce=batch.nonce + 1)


def _without_an_event(batch: SignedBatch) -> SignedBatch:
    return dataclasses.replace(batch, events=batch.events[:1] + batch.events[2:])


def _out_of_order(batch: SignedBatch) -> SignedBatch:
    return dataclasses.replace(batch, events=batch.events[::-1])


@pytest.mark.parametrize("change", [_without_an_event, _out_of_order])
def test_events_that_do_not_follow_are_left_to_the_long_way(world: World, change: Any) -> None:
    body = ndjson(change(world.batch("reporter-p", {}, {}, {})))
    assert read_ahead(body) is None
    assert read_ahead(body, take_apart_of(world)) is None


def test_a_batch_that_is_not_as_signed_is_left_to_the_long_way(world: World) -> None:
    size = world.services.log.size()
    read = ahead(world, _wrong_signature(world.batch("reporter-p", {}, {}, {})))
    assert append_ahead(world.services, read, idempotency_key="") is None
    assert world.services.log.size() == size


@pytest.mark.parametrize(
    "changes",
    [
        [{"correlation": "twice"}, {"correlation": "twice"}],
        [{"correlation": "both"}, {"correlation": "both", "side": "CONSUMER", "requester": PROVIDER}],
        [{"occurred_at_ms": 4_000_000_000_000}],
        [{"side": "CONSUMER"}],
    ],
)
def test_what_the_ledger_would_refuse_is_left_to_the_long_way(world: World, changes: list[dict[str, Any]]) -> None:
    size = world.services.log.size()
    read = ahead(world, world.batch("reporter-p", *changes))
    assert append_ahead(world.services, read, idempotency_key="") is None
    assert world.services.log.size() == size
    behind = dataclasses.replace(world.batch("reporter-p", {}))
    world.append("reporter-p", {})
    assert append_ahead(world.services, ahead(world, behind), idempotency_key="") is None


@pytest.fixture
def readers(world: World) -> Iterator[ReaderProcesses]:
    made = ReaderProcesses(2)
    yield made
    made.close()


def test_a_process_reads_what_this_one_would(world: World, readers: ReaderProcesses) -> None:
    body = ndjson(world.batch("reporter-p", *MIXED))
    told, here = readers.read(body), read_ahead(body)
    assert told is not None
    assert here is not None
    for name in ReadAhead.__struct_fields__:
        if name not in {"salts", "others"}:
            assert getattr(told, name) == getattr(here, name)
    assert told.salts != here.salts
    assert readers.read(b"not a batch") is None
    assert readers.read(body) is not None


def test_a_reader_that_died_leaves_bodies_to_others(world: World) -> None:
    reader = ReaderProcesses(1)
    body = ndjson(world.batch("reporter-p", {}))
    try:
        assert reader.read(body) is not None
        process: Any = reader._readers[0]._process
        process.kill()
        process.wait()
        assert reader.read(body) is None
        assert reader.read(body) is None
    finally:
        reader.close()
    assert parse_batch_bytes(body, media_type=NDJSON).count == 1
