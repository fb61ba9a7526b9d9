"""What writing a batch costs: `python -m tests.bench.store [sqlite] [postgres] [--batches 30]`, µs per touchpoint.

One session writes what the stager makes of the reference load's partition: 10,000 touchpoints of about 4,500 customers
a batch, 1,500 ledger entries. *client* is this process's own time (rows to columns, encoding), *server* the database's
CPU, *wall* what the stager waits for in all.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import uvloop

from shared.events import DAY, Record, encode, pack
from shared.store import schema
from shared.store.port import Session
from shared.store.rows import CURRENT, LIVE, Changes, Claim, CustomerRow, HistoryRow, LedgerRow
from tests.bench.reference import CUSTOMERS, records
from tests.contract.store_backends import after, open_store
from tests.support.postgres import Postgres
from tests.support.processes import ROOT

BATCH, PARTITION, PARTITIONS = 10_000, 2, 6


class Cost(NamedTuple):
    """Seconds: until the write was done, of this process's CPU, of the server's."""

    wall: float
    client: float
    server: float


class Shop:
    """Makes batches of one partition, each from where the last one ended."""

    def __init__(self, claim: Claim, batches: int) -> None:
        self.claim = claim
        self._rng = random.Random(5)
        self._load = records(batches * BATCH, customers=CUSTOMERS // PARTITIONS)
        self._rows: dict[str, CustomerRow] = {}

    def batch(self) -> Changes:
        """What the next batch writes."""
        by_user: dict[str, list[Record]] = {}
        for _, record in zip(range(BATCH), self._load, strict=False):
            by_user.setdefault(record.source, []).append(record)
        held = self.claim
        made = Changes(held, held.position + BATCH, held.next_id, held.next_seq, held.clock, 1, staged=BATCH)
        for user, touched in by_user.items():
            self._customer(made, user, touched)
        made.customers.sort()
        made.history.sort()
        self.claim = after(made)
        return made

    def _customer(self, made: Changes, user: str, touched: list[Record]) -> None:
        last, n, row = touched[-1], len(touched), self._rows.get(user)
        new = row is None
        if row is None:
            row = CustomerRow(1, made.next_id, 0, 0, 0, "", 0, b"", b"", last.at + 30 * DAY, CURRENT, 0)
            made.next_id += 1
            made.identifiers.append((1, 0, user, row.customer, row.customer))
            made.timers.append((1, row.customer, last.at + 30 * DAY))
        recent = (row.recent + self._rng.randbytes(8 * n))[-512:]
        now = row._replace(
            count=row.count + n,
            at=last.at,
            id=last.id,
            recorded=last.at,
            recent=recent,
            states=self._rng.randbytes(120),
        )
        (made.new_customers if new else made.customers).append(now)
        self._rows[user] = now if new else now._replace(revision=row.revision + 1)
        if new or self._rng.random() < 0.25:
            source = -2 if new else self._rng.randrange(4)
            made.ledger.append(
                LedgerRow(1, 1, row.customer, last.at, source, 4, LIVE, last.at, 1, PARTITION, made.next_seq)
            )
            made.next_seq += 1
        body = pack([(one.received, encode(one)) for one in touched])
        made.history.append(HistoryRow(1, row.customer, touched[0].at, last.at, n, self._rng.randbytes(8 * n), body, 1))


async def measure(session: Session, batches: int, server: psutil.Process | None) -> Iterator[Cost]:
    """What each write cost."""
    shop = Shop(await session.claim(PARTITION, "bench"), batches)
    costs = []
    for _ in range(batches):
        made = shop.batch()
        cpu, wall, theirs = time.process_time(), time.perf_counter(), seconds(server)
        await session.write(made)
        costs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu, seconds(server) - theirs))
    return iter(costs)


def seconds(server: psutil.Process | None) -> float:
    """CPU that the server has used."""
    if server is None:
        return 0.0
    times = server.cpu_times()
    return float(times.user + times.system)


def report(name: str, costs: list[Cost], size: int) -> None:
    """Prints a line; the first half, in which customers are new, counts for nothing."""
    steady = costs[len(costs) // 2 :]
    wall, client, server = (sum(column) / len(steady) / BATCH * 1e6 for column in zip(*steady, strict=True))
    print(
        f"{name:9} {wall:6.2f} µs/touchpoint (client {client:.2f}, server {server:.2f}); first half"
        f" {sum(cost.wall for cost in costs[: len(costs) // 2]) / (len(costs) // 2) / BATCH * 1e6:.2f};"
        f" {size / len(costs) / BATCH:.0f} bytes stored each"
    )


async def sqlite(batches: int) -> None:
    """The embedded store, on the disk that the repository is on."""
    with tempfile.TemporaryDirectory(dir=ROOT / ".cache") as folder:
        path = Path(folder) / "store.db"
        await schema.setup(path, PARTITIONS, "UTC")
        async with open_store(path, 30) as store, store.session() as session:
            costs = list(await measure(session, batches, None))
        report("sqlite", costs, os.stat(path).st_size)


async def postgres(batches: int) -> None:
    """A server of its own."""
    with Postgres("shared_buffers = 256MB\nmax_wal_size = 2GB\n") as server:
        dsn = server.create_database()
        await schema.setup(dsn, PARTITIONS, "UTC")
        async with open_store(dsn, 30) as store, store.session() as session:
            await session.catalog()
            pid = server.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'milepost stager'")
            costs = list(await measure(session, batches, psutil.Process(int(pid))))
        report("postgres", costs, int(server.execute("SELECT pg_database_size(current_database())", dsn)))
        tables = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' ORDER BY 2 DESC LIMIT 5"
        hot = "SELECT 100 * n_tup_hot_upd / n_tup_upd FROM pg_stat_user_tables WHERE relname = 'customers'"
        largest = server.execute(tables, dsn).replace("\n", ", ").replace("|", " ")
        print(f"          updates in place: {server.execute(hot, dsn)}%; largest: {largest}")


def main() -> None:
    """Measures the stores named, both if none is."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.store")
    parser.add_argument("stores", nargs="*", choices=["sqlite", "postgres", []])
    parser.add_argument("--batches", type=int, default=30)
    asked = parser.parse_args()
    for store in (sqlite, postgres):
        if not asked.stores or store.__name__ in asked.stores:
            uvloop.run(store(asked.batches))


if __name__ == "__main__":
    main()
