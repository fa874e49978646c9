"""Every failure of every route is one problem document, with the status that one table gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from api.app import api_without_services
from api.errors import CONTRACT_STATUS, status_of
from ledger.domain.errors import LedgerError, RefusedError, registered_errors
from ledger.service.limits import BATCH_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX
from tests.api.apart import run_apart
from tests.api.routes import GETS, OPERATIONS, POSTS, WITHOUT_SERVICES, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "remedy"}


def check(answer: httpx.Response, status: int, code: str = "") -> dict[str, Any]:
    """Assert that an answer is a problem document of a status, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    document: dict[str, Any] = answer.json()
    assert document.keys() >= MEMBERS
    assert document["status"] == status
    assert document["type"] == f"urn:quanze:error:{document['code']}"
    assert all(document[name] for name in ("title", "detail", "instance", "remedy"))
    assert not code or document["code"] == code
    return document


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in OPERATIONS])
def test_another_method_is_refused(api: httpx.Client, method: str, path: str) -> None:
    document = check(api.request("DELETE", filled(path)), 405, "method_not_allowed")
    assert document["instance"].startswith("/")
    assert method in api.request("DELETE", filled(path)).headers["allow"]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/agreements/a/b/c/d", "/v1/evil%00", "/rpc/x"])
def test_an_unknown_path_of_the_interface_is_told(api: httpx.Client, path: str) -> None:
    check(api.get(path), 404, "no_such_route")


@pytest.mark.parametrize("path", GETS)
def test_an_unknown_query_parameter_is_refused_by_its_name(api: httpx.Client, path: str) -> None:
    document = check(api.get(filled(path, "1"), params={"no-such-parameter": "1"}), 422)
    named = [document["field"], *(one["field"] for one in document.get("errors", []))]
    assert "no-such-parameter" in named or len(document["errors"]) >= 1  # A missing one may be told first.


def test_a_parameter_given_twice_or_beyond_its_bounds_is_refused_by_its_name(api: httpx.Client) -> None:
    assert check(api.get("/v1/agencies?limit=1&limit=2"), 422)["field"] == "limit"
    assert check(api.get("/v1/agencies?limit=0"), 422)["field"] == "limit"
    assert check(api.get("/v1/agencies?limit=501"), 422)["field"] == "limit"
    assert check(api.get("/v1/agencies?after=zz"), 422)["field"] == "after"
    assert check(api.get("/v1/ask/right?agency=ods:P01"), 422)["field"] == "dataset"


@pytest.mark.parametrize("path", [path for path in GETS if "{" in path and not path.startswith("/log/")])
def test_what_does_not_exist_is_told(api: httpx.Client, path: str) -> None:
    answer = api.get(filled(path))
    check(answer, answer.status_code)
    assert answer.status_code in {404, 422}


@pytest.mark.parametrize("path", POSTS)
def test_a_body_beyond_its_limit_is_refused_unparsed(api: httpx.Client, path: str) -> None:
    limit = BATCH_BODY_BYTES_MAX if path == "/v1/events" else REQUEST_BODY_BYTES_MAX
    check(api.post(path, content=b" " * (limit + 1), headers={"content-type": "application/json"}), 413)

    def chunks() -> Iterator[bytes]:
        for _ in range(limit // 65_536 + 2):
            yield b" " * 65_536

    check(api.post(path, content=chunks(), headers={"content-type": "application/json"}), 413, "body_too_large")


@pytest.mark.parametrize("path", POSTS)
def test_another_media_type_is_refused(api: httpx.Client, path: str) -> None:
    check(api.post(path, content=b"{}", headers={"content-type": "text/xml"}), 415, "unsupported_media_type")
    headers = {"content-type": "application/json", "content-encoding": "br"}
    check(api.post(path, content=b"{}", headers=headers), 415, "unsupported_media_type")


def test_a_fault_is_told_without_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing comes out of the application either: the server would close the connection under the next request."""
    transport = httpx.ASGITransport(app=api_without_services(), raise_app_exceptions=True)

    async def run() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as broken:
            for method, path, operation in OPERATIONS:
                if path in WITHOUT_SERVICES:
                    continue
                needed = {
                    one["name"]: "1"
                    for one in operation.get("parameters", [])
                    if one["in"] == "query" and one["required"]
                }
                answer = await broken.request(method, filled(path, "1"), params=needed)
                document = check(answer, 500, "internal_fault")
                assert "services" not in answer.text.replace("service.", "")
                assert document["instance"] == filled(path, "1")

    run_apart(run)
    assert "request_fault" in capsys.readouterr().out


def test_every_error_has_a_status_that_fits_its_branch() -> None:
    made = {
        code: status_of(kind.__new__(kind)) for code, kind in registered_errors().items() if kind is not RefusedError
    }
    assert {int(status) for status in made.values()} <= {401, 403, 404, 409, 422, 429, 500, 503}
    assert made["signature_refused"] == 401
    assert made["unauthorized"] == 403
    assert made["invalid_input"] == 422
    assert made["integrity_broken"] == 500
    assert status_of(LedgerError()) == 500


def test_every_contract_error_in_the_table_is_a_contracts() -> None:
    declared = {
        entry["name"]
        for path in (ROOT / "contracts/artifacts").glob("*.json")
        for entry in json.loads(path.read_text())["abi"]
        if entry["type"] == "error"
    }
    assert set(CONTRACT_STATUS) <= declared
    assert status_of(RefusedError("MissingRole", {})) == 403
    assert status_of(RefusedError("SignatureExpired", {})) == 401
    assert status_of(RefusedError("WrongStatus", {})) == 409


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "", "x" * 5000, "//", "%00"])
def test_a_strange_host_is_no_fault(api: httpx.Client, host: str) -> None:
    for path in ("/v1/agencies?limit=1", "/v1/none", "/v1/agencies?limit=0"):
        assert api.get(path, headers={"host": host}).status_code in {200, 400, 404, 422}
