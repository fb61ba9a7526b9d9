"""How the tables are keyed, so that a distributed database could take the large ones."""

import pytest
from sqlalchemy import Table

from shared.store.tables import metadata

#: One row for the whole store, and a partition's place, which is that of all projects.
OF_NO_PROJECT = {"catalog", "positions"}
#: By what rows that are read together could lie together.
SPREAD_BY = {"touchpoints": "stream", "customers": "customer", "ledger": "customer"}


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_starts_with_the_project(table: Table) -> None:
    """Whatever belongs to a project says so first."""
    first = table.columns.values()[0]
    assert (first.name == "project") is (table.name not in OF_NO_PROJECT)


@pytest.mark.parametrize("name", SPREAD_BY)
def test_the_large_tables_carry_what_they_could_be_spread_by(name: str) -> None:
    """A row never lacks it, and it is in each of the table's unique keys, as distributed tables need it."""
    table = metadata.tables[name]
    key = table.columns[SPREAD_BY[name]]
    assert not key.nullable
    unique = [set(index.columns.keys()) for index in table.indexes if index.unique]
    primary = set(table.primary_key.columns.keys())
    assert all(key.name in columns for columns in [*unique, primary] if columns)
