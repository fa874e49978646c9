"""Alembic's entry: runs on the connection that `ledger.store.migrations.upgrade` hands over."""

from alembic import context

from ledger.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
