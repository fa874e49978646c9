"""What routes are given: the services, a page's place, a body within its limit, and the post that reads.

What waits for nothing is a coroutine, since the framework runs any other function on a thread, and each change of
threads costs more than these do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, Header, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import PostRef
from ledger.service.limits import IDEMPOTENCY_KEY_CHARS_MAX, REQUEST_BODY_BYTES_MAX
from ledger.service.paging import PAGE_LIMIT, PAGE_LIMIT_MAX
from ledger.service.services import Services
from ledger.service.signed_reads import parse_authorization, reading_post

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

_JSON_TYPES: Final = frozenset({"application/json", ""})


async def services_of(request: Request) -> Services:
    """Return the application's services."""
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101 - ``create_app`` put it there.
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


def read_services(services: ServicesDep) -> Services:
    """Return the services after they took what the chain has decided since."""
    services.state.refresh()
    return services


ReadServices = Annotated[Services, Depends(read_services)]

After = Annotated[str, Query(max_length=200, description="The cursor `next` of the page before; empty for the first.")]
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT_MAX, description=f"Items on the page; {PAGE_LIMIT} if not stated.")]
At = Annotated[
    str,
    Query(max_length=40, description="As of when: an instant with its offset, or a legal date. Now if not stated."),
]
KnownAt = Annotated[str, Query(max_length=40, description="Only what was recorded by then counts. Now if not stated.")]


async def refuse_unknown_query(request: Request) -> None:
    """Refuse query parameters that the route does not have, and those given twice.

    Raises:
        InvalidInputError: Names the first.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    route = request.scope.get("route")
    if not given or not isinstance(route, APIRoute):
        return
    known = set(_query_names(route.dependant))
    for name in given:
        if name not in known:
            raise InvalidInputError(name, name, "one of " + ", ".join(sorted(known)) if known else "no parameters")
        if given.count(name) > 1:
            raise InvalidInputError(name, f"{given.count(name)} values", "one value")


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)


def body_of(limit: int) -> Callable[[Request], Coroutine[Any, Any, bytes]]:
    """Return a dependency that gives the body, read no further than its limit."""

    async def body(request: Request) -> bytes:
        """Read the body.

        Raises:
            HTTPException: 413 beyond the limit, 415 for another type than JSON.
        """
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in _JSON_TYPES or request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, "the body is JSON in UTF-8, not encoded further")
        stated = request.headers.get("content-length", "")
        if stated.isascii() and stated.isdecimal() and int(stated[:20]) > limit:
            raise HTTPException(413, f"a body here has at most {limit} bytes; this one states {stated[:20]}")
        received = bytearray()
        async for chunk in request.stream():
            received += chunk
            if len(received) > limit:
                raise HTTPException(413, f"a body here has at most {limit} bytes")
        return bytes(received)

    return body


RequestBody = Annotated[bytes, Depends(body_of(REQUEST_BODY_BYTES_MAX))]


async def idempotency_key(
    key: Annotated[
        str, Header(alias="Idempotency-Key", description="The sender's own name for this write; 1 to 200 characters.")
    ] = "",
) -> str:
    """Return the sender's key for its write, empty for none.

    Raises:
        InvalidInputError: As ``checked_idempotency_key``.
    """
    return checked_idempotency_key(key)


def checked_idempotency_key(key: str) -> str:
    """Return a sender's key as the header gives it, empty for none.

    Raises:
        InvalidInputError: Not 1 to 200 printable ASCII characters.
    """
    if len(key) > IDEMPOTENCY_KEY_CHARS_MAX or not key.isascii() or not key.isprintable():
        raise InvalidInputError("Idempotency-Key", key, f"1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters")
    return key


IdempotencyKey = Annotated[str, Depends(idempotency_key)]


def reader(
    request: Request,
    services: ReadServices,
    authorization: Annotated[
        str, Header(description="`Quanze` and the base64url of a signed read, for what only parties may see.")
    ] = "",
) -> PostRef | None:
    """Return the post that signed to read exactly this request, or None where nobody signed.

    Raises:
        LedgerError: As ``parse_authorization`` and ``reading_post``.
    """
    if not authorization:
        return None
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    target = b"GET " + path + (b"?" + query if query else b"")
    return reading_post(services, parse_authorization(authorization), target)


Reader = Annotated[PostRef | None, Depends(reader)]
