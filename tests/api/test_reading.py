"""Reading: pages join without a gap, the same answer is sent once, and what an answer claims can be checked."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.log.checkpoint import open_checkpoint
from ledger.log.client import read_checkpoint, read_entry, verify_log
from ledger.log.errors import MissingFileError
from ledger.log.note import Ed25519Verifier
from ledger.log.proofs import verify_consistency, verify_inclusion
from ledger.log.tree import leaf_hash
from tests.api.routes import working
from tests.api.test_problems import check
from tests.api.world import DATASET, POSTS, PROVIDER, REFERENCE, REQUESTER, STRANGER, UNSHARED, client

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.api.world import World

PAGED = {
    "/v1/agencies": "agency",
    "/v1/posts": "post",
    "/v1/keys": "key",
    "/v1/catalogue": "dataset",
    "/v1/agreements": "agreement",
    "/v1/grants": "agreement",
    "/v1/responsibilities": "assignment",
    "/v1/notices": "case",
    "/v1/events": "index",
    "/v1/log/anchors": "size",
}


@pytest.mark.parametrize("path", PAGED)
def test_pages_of_one_join_to_the_whole(api: httpx.Client, path: str) -> None:
    whole = [one[PAGED[path]] for one in api.get(path, params={"limit": 500}).json()["items"]]
    assert whole
    walked: list[Any] = []
    answer = api.get(path, params={"limit": 1})
    while True:
        page = answer.json()
        assert len(page["items"]) == 1
        walked += [one[PAGED[path]] for one in page["items"]]
        if not page["next"]:
            assert "link" not in answer.headers
            break
        following = answer.links["next"]["url"]
        assert api.get(path, params={"limit": 1, "after": page["next"]}).json() == api.get(following).json()
        answer = api.get(following)
    assert walked == whole


def test_lists_are_narrowed(api: httpx.Client) -> None:
    posts = api.get("/v1/posts", params={"agency": PROVIDER}).json()["items"]
    assert {one["agency"] for one in posts} == {PROVIDER}
    keys = api.get("/v1/keys", params={"post": POSTS["head-p"][0]}).json()["items"]
    assert {one["post"] for one in keys} == {POSTS["head-p"][0]}
    assert api.get("/v1/agreements", params={"party": STRANGER}).json()["items"] == []
    assert api.get("/v1/agreements", params={"status": "ACTIVE"}).json()["items"][0]["reference"] == REFERENCE
    assert api.get("/v1/agreements", params={"status": "TERMINATED"}).json()["items"] == []
    entries = {one["dataset"]: one["attribute"] for one in api.get("/v1/catalogue").json()["items"]}
    assert entries == {DATASET: "CONDITIONAL", UNSHARED: "NOT_SHARED"}


def test_what_is_shared_between_two_agencies(api: httpx.Client) -> None:
    found = api.get("/v1/grants", params={"provider": PROVIDER, "recipient": REQUESTER, "in_force": "true"}).json()
    (agreement,) = found["items"]
    (grant,) = agreement["grants"]
    assert agreement["legal_bases"] == ["law:Decree-809"]
    assert (grant["dataset"], grant["purpose"], grant["valid_to"]) == (DATASET, "dpv:PublicHealth", "")
    assert grant["in_force"] is True
    assert api.get("/v1/grants", params={"provider": REQUESTER}).json()["items"] == []


def test_the_same_answer_is_not_sent_twice(world: World, api: httpx.Client) -> None:
    for path, address in working(world).items():
        first = api.get(address)
        if path in {"/health", "/ready", "/metrics"}:  # What is so at this moment is kept by nobody.
            assert "etag" not in first.headers
            assert first.headers["cache-control"] == "no-store"
            continue
        tag = first.headers["etag"]
        again = api.get(address, headers={"If-None-Match": f'"other", {tag}'})
        if again.status_code == 200:  # Answers that say when they were asked change with the second.
            assert path.startswith(("/v1/ask", "/v1/responsibilities"))
            continue
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert api.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_only_public_reads_are_open_to_pages_of_other_origins(world: World, api: httpx.Client) -> None:
    assert api.get("/v1/agencies").headers["access-control-allow-origin"] == "*"
    asked = "/v1/events/0"
    private = api.get(asked, headers=world.authorization("head-p", asked))
    posted = api.post("/v1/typed-data", json={"type": "Sign", "message": {}})
    for answer in (private, posted, api.get("/health"), api.options("/v1/events")):
        assert "access-control-allow-origin" not in answer.headers


def test_every_answer_carries_the_security_headers(world: World, api: httpx.Client) -> None:
    for address in working(world).values():
        headers = api.get(address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "cache-control" in headers


def test_an_entry_can_be_checked_with_its_answer_and_the_logs_key_alone(world: World, api: httpx.Client) -> None:
    verifier = Ed25519Verifier.from_vkey(world.services.deployment.log_vkey)
    shown = api.get("/v1/events/1").json()
    proof = shown["inclusion"]
    checkpoint = open_checkpoint(proof["checkpoint"].encode(), verifier)
    assert (checkpoint.size, checkpoint.root.hex()) == (proof["size"], proof["root"])
    leaf = leaf_hash(shown["leaf_bytes"].encode())
    assert leaf.hex() == shown["leaf_hash"]
    verify_inclusion(leaf, 1, proof["size"], [bytes.fromhex(node) for node in proof["path"]], checkpoint.root)
    assert shown["state"] == "FINAL"
    anchor = api.get(f"/v1/log/anchors/{shown['anchor']['size']}").json()
    assert hashlib.sha256(anchor["checkpoint"].encode()).hexdigest() == anchor["note_hash"]
    assert open_checkpoint(anchor["checkpoint"].encode(), verifier).root.hex() == anchor["root"]


def test_proofs_by_index_hold(world: World, api: httpx.Client) -> None:
    size = api.get("/v1/log/checkpoint").json()["size"]
    for asked in (2, size):
        proof = api.get("/v1/log/proofs/inclusion", params={"index": 1, "size": asked}).json()
        path = [bytes.fromhex(node) for node in proof["path"]]
        verify_inclusion(leaf_hash(proof["leaf"].encode()), 1, asked, path, world.services.log.root(asked))
    found = api.get("/v1/log/proofs/consistency", params={"old": 2}).json()
    path = [bytes.fromhex(node) for node in found["path"]]
    verify_consistency(2, found["new"], path, bytes.fromhex(found["old_root"]), bytes.fromhex(found["new_root"]))
    past = api.get("/v1/log/proofs/inclusion", params={"index": 0, "size": 2})
    assert past.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert check(api.get("/v1/log/proofs/inclusion", params={"index": size}), 422)["field"] == "index"
    assert check(api.get("/v1/log/proofs/inclusion", params={"index": 0, "size": size + 9}), 422)["field"] == "size"
    assert check(api.get("/v1/log/proofs/consistency", params={"old": 3, "new": 2}), 422)["field"] == "old"


class _Fetcher:
    """Reads a published log over HTTP, as any client of tlog-tiles does."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api

    def read(self, path: str) -> bytes:
        answer = self._api.get(f"/log/{path}")
        if answer.status_code == 404:
            raise MissingFileError(path)
        assert answer.status_code == 200
        return answer.content


def test_the_whole_log_is_read_and_verified_from_its_tiles(world: World, address: str) -> None:
    world.append("reporter-p", *({} for _ in range(256)))
    world.services.log.publish_checkpoint()
    with client(address) as api:
        fetcher = _Fetcher(api)
        verifier = Ed25519Verifier.from_vkey(world.services.deployment.log_vkey)
        checkpoint = read_checkpoint(fetcher, verifier)
        assert [progress.entries for progress in verify_log(fetcher, verifier)][-1] == checkpoint.size
        assert read_entry(fetcher, 1, checkpoint) == world.services.log.leaf(1)
        tile = api.get("/log/tile/entries/000")
        assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert tile.headers["content-type"] == "application/octet-stream"
        assert api.get("/log/checkpoint").headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "../wal/00000000.log",
        "0/../../../config.json",
        "..%2f..%2fconfig.json",
        "0/000.p/0",
        "0/000.p/257",
        "0/000.p/0257",
        "64/000",
        "0/1",
        "0/x001",
        "entries/000/",
        "0//000",
        "\u0660/000",
    ],
)
def test_no_other_file_is_given_as_a_tile(api: httpx.Client, path: str) -> None:
    answer = api.get(f"/log/tile/{path}")
    assert answer.status_code == 404
    assert b"genesis_hash" not in answer.content


def test_an_answer_names_its_sources(world: World, api: httpx.Client) -> None:
    answer = api.get("/v1/ask/right", params={"agency": REQUESTER, "dataset": DATASET}).json()
    assert answer["held"] is True
    assert answer["sources"]
    for source in answer["sources"]:
        receipt = world.services.chain.receipt(bytes.fromhex(source["tx"]))
        assert receipt is not None
        assert receipt.block_number == source["block"]
    none = api.get("/v1/ask/right", params={"agency": STRANGER, "dataset": DATASET}).json()
    assert none["held"] is False
    assert none["answer"].startswith("No right")
    past = api.get(
        "/v1/ask/right", params={"agency": REQUESTER, "dataset": DATASET, "known_at": "2020-01-01T00:00:00Z"}
    ).json()
    assert past["held"] is False


@pytest.mark.parametrize("at", ["2026-01-01T00:00:00", "yesterday", "2026-13-01", "9" * 39])
def test_an_instant_needs_its_offset(api: httpx.Client, at: str) -> None:
    asked = {"agency": REQUESTER, "dataset": DATASET, "at": at}
    assert check(api.get("/v1/ask/right", params=asked), 422)["field"] == "at"


def test_the_gateway_reads_and_controls_nothing(world: World, api: httpx.Client) -> None:
    def call(method: str, *params: object) -> Any:
        return api.post("/rpc", json={"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).json()

    assert int(call("eth_chainId")["result"], 16) == world.services.deployment.chain_id
    assert int(call("eth_blockNumber")["result"], 16) == world.services.state.refresh().number
    for method in ("anvil_setBalance", "evm_mine", "eth_accounts_", "debug_traceTransaction", "eth_sendTransaction"):
        assert call(method)["error"]["code"] == -32601
    assert api.post("/rpc", content=b"{").json()["error"]["code"] == -32700
    notification = api.post("/rpc", json={"jsonrpc": "2.0", "method": "eth_chainId", "params": []})
    assert (notification.status_code, notification.content) == (204, b"")


def test_limits_are_those_that_are_held_to(api: httpx.Client) -> None:
    told = api.get("/v1/limits").json()
    assert api.get("/v1/agencies", params={"limit": told["page_max"]}).status_code == 200
    check(api.get("/v1/agencies", params={"limit": told["page_max"] + 1}), 422)
    headers = {"content-type": "application/json"}
    check(api.post("/v1/requests", content=b" " * told["request_body_bytes_max"], headers=headers), 422)
    check(api.post("/v1/requests", content=b" " * (told["request_body_bytes_max"] + 1), headers=headers), 413)
    assert told["event_deadline_max_s"] == EVENT_DEADLINE_MAX_S


def test_head_is_get_without_its_body(world: World, api: httpx.Client) -> None:
    for path, address in working(world).items():
        head = api.head(address)
        assert (head.status_code, head.content) == (200, b""), path
        if not path.startswith(("/v1/ask", "/v1/responsibilities/who", "/metrics")):  # Those say when they were asked.
            got = api.get(address)
            assert head.headers.get("etag") == got.headers.get("etag")
            assert head.headers["content-length"] == got.headers["content-length"]
    assert api.head("/v1/none").status_code == 404
    assert api.head("/v1/requests").status_code == 405


def test_an_independent_reader_accepts_the_log_as_it_is_served(
    fsck: Path, world: World, address: str, tmp_path: Path
) -> None:
    world.services.log.publish_checkpoint()
    key = tmp_path / "log.vkey"
    key.write_text(world.services.deployment.log_vkey)
    done = subprocess.run(
        [fsck, "--storage_url", f"{address}/log/", "--public_key", key, "--ui=false"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"Successfully fsck'd log with size {world.services.log.size()} " in done.stderr, done.stderr
