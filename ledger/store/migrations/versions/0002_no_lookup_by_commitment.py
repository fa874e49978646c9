"""Nothing looks a fact up by its commitment: each new fact paid for an entry of an index in random order."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "index_0002"
down_revision: Final = "index_0001"


def upgrade() -> None:
    op.drop_index("ix_facts_commitment_key_leaf_index", "facts")
    op.drop_column("facts", "commitment_key")
