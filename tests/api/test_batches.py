"""POST /v1/events: spellings and encodings of a batch, what becomes of a bad event in it, and when there is no room."""

from __future__ import annotations

import asyncio
import gzip
import threading
import zlib
from typing import TYPE_CHECKING, Any

import cbor2
import httpx
import pytest
import zstandard

from api.app import create_app
from api.arrivals import Arrivals
from ledger.domain import canonical
from ledger.domain.event_v1 import encode_event
from ledger.domain.identifiers import post_id
from ledger.domain.records import EventBatch
from ledger.domain.typed_data import digest as signing_digest
from ledger.log.tree import leaf_hash, root_of
from ledger.service.admission import QUANTUM_BYTES, Bounds
from ledger.service.event_batches import FOLLOWS_REJECTED
from ledger.service.limits import BATCH_BODY_BYTES_MAX
from ledger.service.submission import domain_of, fresh_nonce
from tests.api.apart import run_apart
from tests.api.test_problems import check
from tests.api.world import POSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.api.world import World

NDJSON = {"content-type": "application/x-ndjson"}


def lines_of(world: World, *changes: dict[str, Any], key: str = "reporter-p") -> list[bytes]:
    """Return the canonical bytes of a reporter's next events."""
    return [encode_event(event) for event in world.batch(key, *changes).events]


def head_of(world: World, lines: Sequence[bytes], *, key: str = "reporter-p") -> dict[str, Any]:
    """Return the head that signs lines, whatever they are."""
    record = EventBatch(
        post=post_id(POSTS[key][0]),
        agreement=bytes.fromhex(world.agreement),
        count=len(lines),
        root=root_of([leaf_hash(line) for line in lines]),
        nonce=fresh_nonce(),
        deadline=world.services.now_s() + 600,
    )
    signer = world.signer(key)
    signature = signer.sign_digest(signing_digest(domain_of(world.services.deployment, EventBatch), record))
    return {
        "reporter": POSTS[key][0],
        "agreement": world.agreement,
        "nonce": str(record.nonce),
        "deadline": record.deadline,
        "signer": "0x" + signer.address.hex(),
        "signature": "0x" + signature.hex(),
        "count": len(lines),
    }


def ndjson(world: World, lines: Sequence[bytes]) -> bytes:
    return b"\n".join([canonical.encode(head_of(world, lines)), *lines, b""])


class ToldArrivals(Arrivals):
    """Arrivals that tell when a body came to wait, or left."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        self._moved = asyncio.Event()

    def start_next(self) -> None:
        super().start_next()
        self._moved.set()

    async def until_waiting(self, bodies: int) -> None:
        while self.admission.figures()["waiting_bodies"] != bodies:
            self._moved.clear()
            await self._moved.wait()


def size(world: World) -> int:
    return world.services.log.size()


def test_a_batch_as_ndjson_gets_a_receipt_an_event_and_a_retry_the_same(world: World, api: httpx.Client) -> None:
    before = size(world)
    body = ndjson(world, lines_of(world, {}, {}, {}))
    answer = api.post("/v1/events", content=body, headers=NDJSON)
    assert answer.status_code == 201, answer.text
    assert [one["index"] for one in answer.json()["items"]] == [before, before + 1, before + 2]
    assert answer.json()["rejected"] == []
    again = api.post("/v1/events", content=body, headers=NDJSON)
    assert (again.status_code, again.json()) == (201, answer.json())
    assert size(world) == before + 3


@pytest.mark.parametrize("as_maps", [False, True])
def test_a_batch_as_cbor(world: World, api: httpx.Client, as_maps: bool) -> None:
    lines = lines_of(world, {}, {})
    events = [canonical.decode(line) for line in lines] if as_maps else lines
    body = cbor2.dumps({**head_of(world, lines), "events": events})
    answer = api.post("/v1/events", content=body, headers={"content-type": "application/cbor"})
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["items"]) == 2


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "identity": bytes,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoded_body_sent_in_pieces(world: World, api: httpx.Client, encoding: str) -> None:
    encoded = ENCODINGS[encoding](ndjson(world, lines_of(world, *([{}] * 50))))

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(encoded), 1_000):
            yield encoded[start : start + 1_000]

    answer = api.post("/v1/events", content=pieces(), headers={**NDJSON, "content-encoding": encoding})
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["items"]) == 50


BOMBS = {
    "gzip": gzip.compress(b" " * (BATCH_BODY_BYTES_MAX + 1)),
    "zstd": zstandard.compress(b" " * (BATCH_BODY_BYTES_MAX + 1), level=19),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_small_body_that_decodes_to_a_large_one_is_refused(api: httpx.Client, encoding: str) -> None:
    bomb = BOMBS[encoding]
    assert len(bomb) < BATCH_BODY_BYTES_MAX // 100
    document = check(
        api.post("/v1/events", content=bomb, headers={**NDJSON, "content-encoding": encoding}), 413, "body_too_large"
    )
    assert "decoded" in document["detail"]


BROKEN = {
    "not gzip": ("gzip", b"plain", 400),
    "gzip cut off": ("gzip", gzip.compress(b"x" * 1000)[:-5], 400),
    "gzip with a tail": ("gzip", gzip.compress(b"x") + b"tail", 400),
    "not zstd": ("zstd", b"plain", 400),
    "zstd cut off": ("zstd", zstandard.compress(b"x" * 1000)[:-1], 400),
    "zstd with a tail": ("zstd", zstandard.compress(b"x") + b"tail", 400),
    "another encoding": ("br", b"", 415),
    "two encodings": ("gzip, gzip", b"", 415),
    "deflate": ("deflate", zlib.compress(b"x"), 415),
    "a window beyond the limit": (
        "zstd",
        zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
        ).compress(b"\0" * (64 << 20)),
        400,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_that_is_not_of_its_encoding_is_refused(api: httpx.Client, name: str) -> None:
    encoding, body, status = BROKEN[name]
    check(api.post("/v1/events", content=body, headers={**NDJSON, "content-encoding": encoding}), status)


def test_what_stands_before_a_bad_event_is_accepted_and_each_other_is_named(world: World, api: httpx.Client) -> None:
    before = size(world)
    lines = lines_of(world, {}, {}, {}, {})
    lines[2] = lines[2].replace(b'"size":-1', b'"size":-7')
    body = ndjson(world, lines)
    answer = api.post("/v1/events", content=body, headers=NDJSON)
    assert answer.status_code == 207, answer.text
    told = answer.json()
    assert [one["index"] for one in told["items"]] == [before, before + 1]
    bad, following = told["rejected"]
    assert (bad["place"], bad["code"], bad["field"]) == (2, "invalid_input", "size")
    assert "-1" in bad["allowed"]
    assert (following["place"], following["code"], following["value"]) == (3, FOLLOWS_REJECTED, 2)
    again = api.post("/v1/events", content=body, headers=NDJSON)
    assert again.status_code == 207
    assert again.json()["items"] == told["items"]
    assert [one["place"] for one in again.json()["rejected"]] == [2, 3]
    assert size(world) == before + 2
    # The reporter mends its events and goes on from the last that was accepted.
    mended = api.post("/v1/events", content=ndjson(world, lines_of(world, {}, {})), headers=NDJSON)
    assert mended.status_code == 201


@pytest.mark.parametrize("bad", [0, 2])
def test_an_atomic_batch_with_a_bad_event_is_refused_whole(world: World, api: httpx.Client, bad: int) -> None:
    before = size(world)
    lines = lines_of(world, {}, {}, {})
    lines[bad] = b"{}"
    answer = api.post("/v1/events?atomic=true", content=ndjson(world, lines), headers=NDJSON)
    assert check(answer, 422, "invalid_input")["field"].startswith(f"events[{bad}]")
    assert size(world) == before
    assert (
        api.post("/v1/events?atomic=true", content=ndjson(world, lines_of(world, {})), headers=NDJSON).status_code
        == 201
    )


def test_a_batch_whose_first_event_is_bad_is_refused_whole(world: World, api: httpx.Client) -> None:
    before = size(world)
    lines = [b"[]", *lines_of(world, {}, {})[1:]]
    document = check(api.post("/v1/events", content=ndjson(world, lines), headers=NDJSON), 422, "invalid_input")
    assert document["field"].startswith("events[0]")
    assert size(world) == before


def test_an_event_that_the_ledger_refuses_is_named_like_one_that_is_misshapen(world: World, api: httpx.Client) -> None:
    once = {"correlation": "only-once"}
    assert api.post("/v1/events", content=ndjson(world, lines_of(world, once)), headers=NDJSON).status_code == 201
    before = size(world)
    answer = api.post("/v1/events", content=ndjson(world, lines_of(world, {}, once, {})), headers=NDJSON)
    assert answer.status_code == 207, answer.text
    bad, following = answer.json()["rejected"]
    assert (bad["place"], bad["code"]) == (1, "conflict")
    assert following["code"] == FOLLOWS_REJECTED
    assert size(world) == before + 1


def test_a_line_that_was_changed_on_its_way_refuses_the_batch(world: World, api: httpx.Client) -> None:
    before = size(world)
    body = ndjson(world, lines_of(world, {}, {}))
    changed = body.replace(b'"SUCCEEDED"', b'"FAILED"', 1)
    check(api.post("/v1/events", content=changed, headers=NDJSON), 401, "signature_refused")
    assert size(world) == before


def test_what_finds_no_room_is_told_when_to_come_again_and_is_not_lost(world: World) -> None:
    app = create_app(world.services)
    app.state.arrivals = Arrivals(Bounds(bytes_max=10_000))
    large = ndjson(world, lines_of(world, *([{}] * 40)))
    before = size(world)

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client:
            refused = await client.post("/v1/events", content=large, headers=NDJSON)
            document = check(refused, 429, "too_busy")
            assert int(refused.headers["retry-after"]) == document["retry_after_s"] >= 1
            assert size(world) == before
            app.state.arrivals = Arrivals()
            accepted = await client.post("/v1/events", content=large, headers=NDJSON)
            assert accepted.status_code == 201
            assert app.state.arrivals.admission.figures()["bytes"] == 0

    run_apart(run)
    assert size(world) == before + 40


def test_a_flood_of_one_reporter_holds_another_up_by_few_requests(world: World) -> None:
    """Counted in answers, not in time: the small reporter's is among the first."""
    app = create_app(world.services)
    app.state.arrivals = arrivals = ToldArrivals(Bounds(work_bodies_max=1))
    gate = threading.Event()
    order: list[str] = []
    flood = ndjson(world, lines_of(world, *([{}] * 20)))
    lines = lines_of(world, {"side": "CONSUMER"}, key="reporter-r")
    small = b"\n".join([canonical.encode(head_of(world, lines, key="reporter-r")), *lines, b""])

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client:

            async def send(name: str, body: bytes) -> None:
                answer = await client.post("/v1/events", content=body, headers=NDJSON)
                assert answer.status_code == 201, answer.text
                order.append(name)

            with arrivals.place("the test") as place:
                holding = asyncio.create_task(place.work("", lambda: gate.wait(60)))
                tasks = [asyncio.create_task(send("flood", flood)) for _ in range(30)]
                await arrivals.until_waiting(30)
                tasks.append(asyncio.create_task(send("small", small)))
                await arrivals.until_waiting(31)
                gate.set()
                await holding
            await asyncio.gather(*tasks)

    run_apart(run)
    assert order.index("small") <= QUANTUM_BYTES // len(flood) + 1
