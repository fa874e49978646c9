"""The tables of the index.

    events, event_heads        what the contracts said, and by which running head it is found
    agencies … anchors         what stands after those events: a function of them, object by object
    facts, texts               the log's leaves with what their vault documents say, and the texts that they share
    streams, tallies           the newest leaf of each stream, and totals of facts
    cursor, recent_blocks      how far chain and log are indexed

Lists come in the order of the chain, so each column that a list is narrowed by has an index that goes on with
(block, log_index), and facts likewise with their leaf's index.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from ledger.store.columns import Bytes, address, flag, hash32, integer, placed, text, text_id, uint64

METADATA: Final = sa.MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
)

_ORDER: Final = ("block", "log_index")


def _table(name: str, *parts: sa.Column[bytes] | sa.Column[int] | sa.Column[str] | sa.Column[bool]) -> sa.Table:
    return sa.Table(name, METADATA, *parts, sqlite_with_rowid=False)


def _index(table: sa.Table, *columns: str, unique: bool = False) -> None:
    name = f"ix_{table.name}_{'_'.join(columns)}"
    sa.Index(name, *(table.c[column] for column in columns), unique=unique)


EVENTS: Final = sa.Table(
    "events",
    METADATA,
    *placed(key=True),
    integer("tx_index"),
    address("address"),
    text("name"),
    text("object_kind"),
    sa.Column("object_key", Bytes, nullable=False),
    sa.Column("topics", Bytes, nullable=False),
    sa.Column("data", Bytes, nullable=False),
)
_index(EVENTS, "object_kind", "object_key", *_ORDER)
_index(EVENTS, "tx_hash", *_ORDER)

EVENT_HEADS: Final = _table(
    "event_heads",
    address("address", primary_key=True),
    hash32("head_key", primary_key=True),
    integer("block", primary_key=True, autoincrement=False),
    integer("log_index", primary_key=True, autoincrement=False),
)
_index(EVENT_HEADS, "block")

AGENCIES: Final = _table(
    "agencies",
    hash32("agency", primary_key=True),
    hash32("scheme"),
    address("root_key"),
    integer("capacities"),
    hash32("profile"),
    flag("suspended"),
    hash32("successor"),
    *placed(),
)
_index(AGENCIES, *_ORDER)

POSTS: Final = _table(
    "posts",
    hash32("post", primary_key=True),
    hash32("agency"),
    integer("roles"),
    hash32("profile"),
    flag("retired"),
    *placed(),
)
_index(POSTS, *_ORDER)
_index(POSTS, "agency", *_ORDER)

KEYS: Final = _table("keys", hash32("post"), address("key"), *placed(key=True))
_index(KEYS, "post", *_ORDER)

ENTRIES: Final = _table(
    "entries",
    hash32("entry"),
    hash32("dataset"),
    integer("version"),
    hash32("agency"),
    hash32("post"),
    hash32("dataset_code"),
    integer("attribute"),
    integer("grade"),
    flag("review_required"),
    hash32("law"),
    hash32("content"),
    flag("withdrawn"),
    *placed(key=True),
)
_index(ENTRIES, "entry")
_index(ENTRIES, "dataset", *_ORDER)
_index(ENTRIES, "agency", *_ORDER)

AGREEMENTS: Final = _table(
    "agreements",
    hash32("agreement", primary_key=True),
    integer("version"),
    integer("version_in_force"),
    integer("state"),
    hash32("provider"),
    sa.Column("parties", Bytes, nullable=False),
    hash32("terms_hash"),
    hash32("text"),
    hash32("review"),
    uint64("review_valid_until"),
    *placed(),
)
_index(AGREEMENTS, *_ORDER)
_index(AGREEMENTS, "state", *_ORDER)

AGREEMENT_PARTIES: Final = _table(
    "agreement_parties",
    hash32("agreement", primary_key=True),
    hash32("party", primary_key=True),
    *placed(),
)
_index(AGREEMENT_PARTIES, "party", *_ORDER)

GRANTS: Final = _table(
    "grants",
    hash32("agreement"),
    integer("version"),
    integer("ordinal", primary_key=True, autoincrement=False),
    hash32("provider"),
    hash32("dataset"),
    integer("dataset_version"),
    hash32("recipient"),
    hash32("purpose"),
    integer("delivery"),
    *placed(key=True),
)
for _column in ("agreement", "provider", "recipient", "dataset"):
    _index(GRANTS, _column, *_ORDER, "ordinal")

SIGNATURES: Final = _table(
    "signatures",
    hash32("agreement"),
    integer("version"),
    hash32("post"),
    hash32("party"),
    address("signer"),
    *placed(key=True),
)
_index(SIGNATURES, "agreement", *_ORDER)

STATUSES: Final = _table(
    "statuses",
    hash32("agreement"),
    integer("state"),
    integer("version"),
    hash32("post"),
    hash32("reason"),
    flag("by_authority"),
    *placed(key=True),
)
_index(STATUSES, "agreement", *_ORDER)

RESPONSIBILITIES: Final = _table(
    "responsibilities",
    hash32("assignment", primary_key=True),
    hash32("object"),
    integer("duty"),
    integer("object_kind"),
    hash32("by_post"),
    hash32("assignee"),
    integer("role"),
    integer("share_bps"),
    hash32("basis"),
    hash32("predecessor"),
    integer("accepted_at"),
    uint64("ended_at"),
    integer("end_cause"),
    *placed(),
)
_index(RESPONSIBILITIES, *_ORDER)
_index(RESPONSIBILITIES, "object", "duty", *_ORDER)
_index(RESPONSIBILITIES, "object", *_ORDER)
_index(RESPONSIBILITIES, "duty", *_ORDER)
_index(RESPONSIBILITIES, "assignee", *_ORDER)

CASES: Final = _table(
    "cases",
    hash32("case_id", primary_key=True),
    integer("step"),
    integer("steps"),
    hash32("respondent"),
    hash32("filing"),
    flag("noticed"),
    *placed(),
)
_index(CASES, *_ORDER)
_index(CASES, "noticed")

SEALED_CASES: Final = _table(
    "sealed_cases",
    hash32("case_id", primary_key=True),
    integer("step"),
    integer("steps"),
    *placed(),
)
_index(SEALED_CASES, *_ORDER)

ANCHORS: Final = _table("anchors", uint64("size", primary_key=True), hash32("root"), hash32("note_hash"), *placed())
_index(ANCHORS, *_ORDER)

TEXTS: Final = sa.Table(
    "texts", METADATA, integer("id", primary_key=True, autoincrement=False), text("text", unique=True)
)

FACTS: Final = sa.Table(
    "facts",
    METADATA,
    integer("leaf_index", primary_key=True, autoincrement=False),
    integer("block"),
    hash32("block_hash"),
    integer("accepted_at_ms"),
    integer("occurred_at_ms"),
    hash32("stream"),
    integer("seq"),
    hash32("commitment"),
    text("event_id"),
    integer("event_key"),
    text("correlation"),
    integer("correlation_key"),
    text_id("kind"),
    text_id("side"),
    text_id("provider"),
    text_id("requester"),
    text_id("dataset"),
    text_id("purpose"),
    text_id("recipient"),
    text_id("outcome"),
    text_id("reporter"),
    text_id("agreement"),
    integer("version"),
    integer("grant"),
    text_id("verdict"),
    text_id("mismatches"),
    text_id("flags"),
    integer("duty"),
    text_id("responsible_post"),
)
for _column in ("event_key", "correlation_key"):
    _index(FACTS, _column, "leaf_index")
for _column in ("agreement", "provider", "requester", "dataset", "reporter", "verdict"):
    _index(FACTS, _column, "leaf_index")
_index(FACTS, "occurred_at_ms", "leaf_index")

STREAMS: Final = _table("streams", hash32("stream", primary_key=True), integer("last_leaf"), integer("facts"))

TALLIES: Final = _table("tallies", text("name", primary_key=True), integer("count"))

CURSOR: Final = _table(
    "cursor",
    integer("id", primary_key=True, autoincrement=False),
    integer("block"),
    hash32("block_hash"),
    integer("timestamp"),
    integer("leaves"),
    sa.Column("last_leaf", Bytes(32), nullable=False),
)

RECENT_BLOCKS: Final = _table(
    "recent_blocks", integer("number", primary_key=True, autoincrement=False), hash32("hash"), integer("timestamp")
)
