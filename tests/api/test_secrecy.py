"""What nobody may see is in no answer: sealed cases, what events say, and keys of the home at work."""

from __future__ import annotations

import ast
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.routes import GETS, filled, working
from tests.api.test_problems import check
from tests.api.world import POSTS, PROVIDER, REFERENCE, REQUESTER, client, make_world, sealed_traces, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.api.world import World

ROOT = Path(__file__).parents[2]
EVENT = "/v1/events/0"


def everything(world: World, api: httpx.Client) -> dict[str, str]:
    """Return the text of every public answer by its address, pages of one item included."""
    addresses = [*working(world).values(), *(f"/v1/events/{index}" for index in range(world.services.log.size()))]
    addresses += [f"/v1/ask/prove?event={index}" for index in range(world.services.log.size())]
    addresses += [f"{path}?limit=1" for path in GETS if path in {"/v1/notices", "/v1/events", "/v1/log/anchors"}]
    return {address: api.get(address).text for address in addresses}


def test_a_sealed_case_is_in_no_answer(world: World, api: httpx.Client) -> None:
    traces = sealed_traces(world)
    assert len(traces) >= 5
    for address, text in everything(world, api).items():
        for trace in traces:
            assert trace not in text, address


@pytest.mark.parametrize("asked", ["/v1/notices/{}", "/v1/ask/history?case={}"])
def test_a_sealed_case_is_like_one_that_does_not_exist(world: World, api: httpx.Client, asked: str) -> None:
    for name in (world.sealed_case, world.sealed_case[:10], "SEALED-7"):
        unknown = ("ab" * 32)[: len(name)]
        found = check(api.get(asked.format(name)), 404)
        missing = check(api.get(asked.format(unknown)), 404)
        assert {**found, "detail": "", "instance": "", "value": ""} == {
            **missing,
            "detail": "",
            "instance": "",
            "value": "",
        }
        assert found["detail"].replace(name, "") == missing["detail"].replace(unknown, "")


def test_no_number_tells_of_a_sealed_case(world: World, api: httpx.Client) -> None:
    before = everything(world, api)
    counters = api.get("/v1/status").json()["counters"]
    world.do("case.file", respondent=PROVIDER, post=POSTS["inspector"][0], violations=["decree809:R6"])
    after = api.get("/v1/status").json()["counters"]
    assert counters == after
    notices = api.get("/v1/notices").json()
    assert world.sealed_case not in before["/v1/notices"]
    assert all(one["respondent"] for one in notices["items"])


def test_a_case_shows_only_what_is_public_of_its_steps(world: World, api: httpx.Client) -> None:
    shown = api.get(f"/v1/notices/{world.open_case}")
    assert "the sealed facts" not in shown.text
    assert "the decision's text" not in shown.text
    assert "OPEN-8" not in shown.text
    steps = {step["step"]: step["opened"] for step in shown.json()["steps"]}
    assert steps["NOTICE_ISSUED"] == {
        "text": "a notice that anyone may read",
        "respondent": REQUESTER,
        "violations": ["decree809:R6"],
        "measures": ["ORDER_TO_CORRECT"],
    }
    assert steps["FILED"] == steps["DECIDED"] == {}


def test_a_private_commitment_repeated_as_a_public_text_stays_closed(world: World, api: httpx.Client) -> None:
    filing = next(
        document
        for document in world.services.directory.documents_about(bytes.fromhex(world.sealed_case))
        if document.extra.get("step") == "FILED"
    )
    assert world.services.directory.document(filing.commitment) is not None
    assert world.services.directory.public_document(filing.commitment) is None


def test_no_public_answer_says_what_an_event_says(world: World, api: httpx.Client) -> None:
    told = ["exchange-", "corr-", "dpv:Marketing", "PURPOSE_NOT_GRANTED", POSTS["reporter-p"][0]]
    for address, text in everything(world, api).items():
        if address in {"/v1/openapi.json", "/v1/status"} or address.startswith(("/v1/posts", "/v1/keys")):
            continue  # Examples, totals of all events together, and the registry, which names the reporting posts.
        for trace in told:
            if trace == POSTS["reporter-p"][0] and address.startswith(f"/v1/agencies/{PROVIDER}"):
                continue
            assert trace not in text, (trace, address)
    check(api.get("/v1/events/exchange-0"), 404)
    check(api.get("/v1/ask/prove?event=exchange-0"), 404)


@pytest.mark.parametrize("key", ["reporter-p", "head-p", "head-r", "reporter-r", "inspector", "authority"])
def test_a_party_and_a_supervisor_read_what_an_event_says(world: World, api: httpx.Client, key: str) -> None:
    shown = api.get(EVENT, headers=world.authorization(key, EVENT))
    assert shown.status_code == 200
    assert shown.json()["event"]["reporter"] == POSTS["reporter-p"][0]
    assert shown.headers["cache-control"] == "private, no-store"
    assert "etag" not in shown.headers
    by_id = f"/v1/events/{shown.json()['event']['id']}"
    assert api.get(by_id, headers=world.authorization(key, by_id)).json() == shown.json()
    asked = "/v1/ask/prove?event=0"
    answer = api.get(asked, headers=world.authorization(key, asked)).json()
    assert answer["verdict_recomputed"] == "SAME"


@pytest.mark.parametrize("key", ["stranger", "reviewer", "assessor", "platform", "superior"])
def test_another_post_is_told_that_there_is_no_such_event(world: World, api: httpx.Client, key: str) -> None:
    check(api.get(EVENT, headers=world.authorization(key, EVENT)), 404)


def test_a_signed_read_is_for_its_address_and_its_time(world: World, api: httpx.Client) -> None:
    good = world.authorization("head-p", EVENT)
    check(api.get("/v1/events/1", headers=good), 401, "signature_refused")
    late = world.authorization("head-p", EVENT, deadline=int(time.time()) - 5)
    document = check(api.get(EVENT, headers=late), 401, "signature_refused")
    assert "deadline" in document["detail"]
    assert api.get(EVENT, headers=late).headers["www-authenticate"] == "Quanze"
    for header in ("Basic abc", "Quanze", "Quanze ***", "Quanze e30", "Quanze W10"):
        check(api.get(EVENT, headers={"Authorization": header}), 422, "invalid_input")


def test_a_reporter_is_told_the_last_of_its_own_events_only(world: World, api: httpx.Client) -> None:
    asked = f"/v1/events/last?reporter={POSTS['reporter-p'][0]}&agreement={REFERENCE}"
    held = world.services.intake.stream(POSTS["reporter-p"][0], world.agreement)
    told = api.get(asked, headers=world.authorization("reporter-p", asked))
    assert told.json()["last_seq"] == held.next_seq - 1
    assert told.json()["last_hash"] == held.last_event.hex()
    assert told.headers["cache-control"] == "private, no-store"
    check(api.get(asked), 401, "signature_missing")
    check(api.get(asked, headers=world.authorization("reporter-r", asked)), 403)
    none = f"/v1/events/last?reporter={POSTS['reporter-p'][0]}"
    assert api.get(none, headers=world.authorization("reporter-p", none)).json()["last_seq"] == -1


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """A home that was made for a demonstration."""
    made = make_world(tmp_path_factory.mktemp("demonstration") / "home", demonstration=True)
    made.append("reporter-p", {})
    made.do("anchor")
    with serving(made.services) as address:
        yield made, address
    made.services.close()


def test_a_demonstration_shows_its_events_and_says_so(demonstration: tuple[World, str]) -> None:
    world, address = demonstration
    with client(address) as api:
        shown = api.get(EVENT).json()
        assert shown["demonstration"] is True
        assert shown["event"]["provider"] == PROVIDER
        assert api.get("/v1/ask/prove?event=0").json()["demonstration"] is True
        assert api.get("/v1/events").json()["demonstration"] is True
        assert api.get("/v1/status").json()["demonstration"] is True
        last = api.get(f"/v1/events/last?reporter={POSTS['reporter-p'][0]}&agreement={REFERENCE}")
        assert last.json()["last_seq"] == 0
        for text in everything(world, api).values():
            assert not any(trace in text for trace in sealed_traces(world))


class _WatchedKeyring:
    """The home's keyring, which counts whose keys were asked for."""

    def __init__(self, keyring: Any) -> None:
        self._keyring = keyring
        self.asked: list[str] = []

    def signer(self, name: str) -> Any:
        self.asked.append(name)
        return self._keyring.signer(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keyring, name)


def test_no_route_asks_for_a_key_of_a_post(world: World, api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = _WatchedKeyring(world.services.keyring)
    monkeypatch.setattr(world.services, "keyring", watched)
    everything(world, api)
    for path in GETS:
        api.get(filled(path, "1"))
    for path in ("/v1/events", "/v1/typed-data", "/v1/requests", "/rpc"):
        api.post(path, json={"type": "Sign", "message": {}, "signer": "0x", "signature": "0x"})
    assert watched.asked == []


def test_the_api_imports_no_use_case_that_signs_with_the_homes_keys() -> None:
    signers = {("ledger.service.keys", name) for name in ("signer_for_post", "root_signer", "key_named")}
    signers |= {("ledger.service.submission", "sign_request"), ("ledger.service.event_batches", "sign_batch")}
    using = _uses()
    while more := {function for function, used in using.items() if used & signers} - signers:
        signers |= more
    assert {"sign_agreement", "file_case", "add_agency", "append_lines", "assign_duty"} <= {name for _, name in signers}
    imported = {
        (node.module, alias.name)
        for path in (ROOT / "api").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert ("ledger.service.signed_requests", "send_signed") in imported
    assert not imported & signers
    assert "dispatch" not in "".join(path.read_text() for path in (ROOT / "api").rglob("*.py"))


def _uses() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return what each function of the use-cases names, as (module, name)."""
    using: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for path in (ROOT / "ledger/service").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text())
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        known = {function.name: (module, function.name) for function in functions}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                known |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        for function in functions:
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            using[module, function.name] = {known[name] for name in names if name in known}
    return using
