"""The index's first schema."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "index_0001"
down_revision: Final = None


def upgrade() -> None:
    op.create_table(
        "agencies",
        sa.Column("agency", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scheme", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root_key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("capacities", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.LargeBinary(length=32), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("successor", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("agency", name=op.f("pk_agencies")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_agencies_block_log_index", "agencies", ["block", "log_index"], unique=False)
    op.create_table(
        "agreement_parties",
        sa.Column("agreement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "party", name=op.f("pk_agreement_parties")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_agreement_parties_party_block_log_index", "agreement_parties", ["party", "block", "log_index"], unique=False
    )
    op.create_table(
        "agreements",
        sa.Column("agreement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("version_in_force", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parties", sa.LargeBinary(), nullable=False),
        sa.Column("terms_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("text", sa.LargeBinary(length=32), nullable=False),
        sa.Column("review", sa.LargeBinary(length=32), nullable=False),
        sa.Column("review_valid_until", sa.LargeBinary(length=8), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("agreement", name=op.f("pk_agreements")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_agreements_block_log_index", "agreements", ["block", "log_index"], unique=False)
    op.create_index("ix_agreements_state_block_log_index", "agreements", ["state", "block", "log_index"], unique=False)
    op.create_table(
        "anchors",
        sa.Column("size", sa.LargeBinary(length=8), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_anchors")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_anchors_block_log_index", "anchors", ["block", "log_index"], unique=False)
    op.create_table(
        "cases",
        sa.Column("case_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("respondent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("filing", sa.LargeBinary(length=32), nullable=False),
        sa.Column("noticed", sa.Boolean(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cases_block_log_index", "cases", ["block", "log_index"], unique=False)
    op.create_index("ix_cases_noticed", "cases", ["noticed"], unique=False)
    op.create_table(
        "cursor",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.BigInteger(), nullable=False),
        sa.Column("last_leaf", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cursor")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entries",
        sa.Column("entry", sa.LargeBinary(length=32), nullable=False),
        sa.Column("dataset", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("agency", sa.LargeBinary(length=32), nullable=False),
        sa.Column("post", sa.LargeBinary(length=32), nullable=False),
        sa.Column("dataset_code", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attribute", sa.BigInteger(), nullable=False),
        sa.Column("grade", sa.BigInteger(), nullable=False),
        sa.Column("review_required", sa.Boolean(), nullable=False),
        sa.Column("law", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("block", "log_index", name=op.f("pk_entries")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entries_agency_block_log_index", "entries", ["agency", "block", "log_index"], unique=False)
    op.create_index("ix_entries_dataset_block_log_index", "entries", ["dataset", "block", "log_index"], unique=False)
    op.create_index("ix_entries_entry", "entries", ["entry"], unique=False)
    op.create_table(
        "event_heads",
        sa.Column("address", sa.LargeBinary(length=20), nullable=False),
        sa.Column("head_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("address", "head_key", "block", "log_index", name=op.f("pk_event_heads")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_heads_block", "event_heads", ["block"], unique=False)
    op.create_table(
        "events",
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.Column("tx_index", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.LargeBinary(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_key", sa.LargeBinary(), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", "log_index", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_object_kind_object_key_block_log_index",
        "events",
        ["object_kind", "object_key", "block", "log_index"],
        unique=False,
    )
    op.create_index("ix_events_tx_hash_block_log_index", "events", ["tx_hash", "block", "log_index"], unique=False)
    op.create_table(
        "facts",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("accepted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("commitment_key", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_key", sa.BigInteger(), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("correlation_key", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.BigInteger(), nullable=False),
        sa.Column("requester", sa.BigInteger(), nullable=False),
        sa.Column("dataset", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.BigInteger(), nullable=False),
        sa.Column("reporter", sa.BigInteger(), nullable=False),
        sa.Column("agreement", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("grant", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.BigInteger(), nullable=False),
        sa.Column("mismatches", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.BigInteger(), nullable=False),
        sa.Column("duty", sa.BigInteger(), nullable=False),
        sa.Column("responsible_post", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_facts")),
    )
    op.create_index("ix_facts_agreement_leaf_index", "facts", ["agreement", "leaf_index"], unique=False)
    op.create_index("ix_facts_commitment_key_leaf_index", "facts", ["commitment_key", "leaf_index"], unique=False)
    op.create_index("ix_facts_correlation_key_leaf_index", "facts", ["correlation_key", "leaf_index"], unique=False)
    op.create_index("ix_facts_dataset_leaf_index", "facts", ["dataset", "leaf_index"], unique=False)
    op.create_index("ix_facts_event_key_leaf_index", "facts", ["event_key", "leaf_index"], unique=False)
    op.create_index("ix_facts_occurred_at_ms_leaf_index", "facts", ["occurred_at_ms", "leaf_index"], unique=False)
    op.create_index("ix_facts_provider_leaf_index", "facts", ["provider", "leaf_index"], unique=False)
    op.create_index("ix_facts_reporter_leaf_index", "facts", ["reporter", "leaf_index"], unique=False)
    op.create_index("ix_facts_requester_leaf_index", "facts", ["requester", "leaf_index"], unique=False)
    op.create_index("ix_facts_verdict_leaf_index", "facts", ["verdict", "leaf_index"], unique=False)
    op.create_table(
        "grants",
        sa.Column("agreement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.LargeBinary(length=32), nullable=False),
        sa.Column("dataset", sa.LargeBinary(length=32), nullable=False),
        sa.Column("dataset_version", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.LargeBinary(length=32), nullable=False),
        sa.Column("delivery", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("ordinal", "block", "log_index", name=op.f("pk_grants")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_grants_agreement_block_log_index_ordinal",
        "grants",
        ["agreement", "block", "log_index", "ordinal"],
        unique=False,
    )
    op.create_index(
        "ix_grants_dataset_block_log_index_ordinal",
        "grants",
        ["dataset", "block", "log_index", "ordinal"],
        unique=False,
    )
    op.create_index(
        "ix_grants_provider_block_log_index_ordinal",
        "grants",
        ["provider", "block", "log_index", "ordinal"],
        unique=False,
    )
    op.create_index(
        "ix_grants_recipient_block_log_index_ordinal",
        "grants",
        ["recipient", "block", "log_index", "ordinal"],
        unique=False,
    )
    op.create_table(
        "keys",
        sa.Column("post", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("block", "log_index", name=op.f("pk_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_keys_post_block_log_index", "keys", ["post", "block", "log_index"], unique=False)
    op.create_table(
        "posts",
        sa.Column("post", sa.LargeBinary(length=32), nullable=False),
        sa.Column("agency", sa.LargeBinary(length=32), nullable=False),
        sa.Column("roles", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.LargeBinary(length=32), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("post", name=op.f("pk_posts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_posts_agency_block_log_index", "posts", ["agency", "block", "log_index"], unique=False)
    op.create_index("ix_posts_block_log_index", "posts", ["block", "log_index"], unique=False)
    op.create_table(
        "recent_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_recent_blocks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "responsibilities",
        sa.Column("assignment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("object", sa.LargeBinary(length=32), nullable=False),
        sa.Column("duty", sa.BigInteger(), nullable=False),
        sa.Column("object_kind", sa.BigInteger(), nullable=False),
        sa.Column("by_post", sa.LargeBinary(length=32), nullable=False),
        sa.Column("assignee", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.BigInteger(), nullable=False),
        sa.Column("share_bps", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.LargeBinary(length=32), nullable=False),
        sa.Column("predecessor", sa.LargeBinary(length=32), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.LargeBinary(length=8), nullable=False),
        sa.Column("end_cause", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("assignment", name=op.f("pk_responsibilities")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_responsibilities_assignee_block_log_index",
        "responsibilities",
        ["assignee", "block", "log_index"],
        unique=False,
    )
    op.create_index("ix_responsibilities_block_log_index", "responsibilities", ["block", "log_index"], unique=False)
    op.create_index(
        "ix_responsibilities_duty_block_log_index", "responsibilities", ["duty", "block", "log_index"], unique=False
    )
    op.create_index(
        "ix_responsibilities_object_block_log_index", "responsibilities", ["object", "block", "log_index"], unique=False
    )
    op.create_index(
        "ix_responsibilities_object_duty_block_log_index",
        "responsibilities",
        ["object", "duty", "block", "log_index"],
        unique=False,
    )
    op.create_table(
        "sealed_cases",
        sa.Column("case_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_sealed_cases")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sealed_cases_block_log_index", "sealed_cases", ["block", "log_index"], unique=False)
    op.create_table(
        "signatures",
        sa.Column("agreement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("post", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=20), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("block", "log_index", name=op.f("pk_signatures")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_signatures_agreement_block_log_index", "signatures", ["agreement", "block", "log_index"], unique=False
    )
    op.create_table(
        "statuses",
        sa.Column("agreement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("post", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reason", sa.LargeBinary(length=32), nullable=False),
        sa.Column("by_authority", sa.Boolean(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.LargeBinary(length=8), nullable=False),
        sa.Column("valid_to", sa.LargeBinary(length=8), nullable=False),
        sa.PrimaryKeyConstraint("block", "log_index", name=op.f("pk_statuses")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_statuses_agreement_block_log_index", "statuses", ["agreement", "block", "log_index"], unique=False
    )
    op.create_table(
        "streams",
        sa.Column("stream", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_leaf", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_streams")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallies",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tallies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "texts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
        sa.UniqueConstraint("text"),
    )
