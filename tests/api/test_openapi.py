"""The OpenAPI document says of every route what a client needs, and is the committed one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.routes import DOCUMENT, OPERATIONS, POSTS, working
from tests.api.world import World

COMMITTED = Path(__file__).parents[2] / "docs/reference/openapi.json"


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for member in value.values() for found in references(member)]
    if isinstance(value, list):
        return [found for member in value for found in references(member)]
    return []


def test_the_served_document_is_the_committed_one(api: httpx.Client) -> None:
    assert api.get("/v1/openapi.json").json() == json.loads(COMMITTED.read_text()) == DOCUMENT


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[f"{method} {path}" for method, path, _ in OPERATIONS]
)
def test_a_route_is_described(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"].endswith(".")
    assert operation["tags"]
    problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}
    success = [status for status in operation["responses"] if status.startswith("2")]
    assert len(success) == 1 or path == "/v1/events"  # A batch may be accepted in part.
    assert operation["responses"][success[0]]["content"]
    for parameter in operation.get("parameters", []):
        assert parameter.get("description") or parameter["schema"].get("examples") or parameter["schema"].get("title")
    if method == "POST":
        for body in operation["requestBody"]["content"].values():
            assert body.get("example") or body["schema"]["format"] == "binary", path


def test_every_reference_leads_somewhere_and_names_are_single() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for reference in references(DOCUMENT):
        assert reference.removeprefix("#/components/schemas/") in schemas
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_every_get_route_answers(world: World, api: httpx.Client) -> None:
    addresses = working(world)
    told = {path for method, path, _ in OPERATIONS if method == "GET"} - {"/v1/events/last"}
    assert set(addresses) >= told
    for path, address in addresses.items():
        answer = api.get(address)
        assert answer.status_code == 200, (path, answer.text)


def test_only_these_routes_write() -> None:
    assert POSTS == ["/rpc", "/v1/events", "/v1/typed-data", "/v1/requests"]
    assert {method for method, _, _ in OPERATIONS} == {"GET", "POST"}
