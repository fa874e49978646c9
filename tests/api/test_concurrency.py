"""Many at once: a retry that overtakes its first try, posts that sign in parallel, reads beside writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.api.test_sending import assign
from tests.api.world import body_of, client

if TYPE_CHECKING:
    from tests.api.world import World


def at_once(address: str, path: str, bodies: list[dict[str, Any]], headers: dict[str, str]) -> list[Any]:
    def send(body: dict[str, Any]) -> Any:
        with client(address) as api:
            return api.post(path, json=body, headers=headers)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, bodies))


def test_the_same_batch_sent_at_once_is_appended_once(world: World, address: str) -> None:
    size = world.services.log.size()
    body = body_of(world.batch("reporter-p", {}, {}, {}))
    answers = at_once(address, "/v1/events", [body] * 8, {"Idempotency-Key": "at-once"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert world.services.log.size() == size + 3


def test_two_batches_for_one_place_in_a_stream_are_not_both_taken(world: World, address: str) -> None:
    size = world.services.log.size()
    bodies = [body_of(world.batch("reporter-p", {})) for _ in range(6)]
    answers = at_once(address, "/v1/events", bodies, {})
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert world.services.log.size() == size + 1


def test_the_same_request_sent_at_once_is_one_transaction(world: World, address: str) -> None:
    for round_ in range(12):  # A late one finds its own first try already mined.
        body = assign(world)
        answers = at_once(address, "/v1/requests", [body] * 6, {"Idempotency-Key": f"one-transaction-{round_}"})
        assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
        assert len({answer.text for answer in answers}) == 1


def test_one_key_for_two_contents_at_once_takes_one(world: World, address: str) -> None:
    bodies = [assign(world), assign(world)]
    answers = at_once(address, "/v1/requests", bodies, {"Idempotency-Key": "two-contents"})
    assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_posts_sign_in_parallel_while_others_read(world: World, address: str) -> None:
    bodies = [assign(world) for _ in range(12)]
    with client(address) as api, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(at_once, address, "/v1/requests", bodies, {})
        seen: list[int] = []
        while not sending.done():
            found = api.get("/v1/responsibilities", params={"limit": 500})
            assert found.status_code == 200
            seen.append(len(found.json()["items"]))
        assert {answer.status_code for answer in sending.result()} == {201}
        assert seen == sorted(seen)
        made = {one["assignment"] for one in api.get("/v1/responsibilities", params={"limit": 500}).json()["items"]}
        assert made >= {body["message"]["assignment"][2:] for body in bodies}
