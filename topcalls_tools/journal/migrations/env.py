"""Runs the journal's migrations inside the transaction that is handed in."""

from alembic import context

from topcalls_tools.journal.tables import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables)
with context.begin_transaction():
    context.run_migrations()
