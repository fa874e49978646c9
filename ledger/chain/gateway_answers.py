"""What the gateway answers where it has no result: JSON-RPC errors and their numbers."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ledger.chain.gateway_parameters import INVALID_PARAMS
from ledger.domain.errors import (
    ConflictError,
    IntegrityError,
    InvalidInputError,
    LedgerError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
)

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
UNKNOWN_METHOD: Final = -32601
INTERNAL: Final = -32603
SERVER: Final = -32000
UNAVAILABLE: Final = -32002
REJECTED: Final = -32003
LIMIT: Final = -32005


def too_much(message: Any) -> dict[str, Any] | None:
    """Return the answer to a call that its batch had no room for; a notification gets none."""
    if not isinstance(message, dict):
        return error_answer(None, INVALID_REQUEST, "a call is an object with a method")
    if "id" not in message:
        return None
    number = message["id"] if isinstance(message["id"], str | int | float | None) else None
    return error_answer(number, LIMIT, "the calls before this one took all that a batch may; send it again by itself")


def error_answer(number: Any, code: int, message: str, data: object = None) -> dict[str, Any]:
    """Return an error as a call is answered with it."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": number, "error": error}


def number_of(error: LedgerError) -> int:
    """Return the JSON-RPC number of an error of ours."""
    match error:
        case InvalidInputError():
            return INVALID_PARAMS
        case UnauthorizedError() | RefusedError():
            return REJECTED
        case ConflictError() | NotFoundError():
            return SERVER
        case UnavailableError():
            return UNAVAILABLE
        case IntegrityError():
            return INTERNAL
        case _:
            return INTERNAL


def encode(answer: object) -> bytes:
    """Return an answer as JSON."""
    return msgspec.json.encode(answer)
