"""The stores under contract, and changes to write to them."""

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from shared.store import postgres, schema, sqlite
from shared.store.port import Session, Store
from shared.store.rows import CURRENT, Changes, Claim, CustomerRow, HistoryRow, LedgerRow

LEASE = 3.0
PARTITIONS = 3


def open_store(address: str | Path, lease: float = LEASE) -> AbstractAsyncContextManager[Store]:
    """Opens the store at an address: a SQLite file's path, or a PostgreSQL database's."""
    return sqlite.open(address, lease) if isinstance(address, Path) else postgres.open(address, lease)


@asynccontextmanager
async def new_store(address: str | Path) -> AsyncIterator[Store]:
    """Makes the schema and opens the store."""
    await schema.setup(address, PARTITIONS, "UTC")
    async with open_store(address) as store:
        yield store


def changes(claim: Claim, generation: int = 1, **lists: Any) -> Changes:
    """A write that moves the partition on by one position."""
    made = Changes(claim, claim.position + 1, claim.next_id + 100, claim.next_seq + 100, claim.clock, generation)
    for name, rows in lists.items():
        setattr(made, name, rows)
    return made


def after(written: Changes) -> Claim:
    """The claim as it stands after a write."""
    return written.claim._replace(
        position=written.position, next_id=written.next_id, next_seq=written.next_seq, clock=written.clock
    )


async def write(session: Session, claim: Claim, **lists: Any) -> Claim:
    """Writes, and returns the claim as it then stands."""
    catalog = await session.catalog()
    made = changes(claim, catalog.generation, **lists)
    await session.write(made)
    return after(made)


def customer(claim: Claim, offset: int = 0, **fields: Any) -> CustomerRow:
    """A new customer of the claim's partition."""
    row = CustomerRow(1, claim.next_id + offset, 0, 1, 10, "a", 20, b"recent", b"states", None, CURRENT, 0)
    return row._replace(**fields)


def touchpoints(stream: int, lo: int, hi: int, body: bytes = b"body") -> HistoryRow:
    """Two touchpoints, the first at `lo`, the last at `hi`."""
    return HistoryRow(1, stream, lo, hi, 2, b"12345678abcdefgh", body, 1)


def random_ledger(rng: random.Random, claim: Claim, version: int, times: Iterable[int], n: int) -> list[LedgerRow]:
    """Moves at some of these times, recorded at or after them, and reversals."""
    instants = list(times)
    rows = []
    for seq in range(claim.next_seq, claim.next_seq + n):
        at, recorded = rng.choice(instants), rng.choice(instants)
        source, target = rng.randrange(-2, 3), rng.randrange(-1, 3)
        sign = rng.choice((1, 1, 1, -1))
        cause = rng.randrange(6)
        customer = claim.next_id + rng.randrange(50)
        rows.append(LedgerRow(1, version, customer, at, source, target, cause, recorded, sign, claim.partition, seq))
    return rows
