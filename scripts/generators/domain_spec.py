"""The computed parts of docs/spec: type strings, the draft's schema and the examples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from ledger.domain import agreement_v1, records
from ledger.domain.commitment import commit, salt_text
from ledger.domain.event_v1 import complete_event, digest, encode_event
from ledger.domain.leaf import LeafV1, stream_id
from ledger.domain.record import Record
from ledger.domain.typed_data import type_hash, type_string

SPEC: Final = Path(__file__).parents[2] / "docs" / "spec"
_AGENCY: Final = "xroad:SAMPLE/GOV/10000001"


def type_table() -> str:
    """Return the table of signed records, by contract."""
    rows: list[tuple[str, type[Record]]] = [(contract, record) for record, contract in records.CONTRACTS.items()]
    rows += [("(nested)", records.Terms), ("(nested)", records.Grant)]
    lines = [f"| {contract} | `{type_string(record)}` | `{type_hash(record).hex()}` |" for contract, record in rows]
    return "\n".join(["| Contract | Type | Type hash |", "|---|---|---|", *lines])


def entry_example() -> dict[str, str]:
    """Return the example of entry-v1.md, by name."""
    event = complete_event(
        {
            "id": "exchange-1",
            "kind": "DELIVERY",
            "side": "PROVIDER",
            "occurred_at_ms": 1_767_225_600_123,
            "provider": _AGENCY,
            "requester": "xroad:SAMPLE/GOV/10000002",
            "dataset": f"{_AGENCY}#VEHICLES/vehicleByPlate",
            "purpose": "dpv:EnforceSecurity",
            "delivery": "INTERFACE",
            "outcome": "SUCCEEDED",
            "size": 2003,
            "correlation": "91f47d62-6eb5-4391-aea6-5f92aaa4d464",
            "source": {"serviceType": "REST"},
        },
        reporter=f"gateway@{_AGENCY}",
    )
    stream = stream_id(salt_text(b"\7" * 32), reporter=event.reporter, agreement="")
    leaf = LeafV1(
        accepted_at_ms=1_767_225_601_000,
        block=42,
        block_hash="ab" * 32,
        commitment="cd" * 32,
        prev="0" * 64,
        seq=0,
        stream=stream,
    )
    return {
        "EVENT": encode_event(event).decode(),
        "DIGEST": digest(event).hex(),
        "STREAM": stream,
        "LEAF": leaf.encode().decode(),
        "LEAFHASH": leaf.hash().hex(),
    }


def fillings() -> dict[str, dict[str, str]]:
    """Return file name → mark → computed text."""
    commitment = commit({"a": {"k": 1}, "b": "x"}, {"a": b"\1" * 32, "b": b"\2" * 32})
    return {
        "commitment.md": {"ROOT": commitment.root.hex()},
        "entry-v1.md": entry_example(),
        "typed-data.md": {"TABLE": type_table()},
    }


def rendered(name: str, text: str) -> str:
    """Return a page with its computed parts, which stand between ``<!--NAME-->`` and ``<!--/NAME-->``."""
    for mark, value in fillings().get(name, {}).items():
        shown = value if value.startswith("|") else f"```\n{value}\n```"
        block = f"<!--{mark}-->\n{shown}\n<!--/{mark}-->"
        pattern = re.compile(f"<!--{mark}-->.*?<!--/{mark}-->", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/spec/{name} has no mark {mark}")
        text = pattern.sub(lambda _, block=block: block, text)  # type: ignore[misc]
    return text


def domain_spec() -> dict[str, str]:
    """Return the pages of docs/spec that hold computed parts, by path."""
    pages = {f"docs/spec/{name}": rendered(name, (SPEC / name).read_text()) for name in fillings()}
    return pages | {"docs/spec/agreement-draft-v1.schema.json": json.dumps(agreement_v1.schema(), indent=2) + "\n"}
