"""Answers: JSON with sorted keys, an ETag over its bytes, and the link to the next page.

The same answer has the same bytes, so a reader that has it is told 304 and nothing else.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import msgspec
from starlette.responses import Response

from api.headers import IMMUTABLE, NO_STORE, PRIVATE, REVALIDATED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

JSON: Final = "application/json"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
"""Public records may be read by pages of any origin; nothing here depends on a cookie."""


def public(request: Request, value: Any) -> Response:
    """Answer with what anyone may read; it may change, so a cache asks again."""
    return _cached(request, _ENCODER.encode(value), JSON, {**REVALIDATED, **_ANY_ORIGIN, **_link(request, value)})


def immutable(request: Request, value: Any) -> Response:
    """Answer with what anyone may read and what never changes."""
    return _cached(request, _ENCODER.encode(value), JSON, {**IMMUTABLE, **_ANY_ORIGIN})


def private(value: Any) -> Response:
    """Answer with what only the asker may read."""
    return Response(_ENCODER.encode(value), headers=PRIVATE, media_type=JSON)


def done(value: Any, status: int) -> Response:
    """Answer a write."""
    return Response(encoded(value), status, NO_STORE, media_type=JSON)


def encoded(value: Any) -> bytes:
    """Return the JSON of an answer."""
    return _ENCODER.encode(value)


def file(request: Request, content: bytes, media_type: str, *, is_immutable: bool) -> Response:
    """Answer with a public file's bytes."""
    return _cached(request, content, media_type, {**(IMMUTABLE if is_immutable else REVALIDATED), **_ANY_ORIGIN})


def _cached(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    given = [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]
    if tag in given or "*" in given:
        return Response(status_code=304, headers={**headers, "ETag": tag})
    return Response(content, headers={**headers, "ETag": tag}, media_type=media_type)


def _link(request: Request, value: Any) -> dict[str, str]:
    following = value.get("next") if isinstance(value, dict) else None
    if not following:
        return {}
    query = [(name, text) for name, text in request.query_params.multi_items() if name != "after"]
    return {"Link": f'<{quote(request.scope["path"])}?{urlencode([*query, ("after", following)])}>; rel="next"'}
