"""Amendments made to a store, as the commands make them."""

from pathlib import Path

from shared.exclusion import Filter
from shared.statement import Said
from shared.store import amendments
from shared.store.engine import engine, writing
from shared.store.rows import EXCLUDES, RETRACTS, Amendment


async def exclude(address: str | Path, filter: Filter) -> Amendment:
    """Excludes in project 1."""
    made = engine(address)
    try:
        async with writing(made) as db:
            return await amendments.exclude(db, 1, filter, "a test", "")
    finally:
        await made.dispose()


async def retract(address: str | Path, *statements: Said) -> Amendment:
    """Takes statements of project 1 back."""
    made = engine(address)
    try:
        async with writing(made) as db:
            return await amendments.retract(db, 1, amendments.Retraction(statements), "a test", "")
    finally:
        await made.dispose()


async def undo(address: str | Path, number: int, kind: int = EXCLUDES) -> None:
    """Undoes an amendment of project 1 that stands."""
    assert kind in (EXCLUDES, RETRACTS)
    made = engine(address)
    try:
        async with writing(made) as db:
            assert await amendments.undo(db, 1, number, kind)
    finally:
        await made.dispose()
