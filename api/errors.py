"""Every failure as one shape: an RFC 9457 problem document. HTTP status is decided here and nowhere else.

    {"type": "urn:quanze:error:invalid_input", "title": …, "status": 422, "detail": …, "instance": "/v1/events",
     "code": "invalid_input", "remedy": …, "field": "events[3].reporter_seq", "value": "7", "allowed": "8"}

``code`` is the stable name from docs/reference/errors.md; what stands after ``remedy`` are the error's own values.
"""

from __future__ import annotations

import reprlib
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.headers import NO_STORE, SECURITY_HEADERS
from ledger.domain.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    LedgerError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    VerificationError,
)
from ledger.service.admission import BusyError
from ledger.service.signatures import SignatureRefusedError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

PROBLEM: Final = "application/problem+json"
_LOG: Final = structlog.get_logger("audit")
_SHOWN: Final = 200
"""A value longer than this is cut: hostile input must not come back at full length."""
_MEMBERS: Final = 40

STATUS: Final[tuple[tuple[type[LedgerError], HTTPStatus], ...]] = (
    (SignatureRefusedError, HTTPStatus.UNAUTHORIZED),
    (UnauthorizedError, HTTPStatus.FORBIDDEN),
    (InvalidInputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (RefusedError, HTTPStatus.CONFLICT),
    (BusyError, HTTPStatus.TOO_MANY_REQUESTS),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (VerificationError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (IntegrityError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (LedgerError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
"""The first branch that fits decides. Evidence of our own that fails to verify is our fault, not the asker's."""

CONTRACT_STATUS: Final[dict[str, HTTPStatus]] = {
    "InvalidSignature": HTTPStatus.UNAUTHORIZED,
    "SignatureExpired": HTTPStatus.UNAUTHORIZED,
    **dict.fromkeys(
        (
            "AccessManagedUnauthorized",
            "AgencySuspended",
            "AgencyUnknown",
            "AnchorNotOperator",
            "AssigneeOfAnotherAgency",
            "CaseOfAnotherAuthority",
            "EntryOfAnotherAgency",
            "MissingRole",
            "NotParty",
            "NotProvider",
            "NotRecipient",
            "NotRootKey",
            "NotTheAssignee",
            "OwnCase",
            "PostOfAnotherAgency",
            "PostRetired",
            "ResponsibilityNotOfAgency",
            "ReviewerNotIndependent",
            "RolesBeyondCapacities",
            "SuspendedByAuthority",
            "UnauthorisedSigner",
        ),
        HTTPStatus.FORBIDDEN,
    ),
}
"""Contract errors that say who may not act; every other refusal is a conflict with what is recorded."""

HTTP_CODES: Final = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "Correct the request as the explanation says."),
    HTTPStatus.NOT_FOUND: ("no_such_route", "GET /v1/openapi.json lists the routes."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "Use a method that the header `Allow` names."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("body_too_large", "Send less at once; GET /v1/limits says how much."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "unsupported_media_type",
        "Send the type and the encoding that the route takes.",
    ),
}
FAULT: Final = ("internal_fault", "Try again; if it stays so, tell the operator when it happened.")


def status_of(error: LedgerError) -> HTTPStatus:
    """Return the HTTP status of an error of ours."""
    if isinstance(error, RefusedError) and error.error in CONTRACT_STATUS:
        return CONTRACT_STATUS[error.error]
    return next(status for branch, status in STATUS if isinstance(error, branch))


def install(app: FastAPI) -> None:
    """Answer every refusal and every failure that has a name with a problem document; ``on_fault`` has the rest."""
    app.add_exception_handler(LedgerError, _on_ledger_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameters)
    app.add_exception_handler(HTTPException, _on_http_error)


def answer(request: Request, error: Exception) -> Response:
    """Answer whatever a request failed with, where no framework chooses the handler."""
    match error:
        case LedgerError():
            return _on_ledger_error(request, error)
        case HTTPException():
            return _on_http_error(request, error)
        case _:
            return on_fault(request, error)


def problem(
    request: Request,
    status: HTTPStatus,
    *,
    code: str,
    title: str,
    detail: str,
    remedy: str,
    values: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return one problem document."""
    document = {
        "type": f"urn:quanze:error:{code}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "instance": _path(request),
        "code": code,
        "remedy": remedy,
        **(values or {}),
    }
    return Response(
        msgspec.json.encode(document), status, {**SECURITY_HEADERS, **NO_STORE, **(headers or {})}, media_type=PROBLEM
    )


def _on_ledger_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LedgerError)  # noqa: S101 - for mypy: the handler is installed for this class.
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error(
            "request_failed",
            code=error.code,
            reason=error.explain(),
            path=_path(request),
            status=int(status),
        )
    elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        _audit(request, error, status)
    headers: dict[str, str] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Quanze"
    if error.retryable:
        headers["Retry-After"] = str(error.fields.get("retry_after_s", 1))
    return problem(
        request,
        status,
        code=error.code,
        title=type(error).meaning,
        detail=error.explain(),
        remedy=type(error).remedy,
        values={name: _shown(value) for name, value in error.fields.items()},
        headers=headers,
    )


def _audit(request: Request, error: LedgerError, status: HTTPStatus) -> None:
    """Write the one line that a refused request leaves: who, what, why; never what it carried."""
    named = {name: _shown(error.fields[name]) for name in ("signer", "recovered", "post") if name in error.fields}
    if isinstance(error, RefusedError):
        named["error"] = error.error
    client = request.client.host if request.client is not None else ""
    _LOG.warning(
        "request_refused",
        code=error.code,
        reason=str(error.fields.get("reason", error.explain()))[:_SHOWN],
        method=request.method,
        path=_path(request)[:_SHOWN],
        client=client,
        status=int(status),
        **named,
    )


def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for mypy: the handler is installed for this class.
    found = [
        {
            "field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]),
            "value": _shown(one.get("input")),
            "allowed": str(one["msg"]),
        }
        for one in error.errors()
    ]
    first = found[0]
    wrong = InvalidInputError(first["field"], first["value"], first["allowed"])
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code=wrong.code,
        title=InvalidInputError.meaning,
        detail=wrong.explain(),
        remedy=InvalidInputError.remedy,
        values={**first, "errors": found},
    )


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for mypy: the handler is installed for this class.
    status = HTTPStatus(error.status_code)
    code, remedy = HTTP_CODES.get(status, (status.phrase.lower().replace(" ", "_"), "Correct the request."))
    return problem(
        request,
        status,
        code=code,
        title=status.description or status.phrase,
        detail=str(error.detail),
        remedy=remedy,
        headers={**dict(error.headers or {}), **(_allow(request) if status is HTTPStatus.METHOD_NOT_ALLOWED else {})},
    )


def _allow(request: Request) -> dict[str, str]:
    """Return the methods of every route with the request's path: the framework names only the first one's."""
    methods = {
        method
        for route in request.app.state.routes
        if isinstance(route, APIRoute) and route.path_regex.match(_path(request))
        for method in route.methods or ()
    }
    methods |= {"HEAD"} if "GET" in methods else set()
    return {"Allow": ", ".join(sorted(methods))}


def on_fault(request: Request, error: Exception) -> Response:
    """Answer a fault of ours, and log what it was."""
    # As text: a renderer that shows the frames' variables would write bodies and signatures into the log.
    _LOG.error("request_fault", path=_path(request)[:_SHOWN], trace="".join(traceback.format_exception(error)))
    code, remedy = FAULT
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        code=code,
        title="A fault of this program.",
        detail="The request met a fault of this program; nothing that was acknowledged is lost.",
        remedy=remedy,
    )


def _path(request: Request) -> str:
    """Return the path asked for; the whole address would hang on a header that anyone may misspell."""
    return _clean(str(request.scope["path"]))


def _shown(value: object, depth: int = 0) -> Any:
    """Return a value as it may be told: JSON, not too long."""
    match value:
        case None | bool():
            return value
        case int() if value.bit_length() <= 53:
            return value
        case int() if value.bit_length() > 4 * _SHOWN:
            return f"an integer of {value.bit_length()} bits"
        case bytes() | bytearray():
            return "0x" + bytes(value[: _SHOWN // 2]).hex() + ("…" if len(value) > _SHOWN // 2 else "")
        case str():
            return _clean(value[:_SHOWN]) + ("…" if len(value) > _SHOWN else "")
        case dict() if depth == 0:
            return {_clean(str(name)[:_SHOWN]): _shown(member, 1) for name, member in list(value.items())[:_MEMBERS]}
        case _:
            return _clean(reprlib.repr(value)[:_SHOWN])


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()
