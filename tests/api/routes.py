"""Every route of the API as its OpenAPI document tells it, and an address of each that works."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from api.app import api_without_services
from ledger.log.tiles import tile_path
from tests.api import world as w

if TYPE_CHECKING:
    from tests.api.world import World

DOCUMENT: dict[str, Any] = api_without_services().openapi()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
GETS = [path for method, path, _ in OPERATIONS if method == "GET"]
POSTS = [path for method, path, _ in OPERATIONS if method == "POST"]
WITHOUT_SERVICES = {"/health", "/v1/openapi.json"}


def filled(path: str, text: str = "none-such") -> str:
    """Return a path with its parameters filled in with any text."""
    return re.sub(r"\{[^}]*\}", quote(text, safe=""), path)


def working(world: World) -> dict[str, str]:
    """Return an address that answers 200 for every GET route, by path."""
    world.services.log.publish_checkpoint()  # What `quanze up` does twice a second.
    size = world.services.log.size()
    dataset = quote(w.DATASET, safe="")
    who = f"duty=DELIVER&object={w.REFERENCE}"
    return {
        "/health": "/health",
        "/ready": "/ready",
        "/v1/status": "/v1/status",
        "/v1/limits": "/v1/limits",
        "/v1/openapi.json": "/v1/openapi.json",
        "/v1/agencies": "/v1/agencies",
        "/v1/agencies/{agency}": f"/v1/agencies/{w.PROVIDER}",
        "/v1/posts": f"/v1/posts?agency={w.PROVIDER}",
        "/v1/posts/{post}": f"/v1/posts/{w.POSTS['head-p'][0]}",
        "/v1/keys": "/v1/keys",
        "/v1/catalogue": "/v1/catalogue",
        "/v1/catalogue/{dataset}": f"/v1/catalogue/{dataset}",
        "/v1/agreements": "/v1/agreements",
        "/v1/agreements/{agreement}": f"/v1/agreements/{w.REFERENCE}",
        "/v1/agreements/{agreement}/versions/{version}": f"/v1/agreements/{w.REFERENCE}/versions/1",
        "/v1/agreements/{agreement}/signatures": f"/v1/agreements/{w.REFERENCE}/signatures",
        "/v1/grants": f"/v1/grants?provider={w.PROVIDER}&recipient={w.REQUESTER}",
        "/v1/responsibilities": "/v1/responsibilities",
        "/v1/responsibilities/who": f"/v1/responsibilities/who?{who}",
        "/v1/notices": "/v1/notices",
        "/v1/notices/{case}": f"/v1/notices/{world.open_case}",
        "/v1/ask/right": f"/v1/ask/right?agency={w.REQUESTER}&dataset={dataset}",
        "/v1/ask/responsible": f"/v1/ask/responsible?{who}",
        "/v1/ask/history": f"/v1/ask/history?case={world.open_case}",
        "/v1/ask/prove": "/v1/ask/prove?event=0",
        "/v1/events": "/v1/events",
        "/v1/events/{event}": "/v1/events/0",
        "/v1/events/{event}/state": "/v1/events/0/state",
        "/v1/events/state": "/v1/events/state",
        "/metrics": "/metrics",
        "/v1/log/checkpoint": "/v1/log/checkpoint",
        "/v1/log/proofs/inclusion": "/v1/log/proofs/inclusion?index=1",
        "/v1/log/proofs/consistency": "/v1/log/proofs/consistency?old=1",
        "/v1/log/anchors": "/v1/log/anchors",
        "/v1/log/anchors/{size}": f"/v1/log/anchors/{world.services.state.anchors()[0].event.size}",
        "/log/checkpoint": "/log/checkpoint",
        "/log/tile/{path}": "/log/" + tile_path(0, (size - 1) // 256, (size - 1) % 256 + 1),
        "/v1/typed-data": "/v1/typed-data",
        "/v1/trust-root": "/v1/trust-root",
        "/v1/evidence/{kind}/{id}": f"/v1/evidence/agreement/{w.REFERENCE}",
    }
