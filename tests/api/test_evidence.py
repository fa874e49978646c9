"""Evidence over HTTP: it verifies offline, and shows nobody more than the other routes do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from ledger.evidence import fingerprint, verify
from tests.api.test_problems import check
from tests.api.test_secrecy import sealed_traces
from tests.api.world import DATASET, POSTS, REFERENCE, REQUESTER
from tests.evidence.altering import statuses

if TYPE_CHECKING:
    import httpx

    from tests.api.world import World

EVENT = "/v1/evidence/event/0"


def test_the_trust_root_comes_with_its_fingerprint(api: httpx.Client) -> None:
    answer = api.get("/v1/trust-root")
    assert answer.headers["quanze-fingerprint"] == fingerprint(answer.content)


@pytest.mark.parametrize("kind", ["agreement", "responsibility", "case"])
def test_public_evidence_verifies(world: World, api: httpx.Client, kind: str) -> None:
    names = {"agreement": REFERENCE, "responsibility": world.assignment, "case": world.open_case}
    content = api.get(f"/v1/evidence/{kind}/{names[kind]}")
    assert content.status_code == 200, content.text
    assert verify(content.content, api.get("/v1/trust-root").content).failed is None
    for trace in [*sealed_traces(world), "the decision's text", "OPEN-8"]:
        assert trace not in content.text


def test_an_answer_is_proved_by_its_id(world: World, api: httpx.Client) -> None:
    root = api.get("/v1/trust-root").content
    for path, asked in (
        ("/v1/ask/right", {"agency": REQUESTER, "dataset": DATASET}),
        ("/v1/ask/responsible", {"duty": "DELIVER", "object": world.agreement}),
        ("/v1/ask/history", {"case": world.open_case}),
    ):
        answer = api.get(path, params=asked).json()
        content = api.get(f"/v1/evidence/answer/{answer['id']}")
        assert content.status_code == 200, content.text
        assert verify(content.content, root).failed is None


def test_an_events_evidence_is_for_its_parties(world: World, api: httpx.Client) -> None:
    check(api.get(EVENT), 401, "signature_missing")
    check(api.get(EVENT, headers=world.authorization("stranger", EVENT)), 404, "not_found")
    given = api.get(EVENT, headers=world.authorization("head-r", EVENT))
    assert given.status_code == 200, given.text
    assert given.headers["cache-control"] == "private, no-store"
    assert verify(given.content, api.get("/v1/trust-root").content).failed is None
    some = f"{EVENT}?disclose=exchange"
    less = api.get(some, headers=world.authorization("head-r", some))
    assert "corr-" in given.text
    assert "corr-" not in less.text
    proof = api.get("/v1/ask/prove?event=0").json()["id"]
    check(api.get(f"/v1/evidence/answer/{proof}"), 401, "signature_missing")


@pytest.mark.parametrize("kind", ["events", "stream"])
def test_groups_of_many_events_may_be_withheld(world: World, api: httpx.Client, kind: str) -> None:
    asked = "0..2" if kind == "events" else f"{POSTS['reporter-p'][0]}|{world.agreement}|0..2"
    path = f"/v1/evidence/{kind}/{quote(asked, safe='')}"
    check(api.get(path), 401, "signature_missing")
    check(api.get(path, headers=world.authorization("stranger", path)), 404, "not_found")
    root = api.get("/v1/trust-root").content
    for disclose, steps, secret in (
        ("", "PPPPPPPPP", True),
        ("?disclose=exchange", "PPPPPPNNN", False),
        ("?disclose=binding,exchange", "PPPPPPPNP", False),
        ("?disclose=detail", "PPPPPPNNN", True),
    ):
        target = path + disclose
        given = api.get(target, headers=world.authorization("head-r", target))
        assert given.status_code == 200, given.text
        assert given.headers["cache-control"] == "private, no-store"
        assert statuses(given.content, root) == steps
        assert ("corr-" in given.text) == secret
    target = f"{path}?disclose=everything"
    found = check(api.get(target, headers=world.authorization("head-r", target)), 422, "invalid_input")
    assert "binding, detail, exchange" in found["detail"]


def test_a_sealed_case_has_no_evidence(world: World, api: httpx.Client) -> None:
    missing = "ab" * 32
    found = check(api.get(f"/v1/evidence/case/{world.sealed_case}"), 404)
    assert (
        found["detail"].replace(world.sealed_case, missing)
        == check(api.get(f"/v1/evidence/case/{missing}"), 404)["detail"]
    )
    check(api.get("/v1/evidence/case/SEALED-7"), 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/evidence/person/1", 422),
        ("/v1/evidence/answer/zzzz", 404),
        ("/v1/evidence/answer/e30", 404),
        ("/v1/evidence/agreement/none", 404),
        ("/v1/evidence/responsibility/none", 404),
        (f"/v1/evidence/agreement/{REFERENCE}?disclose=title", 422),
    ],
)
def test_what_has_no_evidence_is_told(api: httpx.Client, path: str, status: int) -> None:
    check(api.get(path), status)
