"""What the OpenAPI document says of bodies: request shapes from the use-cases' own classes, answers by example.

Nothing here is used to parse or to answer; the use-cases do that.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ledger.domain.event_v1 import EventV1
from ledger.service.event_submission import AppendSigned
from ledger.service.signed_requests import SendSigned
from ledger.service.typed_data_views import BuildTypedData

_REF: Final = "#/components/schemas/{name}"

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; the members after `remedy` are the error's own values.",
    "required": ["type", "title", "status", "detail", "instance", "code", "remedy"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "remedy": {"type": "string"},
        "field": {"type": "string"},
        "value": {},
        "allowed": {"type": "string"},
        "error": {"type": "string", "description": "The contract's own error, where a contract refused."},
        "arguments": {"type": "object"},
    },
    "additionalProperties": True,
    "example": {
        "type": "urn:quanze:error:invalid_input",
        "title": "A field of the input has a value that is not allowed.",
        "status": 422,
        "detail": "limit: 900 is not allowed; wanted: 1 to 500.",
        "instance": "/v1/agencies",
        "code": "invalid_input",
        "remedy": "Correct the field named, as the explanation says, and send it again.",
        "field": "limit",
        "value": 900,
        "allowed": "1 to 500",
    },
}
READ_AT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The final block at which the answer was read.",
    "required": ["block", "block_hash", "block_time"],
    "properties": {
        "block": {"type": "integer"},
        "block_hash": {"type": "string"},
        "block_time": {"type": "string", "format": "date-time"},
    },
}
SOURCE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A chain event that an answer rests on.",
    "required": ["event", "contract", "tx", "block", "log_index", "recorded_at"],
    "properties": {
        "event": {"type": "string"},
        "contract": {"type": "string"},
        "tx": {"type": "string"},
        "block": {"type": "integer"},
        "log_index": {"type": "integer"},
        "recorded_at": {"type": "string", "format": "date-time"},
    },
}
RECORD: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One object; docs/json-output.md lists its members. Members are only ever added.",
    "additionalProperties": True,
    "properties": {
        "read_at": {"$ref": _REF.format(name="ReadAt")},
        "sources": {"type": "array", "items": {"$ref": _REF.format(name="Source")}},
    },
}
PAGE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Some items in an order that never changes, and the cursor after them.",
    "required": ["items", "next"],
    "properties": {
        "items": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        "next": {"type": "string", "description": "What to give as `after`; empty on the last page."},
        "read_at": {"$ref": _REF.format(name="ReadAt")},
    },
    "additionalProperties": True,
}
ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An answer with what is needed to check it.",
    "required": ["answer", "id", "as_of", "known_at", "rules", "sources", "proof", "coverage", "redactions", "gaps"],
    "properties": {
        "answer": {"type": "string"},
        "id": {"type": "string"},
        "as_of": {"type": "string", "format": "date-time"},
        "known_at": {"type": "string", "format": "date-time"},
        "rules": {"type": "string"},
        "calendar": {"type": "string"},
        "sources": {"type": "array", "items": {"$ref": _REF.format(name="Source")}},
        "proof": {"type": "object", "additionalProperties": True},
        "coverage": {"type": "object", "additionalProperties": True},
        "redactions": {"type": "array", "items": {}},
        "gaps": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": True,
}
RECEIPTS: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A receipt for each event accepted, in the order of the batch, and why each other is not.",
    "required": ["items", "rejected"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "id", "leaf_hash", "accepted_at_ms", "block", "block_hash", "verdict"],
                "properties": {
                    "index": {"type": "integer"},
                    "id": {"type": "string"},
                    "leaf_hash": {"type": "string"},
                    "accepted_at_ms": {"type": "integer"},
                    "accepted_at": {"type": "string", "format": "date-time"},
                    "block": {"type": "integer"},
                    "block_hash": {"type": "string"},
                    "reporter_seq": {"type": "integer"},
                    "correlation": {"type": "string"},
                    "verdict": {"enum": ["WITHIN_SCOPE", "MISMATCH"]},
                    "mismatches": {"type": "array", "items": {"type": "string"}},
                    "flags": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["place", "code", "field", "value", "allowed"],
                "properties": {
                    "place": {"type": "integer", "description": "In the batch, from 0."},
                    "code": {"type": "string", "description": "`follows_rejected`: only for what stands before it."},
                    "field": {"type": "string", "description": "Of the event; empty for the event as a whole."},
                    "value": {},
                    "allowed": {"type": "string"},
                },
            },
        },
    },
}
BUSY: Final[dict[int | str, Any]] = {
    429: {
        "description": "No room now; nothing was taken. Send the same bytes again.",
        "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
RELAYED: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The record is in this block.",
    "required": ["type", "digest", "tx", "block", "block_hash"],
    "properties": {
        "type": {"type": "string"},
        "digest": {"type": "string"},
        "tx": {"type": "string"},
        "block": {"type": "integer"},
        "block_hash": {"type": "string"},
    },
}

_POST: Final = "gateway@xroad:SAMPLE/GOV/10000001"
_ID: Final = "5f" * 32
_ADDRESS: Final = "0x" + "ab" * 20
_SIGNATURE: Final = "0x" + "c0" * 64 + "1b"
_MESSAGE: Final = {"post": "0x" + "a1" * 32, "agreement": "0x" + _ID, "version": "1", "termsHash": "0x" + "7e" * 32}
EXAMPLES: Final[dict[str, Any]] = {
    "AppendSigned": {
        "reporter": _POST,
        "agreement": _ID,
        "events": [
            {
                "agreement": _ID,
                "correlation": "91f47d62-6eb5-4391-aea6-5f92aaa4d464",
                "dataset": "xroad:SAMPLE/GOV/10000001#VEHICLES/vehicleByPlate",
                "delivery": "INTERFACE",
                "grant": 0,
                "id": "exchange-1",
                "kind": "DELIVERY",
                "occurred_at_ms": 1767225600123,
                "outcome": "SUCCEEDED",
                "prev_hash": "0" * 64,
                "provider": "xroad:SAMPLE/GOV/10000001",
                "purpose": "dpv:EnforceSecurity",
                "recipient": "xroad:SAMPLE/GOV/10000002",
                "reporter": _POST,
                "reporter_seq": 0,
                "requester": "xroad:SAMPLE/GOV/10000002",
                "side": "PROVIDER",
                "size": 2003,
                "source": {"serviceType": "REST"},
                "version": 1,
            }
        ],
        "nonce": "18446744073709551616",
        "deadline": 1767229200,
        "signer": _ADDRESS,
        "signature": _SIGNATURE,
    },
    "BuildTypedData": {"type": "Sign", "message": _MESSAGE},
    "SendSigned": {
        "type": "Sign",
        "message": {**_MESSAGE, "nonce": "18446744073709551616", "deadline": "1767229200"},
        "signer": _ADDRESS,
        "signature": _SIGNATURE,
        "documents": [],
    },
}
"""Bodies by their schema; their signatures hold nowhere."""


def components() -> dict[str, Any]:
    """Return every named schema."""
    made = msgspec.json.schema_components([AppendSigned, SendSigned, BuildTypedData, EventV1], ref_template=_REF)[1]
    named: dict[str, Any] = {name: schema for name, schema in made.items() if isinstance(schema, dict)}
    named["AppendSigned"]["properties"]["events"]["items"] = {"$ref": _REF.format(name="EventV1")}
    return {
        **named,
        "Problem": PROBLEM,
        "ReadAt": READ_AT,
        "Source": SOURCE,
        "Record": RECORD,
        "Page": PAGE,
        "Answer": ANSWER,
        "Receipts": RECEIPTS,
        "Relayed": RELAYED,
    }


def answers(schema: str, description: str, *, status: int = 200, example: object = None) -> dict[int | str, Any]:
    """Return a route's successful answer for OpenAPI; failures are the same for all routes."""
    content: dict[str, Any] = {"schema": {"$ref": _REF.format(name=schema)}}
    if example is not None:
        content["example"] = example
    return {status: {"description": description, "content": {"application/json": content}}}


def answers_file(media_type: str, description: str) -> dict[int | str, Any]:
    """Return the successful answer of a route that gives a file."""
    schema = {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}
    return {200: {"description": description, "content": {media_type: {"schema": schema}}}}


def takes_batch() -> dict[str, Any]:
    """Return the body of a batch in each of its spellings, for OpenAPI."""
    example = EXAMPLES["AppendSigned"]
    head = {name: value for name, value in example.items() if name != "events"}
    lines = [{**head, "count": len(example["events"])}, *example["events"]]
    text = b"".join(msgspec.json.encode(line, order="sorted") + b"\n" for line in lines).decode()
    ndjson = {
        "schema": {"type": "string", "description": "The head, then an event a line; docs/spec/batch-v1.md."},
        "example": text,
    }
    cbor = {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": "A map of the head's members and `events`: byte strings of canonical JSON, or maps.",
        }
    }
    made = takes("AppendSigned", "A batch of one reporter and agreement, signed as `EventBatch`.")
    made["requestBody"]["content"] |= {"application/x-ndjson": ndjson, "application/cbor": cbor}
    encoding = {
        "name": "Content-Encoding",
        "in": "header",
        "required": False,
        "description": "How the body is encoded; its limit counts before decoding and after.",
        "schema": {"type": "string", "enum": ["identity", "gzip", "zstd"]},
    }
    return {**made, "parameters": [encoding]}


def takes(schema: str, description: str) -> dict[str, Any]:
    """Return the body that a route parses itself, for OpenAPI."""
    stated = {"schema": {"$ref": _REF.format(name=schema)}, "example": EXAMPLES[schema]}
    return {"requestBody": {"required": True, "description": description, "content": {"application/json": stated}}}
