"""POST /v1/events: the signature is the authority, a retry gets its first answer, a refusal leaves no trace."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from ledger.domain import canonical
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.service.event_batches import sign_batch
from ledger.service.intake import senders_key
from tests.api.test_problems import check
from tests.api.world import PROVIDER, body_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.api.world import World


def held(world: World) -> tuple[int, int, int, int]:
    """Return how much every store holds."""
    services = world.services
    keys: Any = services.intake.keys
    return services.log.size(), services.events.end(), services.state.refresh().number, len(keys)


def test_a_batch_is_answered_with_a_receipt_an_event(world: World, api: httpx.Client) -> None:
    before = world.services.log.size()
    answer = api.post("/v1/events", json=body_of(world.batch("reporter-p", {}, {"purpose": "dpv:Marketing"})))
    assert answer.status_code == 201
    first, second = answer.json()["items"]
    assert (first["index"], second["index"]) == (before, before + 1)
    assert "PURPOSE_NOT_GRANTED" in second["mismatches"]
    assert "PURPOSE_NOT_GRANTED" not in first["mismatches"]
    leaf = api.get(f"/v1/events/{first['index']}").json()
    assert leaf["leaf_hash"] == first["leaf_hash"]
    assert leaf["leaf"]["block_hash"] == first["block_hash"]


def test_canonical_and_other_spellings_are_one_batch(world: World, api: httpx.Client) -> None:
    body = body_of(world.batch("reporter-p", {}, {}))
    spaced = api.post("/v1/events", content=json.dumps(body, indent=2), headers={"content-type": "application/json"})
    assert spaced.status_code == 201
    again = api.post("/v1/events", content=canonical.encode(body))
    assert (again.status_code, again.json()) == (201, spaced.json())


def test_a_retry_gets_the_first_answer_even_after_its_deadline(
    world: World, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline = world.services.now_s() + 30  # Block times of this ledger run ahead of the clock.
    body = body_of(world.batch("reporter-p", {}, deadline=deadline))
    headers = {"Idempotency-Key": "a-retry"}
    first = api.post("/v1/events", json=body, headers=headers)
    assert first.status_code == 201
    before = held(world)
    later = _LaterClock(deadline - int(time.time()) + 30)
    monkeypatch.setattr(world.services, "clock", later)
    again = api.post("/v1/events", json=body, headers=headers)
    without_key = api.post("/v1/events", json=body)
    assert first.json() == again.json() == without_key.json()
    assert held(world) == before
    expired = body_of(world.batch("reporter-p", {}, deadline=deadline))
    check(api.post("/v1/events", json=expired), 401, "signature_refused")


def test_a_used_nonce_with_other_content_is_a_conflict_that_names_both_digests(world: World, api: httpx.Client) -> None:
    batch = world.batch("reporter-p", {})
    assert api.post("/v1/events", json=body_of(batch)).status_code == 201
    other = dataclasses.replace(world.batch("reporter-p", {}), nonce=batch.nonce)
    document = check(api.post("/v1/events", json=body_of(_signed_again(world, other))), 409, "conflict")
    assert document["what"] == "nonce"
    assert len(document["first"]) == len(document["given"]) == 64
    assert document["first"] != document["given"]


def test_a_used_idempotency_key_with_other_content_is_a_conflict_after_a_restart_too(
    world: World, api: httpx.Client
) -> None:
    headers = {"Idempotency-Key": "one-key"}
    assert api.post("/v1/events", json=body_of(world.batch("reporter-p", {})), headers=headers).status_code == 201
    other = body_of(world.batch("reporter-p", {}))
    document = check(api.post("/v1/events", json=other, headers=headers), 409, "conflict")
    assert document["what"] == "idempotency key"
    assert document["first"] != document["given"]
    streams = dict(world.services.intake.streams)
    world.services.intake.load(world.services.log, world.services.events)
    assert world.services.intake.streams == streams
    check(api.post("/v1/events", json=other, headers=headers), 409, "conflict")
    foreign = body_of(world.batch("reporter-r", {"side": "CONSUMER"}))  # Another signer's key of the same name.
    assert api.post("/v1/events", json=foreign, headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "caf\u00e9".encode(), "a\tb"])
def test_an_idempotency_key_has_a_bounded_plain_form(world: World, api: httpx.Client, key: str | bytes) -> None:
    answer = api.post("/v1/events", json=body_of(world.batch("reporter-p", {})), headers={"Idempotency-Key": key})
    if key == "":
        assert answer.status_code == 201
    else:
        assert check(answer, 422)["field"] == "Idempotency-Key"


def _foreign(world: World) -> dict[str, Any]:
    body = body_of(world.batch("reporter-p", {}))
    return {**body, "signer": "0x" + world.signer("reporter-r").address.hex()}


def _altered(world: World) -> dict[str, Any]:
    body = body_of(world.batch("reporter-p", {}))
    body["events"][0]["outcome"] = "FAILED"
    return body


def _expired(world: World) -> dict[str, Any]:
    return body_of(world.batch("reporter-p", {}, deadline=int(time.time()) - 5))


def _other_posts_key(world: World) -> dict[str, Any]:
    batch = world.batch("reporter-p", {})
    signed = sign_batch(
        world.services.deployment, world.signer("stranger"), batch.events, deadline=int(time.time()) + 60
    )
    return body_of(signed)


def _post_without_the_role(world: World) -> dict[str, Any]:
    return body_of(world.batch("dept-p", {}))


def _other_sides_record(world: World) -> dict[str, Any]:
    return body_of(world.batch("stranger", {}))


@pytest.mark.parametrize(
    ("made", "status", "reason"),
    [
        (_foreign, 401, "not the stated signer"),
        (_altered, 401, "not the stated signer"),
        (_expired, 401, "deadline"),
        (_other_posts_key, 403, "UnauthorisedSigner"),
        (_post_without_the_role, 403, "MissingRole"),
        (_other_sides_record, 403, "own agency"),
    ],
)
def test_a_signature_without_the_right_leaves_only_an_audit_line(
    world: World, api: httpx.Client, made: Callable[[World], dict[str, Any]], status: int, reason: str
) -> None:
    body = made(world)
    before = held(world)
    with structlog.testing.capture_logs() as lines:
        document = check(api.post("/v1/events", json=body, headers={"Idempotency-Key": "never"}), status)
    assert reason in document["detail"]
    assert held(world) == before
    never = senders_key(bytes.fromhex(body["signer"][2:]), "never")
    assert world.services.intake.keys.find([never]) == {}
    (line,) = [one for one in lines if one["event"] == "request_refused"]
    assert (line["status"], line["path"], line["method"]) == (status, "/v1/events", "POST")
    assert body["signature"] not in str(line)
    assert "exchange-" not in str(line)


def test_a_deadline_far_off_is_refused(world: World, api: httpx.Client) -> None:
    before = held(world)
    far = max(int(time.time()), world.services.state.refresh().timestamp) + EVENT_DEADLINE_MAX_S + 60
    body = body_of(world.batch("reporter-p", {}, deadline=far))
    assert check(api.post("/v1/events", json=body), 422, "invalid_input")["field"] == "deadline"
    assert held(world) == before


def test_a_gap_or_a_repetition_in_the_stream_is_a_conflict(world: World, api: httpx.Client) -> None:
    first, second = world.batch("reporter-p", {}), world.batch("reporter-p", {})
    assert api.post("/v1/events", json=body_of(first)).status_code == 201
    document = check(api.post("/v1/events", json=body_of(second)), 409)
    assert document["what"] == "stream"
    assert document["next_seq"] == document["given_seq"] + 1


def _with_event(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], bytes]:
    def made(body: dict[str, Any]) -> bytes:
        change(body["events"][0])
        return json.dumps(body).encode()

    return made


def _replaced(old: bytes, new: bytes) -> Callable[[dict[str, Any]], bytes]:
    def made(body: dict[str, Any]) -> bytes:
        text = canonical.encode(body)
        assert old in text
        return text.replace(old, new, 1)

    return made


BAD = {
    "empty": (lambda _: b"", "document"),
    "not JSON": (lambda _: b"{", "document"),
    "not an object": (lambda _: b"[]", "body"),
    "invalid UTF-8": (lambda body: canonical.encode(body).replace(b"exchange-", b"\xff\xfe", 1), "events[0].byte"),
    "a key twice": (_replaced(b'{"agreement"', b'{"nonce":"1","agreement"'), "nonce"),
    "a key twice in an event": (_replaced(b'"events":[{', b'"events":[{"id":"other",'), "events[0].id"),
    "NaN": (_replaced(b'"size":-1', b'"size":NaN'), "events[0].size"),
    "a fraction": (_replaced(b'"size":-1', b'"size":1.5'), "events[0].size"),
    "beyond 2^63": (_replaced(b'"size":-1', b'"size":9223372036854775808'), "events[0].size"),
    "beyond 2^256": (_replaced(b'"size":-1', b'"size":' + b"9" * 90), "events[0].size"),
    "a nonce beyond 2^256": (lambda body: json.dumps({**body, "nonce": str(2**256)}).encode(), "nonce"),
    "a number as nonce": (lambda body: json.dumps({**body, "nonce": 5}).encode(), "nonce"),
    "an unknown field": (lambda body: json.dumps({**body, "extra": 1}).encode(), "extra"),
    "a field missing": (lambda body: json.dumps({k: v for k, v in body.items() if k != "signer"}).encode(), "signer"),
    "an unknown field of an event": (_with_event(lambda event: event.update(extra=1)), "events[0].extra"),
    "a field of an event missing": (_with_event(lambda event: event.pop("size")), "events[0].size"),
    "text not in NFC": (_with_event(lambda event: event.update(id="e\u0301")), "events[0].id"),
    "no events": (lambda body: json.dumps({**body, "events": []}).encode(), "events"),
    "too many events": (lambda body: json.dumps({**body, "events": [{}] * 10_001}).encode(), "events"),
    "a bad signature text": (lambda body: json.dumps({**body, "signature": "0xzz"}).encode(), "signature"),
    "a short signature": (lambda body: json.dumps({**body, "signature": "0x00"}).encode(), "signature"),
    "deep nesting": (lambda _: b"[" * 100_000, ""),
    "in the future": (_with_event(lambda event: event.update(occurred_at_ms=2**52)), None),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_refused_by_its_field(world: World, api: httpx.Client, name: str) -> None:
    made, field = BAD[name]
    body = made(body_of(world.batch("reporter-p", {})))
    before = held(world)
    answer = api.post("/v1/events", content=body, headers={"content-type": "application/json"})
    if field is None:  # Well formed, but not what was signed.
        check(answer, 401)
    else:
        document = check(answer, 422, "invalid_input")
        assert document["field"].removeprefix("$.").startswith(field)
        assert document["allowed"]
    assert held(world) == before


def test_an_event_in_the_future_is_refused_by_its_field(world: World, api: httpx.Client) -> None:
    batch = world.batch("reporter-p", {"occurred_at_ms": int(time.time() * 1000) + 3_600_000})
    assert check(api.post("/v1/events", json=body_of(batch)), 422)["field"] == "events[0].occurred_at_ms"


def test_one_reporter_tells_one_side_and_each_exchange_once(world: World, api: httpx.Client) -> None:
    told = {"correlation": "told-once"}
    assert api.post("/v1/events", json=body_of(world.batch("reporter-p", told))).status_code == 201
    check(api.post("/v1/events", json=body_of(world.batch("reporter-p", told))), 409)
    other = {**told, "side": "CONSUMER", "requester": PROVIDER}
    check(api.post("/v1/events", json=body_of(world.batch("reporter-p", other))), 403)


class _LaterClock:
    """The machine's clock, some seconds on."""

    def __init__(self, seconds: int) -> None:
        self._ms = seconds * 1000

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._ms


def _signed_again(world: World, batch: Any) -> Any:
    from ledger.domain.event_v1 import digest
    from ledger.domain.records import EventBatch
    from ledger.domain.typed_data import digest as signing_digest
    from ledger.service.event_batches import batch_record
    from ledger.service.submission import domain_of

    record = batch_record(batch, [digest(event) for event in batch.events])
    signed = signing_digest(domain_of(world.services.deployment, EventBatch), record)
    return dataclasses.replace(batch, signature=world.signer("reporter-p").sign_digest(signed))
