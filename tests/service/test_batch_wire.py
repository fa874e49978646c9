"""Three spellings of a batch give the same lines, and what is no event is named by its place and field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import encode_event, parse_event, to_object
from ledger.service.batch_wire import CBOR, JSON, NDJSON, parse_batch_bytes, stated_reporter
from ledger.service.event_batches import FOLLOWS_REJECTED, MAX_BATCH_EVENTS, place_events, with_followers
from tests.domain import factories

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.event_v1 import EventV1

EVENTS = place_events([factories.event(id=f"one-{number}") for number in range(3)], next_seq=0, prev_hash=bytes(32))
LINES = tuple(encode_event(event) for event in EVENTS)
HEAD: dict[str, Any] = {
    "reporter": EVENTS[0].reporter,
    "agreement": EVENTS[0].agreement,
    "nonce": "7",
    "deadline": 1_800_000_000,
    "signer": "0x" + "ab" * 20,
    "signature": "0x" + "c0" * 65,
}


def json_body(lines: Sequence[bytes] = LINES, **changes: object) -> bytes:
    body = json.dumps({**HEAD, **changes}, sort_keys=True, separators=(",", ":")).encode()
    return body.replace(b'"nonce"', b'"events":[' + b",".join(lines) + b'],"nonce"')


def ndjson_body(lines: Sequence[bytes] = LINES, **changes: object) -> bytes:
    return b"\n".join([canonical.encode({"count": len(lines), **HEAD, **changes}), *lines, b""])


def cbor_body(events: Sequence[object] = LINES, **changes: object) -> bytes:
    return cbor2.dumps({**HEAD, **changes, "events": list(events)})


SPELLINGS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "JSON": (JSON, json_body),
    "JSON with spaces": (JSON, lambda: json.dumps(json.loads(json_body()), indent=1).encode()),
    "NDJSON": (NDJSON, ndjson_body),
    "NDJSON without a last line end": (NDJSON, lambda: ndjson_body()[:-1]),
    "NDJSON in another order": (
        NDJSON,
        lambda: ndjson_body([json.dumps(dict(reversed(to_object(event).items()))).encode() for event in EVENTS]),
    ),
    "CBOR of bytes": (CBOR, cbor_body),
    "CBOR of maps": (CBOR, lambda: cbor_body([to_object(event) for event in EVENTS])),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_is_the_same_batch(name: str) -> None:
    media_type, made = SPELLINGS[name]
    batch = parse_batch_bytes(made(), media_type=media_type, idempotency_key="mine")
    assert batch.lines == LINES
    assert batch.events == EVENTS
    assert (batch.reporter, batch.agreement, batch.nonce) == (HEAD["reporter"], HEAD["agreement"], 7)
    assert (batch.signer, batch.signature) == (b"\xab" * 20, b"\xc0" * 65)
    assert (batch.count, batch.rejected, batch.idempotency_key) == (3, (), "mine")


BAD_LINES = {
    "not JSON": (b"{", "document"),
    "empty": (b"", "document"),
    "not an object": (b"[]", ""),
    "a fraction": (LINES[1].replace(b'"size":-1', b'"size":1.5'), "size"),
    "a key twice": (b'{"id":"x",' + LINES[1][1:], "id"),
    "an unknown key": (LINES[1][:-1] + b',"zz":1}', "zz"),
    "a key missing": (LINES[1].replace(b'"size":-1,', b""), "size"),
    "not UTF-8": (LINES[1].replace(b"one-1", b"one-\xff"), "byte"),
    "too long": (LINES[1][:-1] + b" " * canonical.MAX_ENTRY_BYTES + b"}", ""),
}


@pytest.mark.parametrize("name", BAD_LINES)
@pytest.mark.parametrize("spelling", ["NDJSON", "CBOR"])
def test_a_line_that_is_no_event_is_rejected_by_its_place_and_field(name: str, spelling: str) -> None:
    line, field = BAD_LINES[name]
    lines = (LINES[0], line, LINES[2])
    body, media_type = (ndjson_body(lines), NDJSON) if spelling == "NDJSON" else (cbor_body(lines), CBOR)
    batch = parse_batch_bytes(body, media_type=media_type)
    (rejected,) = batch.rejected
    assert (rejected.place, rejected.code) == (1, "invalid_input")
    assert rejected.field.startswith(field)
    assert rejected.allowed
    assert batch.events == EVENTS[:1]
    assert (batch.lines[0], batch.lines[2], batch.count) == (LINES[0], LINES[2], 3)


def test_a_rejected_line_keeps_the_bytes_that_its_reporter_signed() -> None:
    spaced = json.dumps({**to_object(EVENTS[1]), "size": -5}, indent=None).encode()
    batch = parse_batch_bytes(ndjson_body((LINES[0], spaced, b"\xff{")), media_type=NDJSON)
    assert batch.lines[1] == canonical.encode(json.loads(spaced))
    assert batch.lines[2] == b"\xff{"
    assert [one.place for one in batch.rejected] == [1, 2]


def test_what_follows_a_rejected_event_is_rejected_for_it() -> None:
    batch = parse_batch_bytes(ndjson_body((LINES[0], b"{", LINES[2], b"[]", LINES[2])), media_type=NDJSON)
    told = with_followers(batch.rejected, batch.count)
    assert [one.place for one in told] == [1, 2, 3, 4]
    assert [one.code for one in told] == ["invalid_input", FOLLOWS_REJECTED, "invalid_input", FOLLOWS_REJECTED]
    assert with_followers((), 5) == ()


BAD_BODIES = {
    "no head": (NDJSON, b"", "head"),
    "a head without end": (NDJSON, b"{" * 5000, "head"),
    "a head that is no object": (NDJSON, b"[]\n" + LINES[0], "head"),
    "no events": (NDJSON, ndjson_body(()), "events"),
    "too many": (NDJSON, ndjson_body((b"{}",) * (MAX_BATCH_EVENTS + 1)), "events"),
    "a line lost": (NDJSON, ndjson_body(LINES[:2], count=3), "count"),
    "an unknown member": (NDJSON, ndjson_body(extra=1), "extra"),
    "a short signature": (NDJSON, ndjson_body(signature="0x00"), "signature"),
    "CBOR cut off": (CBOR, cbor_body()[:-1], "body"),
    "CBOR with a tail": (CBOR, cbor_body() + b"\0", "body"),
    "a CBOR array": (CBOR, cbor2.dumps([1]), "body"),
    "CBOR without events": (CBOR, cbor2.dumps(HEAD), "events"),
    "another count": (CBOR, cbor_body(count=2), "count"),
    "a CBOR date": (CBOR, cbor2.dumps({**HEAD, "events": [cbor2.CBORTag(0, "2020-01-01T00:00:00Z")]}), "body"),
    "a CBOR pattern": (CBOR, cbor2.dumps({**HEAD, "events": [cbor2.CBORTag(35, "(a+)+")]}), "body"),
    "a tag of no meaning": (CBOR, cbor2.dumps({**HEAD, "events": [cbor2.CBORTag(9999, 1)]}), "body"),
    "a CBOR map with a key twice": (CBOR, b"\xa2\x61a\x01\x61a\x02", "body"),
    "a huge array that is not there": (CBOR, b"\x9b\x00\x00\x00\x7f\xff\xff\xff\xff", "body"),
    "deep CBOR": (CBOR, b"\x81" * 100_000, "body"),
    "a CBOR event with a fraction": (CBOR, cbor_body([{**to_object(EVENTS[0]), "size": 0.5}]), "events[0].size"),
    "a CBOR event that is a number": (CBOR, cbor_body([cbor2.undefined]), "events[0]"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_is_no_batch_is_refused_by_its_field(name: str) -> None:
    media_type, body, field = BAD_BODIES[name]
    with pytest.raises(InvalidInputError) as refused:
        parse_batch_bytes(body, media_type=media_type)
    assert refused.value.field.removeprefix("$.").startswith(field)
    assert refused.value.allowed


def test_ten_thousand_events_are_one_batch() -> None:
    many: list[EventV1] = [EVENTS[0]] * MAX_BATCH_EVENTS
    batch = parse_batch_bytes(ndjson_body([LINES[0]] * MAX_BATCH_EVENTS), media_type=NDJSON)
    assert (batch.count, list(batch.events)) == (MAX_BATCH_EVENTS, many)
    assert parse_event(batch.lines[-1]) == EVENTS[0]


def test_the_lane_of_a_body_is_the_reporter_that_it_states() -> None:
    assert stated_reporter(ndjson_body(), NDJSON) == HEAD["reporter"]
    assert stated_reporter(json_body(), JSON) == HEAD["reporter"]
    assert stated_reporter(cbor_body(), CBOR) == ""
    assert stated_reporter(b"\xff\n", NDJSON) == ""
    assert stated_reporter(b"[" * 100_000, JSON) == ""
