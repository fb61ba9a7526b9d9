"""Runs the migrations on the connection that `shared.store.schema` hands over, in its transaction."""

from alembic import context

from shared.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
