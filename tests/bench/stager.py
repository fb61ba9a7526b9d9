"""The stager's throughput: the reference load from Kafka into PostgreSQL, exactly once, payload kept, two processes.

    python -m tests.bench.stager [--records 1000000] [--processes 2] [--rounds 1] [--peers FOLDER]

Each round fills nothing anew: the topic is written once, the database is made new. With `--peers`, a folder with the
runnable peers (Kafka Streams built, the prototype store, a Python environment in `venv`), they run in the same round on
the same broker and database server, and the ratios are printed.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from typing import NamedTuple

import asyncpg
import uvloop
from prometheus_client import CollectorRegistry

from shared import runtime
from shared.events import encode
from shared.journeys import templates
from shared.log.port import Entry
from shared.settings import Settings
from tests.bench.reference import records
from tests.support.kafka import Kafka
from tests.support.postgres import Postgres


def settings_of(kafka: str, dsn: str) -> Settings:
    """The settings of every process of a run."""
    return Settings(kafka=kafka, database=dsn, topic="bench", cache_bytes=256 << 20)


async def fill(settings: Settings, n: int) -> None:
    """Writes the reference load to the topic."""
    await runtime.make(settings)
    async with runtime.open_log(settings) as log:
        entries = list[Entry]()
        for record in records(n):
            entries.append(Entry(record.source.encode(), encode(record)))
            if len(entries) == 5000:
                await log.append(entries)
                entries.clear()
        await log.append(entries)


async def work(settings: Settings, name: str) -> None:
    """One stager process: until it is told to stop."""
    from services.commands.assembly import teller
    from services.stager.app import run
    from services.stager.telemetry import Telemetry

    before = resource.getrusage(resource.RUSAGE_SELF)
    registry = CollectorRegistry()
    async with runtime.open_log(settings) as log, runtime.open_store(settings) as store:
        with runtime.signals() as stop:
            await run(log, store, settings, Telemetry(registry), teller(settings), stop, name)
    batches = registry.get_sample_value("milepost_stager_batch_seconds_count") or 0
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": used, "rss_mb": after.ru_maxrss // 1024, "batches": batches}), flush=True)


class Measured(NamedTuple):
    """Events a second from the first claim to the last commit, µs of Python an event, MB a process, batches."""

    rate: float
    cpu: float
    rss_mb: int
    batches: int


def measure(settings: Settings, processes: int, n: int) -> Measured:
    """Stages the whole topic into an empty store."""
    asyncio.run(prepare(settings))
    command = [sys.executable, "-m", "tests.bench.stager", "--work"]
    environment = os.environ | {"BENCH_KAFKA": settings.kafka, "BENCH_DATABASE": settings.database.get_secret_value()}
    children = [
        subprocess.Popen([*command, f"bench-{i}"], env=environment, stdout=subprocess.PIPE, text=True)
        for i in range(processes)
    ]
    try:
        rate = asyncio.run(staged(settings, processes, n))
    finally:
        for child in children:
            child.terminate()
        told = [json.loads(child.communicate()[0] or "{}") for child in children]
    return Measured(
        rate,
        sum(one["cpu"] for one in told) / n * 1e6,
        max(one["rss_mb"] for one in told),
        int(sum(one["batches"] for one in told)),
    )


async def prepare(settings: Settings) -> None:
    """Makes the store, with the lifecycle journey."""
    await runtime.make(settings)
    async with runtime.open_store(settings) as store:
        await store.add_journey(1, "lifecycle", templates.text("lifecycle"))


async def staged(settings: Settings, processes: int, n: int) -> float:
    """Events a second from when every process holds partitions until `n` records are staged."""
    database = await asyncpg.connect(settings.database.get_secret_value())
    began, first = 0.0, 0
    try:
        while True:
            ((position, owners),) = await database.fetch("SELECT sum(position), count(DISTINCT owner) FROM positions")
            if owners == processes and not began:
                began, first = time.perf_counter(), int(position)
            if position >= n:
                return (n - first) / (time.perf_counter() - began)
            await asyncio.sleep(0.02)
    finally:
        await database.close()


def peer(folder: Path, kafka: str, broker: int, dsn: str) -> dict[str, float]:
    """Events a second of Kafka Streams (exactly once, RocksDB, two threads) and the prototype store (two processes)."""
    streams = subprocess.run(
        ["java", "-Xmx1g", "-cp", "libs/*:target/classes", "Peer", kafka, "touchpoints", "rocksdb", "2", "100", "64"],
        cwd=folder / "stream/streams", capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    with NamedTemporaryFile("w", suffix=".pid") as pid:  # it reports the broker's own work too
        pid.write(str(broker))
        pid.flush()
        store = subprocess.run(
            ["venv/bin/python", "store/run.py", f"boot={kafka}", f"dsn={dsn}", f"kpid={pid.name}"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    print(streams.strip(), store.stdout.strip(), store.stderr.strip()[-500:], sep="\n")
    found = re.search(r"([\d,]+) ev/s", streams)
    prototype = re.search(r"([\d,]+) ev/s", store.stdout)
    return {
        "kafka streams": float(found[1].replace(",", "")) if found else 0.0,
        "prototype": float(prototype[1].replace(",", "")) if prototype else 0.0,
    }


def main(options: argparse.Namespace) -> None:
    """Fills, measures, reports."""
    with Kafka() as kafka, Postgres("shared_buffers = 256MB\nmax_wal_size = 2GB") as postgres:
        asyncio.run(fill(settings_of(kafka.bootstrap, postgres.create_database()), options.records))
        if options.peers:
            fill_peers = ["venv/bin/python", "stream/gen.py", kafka.bootstrap, str(options.records), "touchpoints"]
            subprocess.run(fill_peers, cwd=options.peers, check=True, capture_output=True)
        results: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            dsn = postgres.create_database()
            ours = measure(settings_of(kafka.bootstrap, dsn), options.processes, options.records)
            postgres.drop_database(dsn)
            print(
                f"milepost {ours.rate:,.0f} events/s, {ours.cpu:.1f} µs of Python an event, {ours.rss_mb} MB a process"
            )
            results.setdefault("milepost", []).append(ours.rate)
            if options.peers:
                dsn = postgres.create_database()
                for name, rate in peer(options.peers, kafka.bootstrap, kafka.nodes[0].process.pid, dsn).items():
                    results.setdefault(name, []).append(rate)
                postgres.drop_database(dsn)
        for name, rates in results.items():
            ratio = median(results["milepost"]) / max(median(rates), 1)
            print(f"{name}: median {median(rates):,.0f} events/s; milepost is {ratio:.2f}×")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        uvloop.run(work(settings_of(os.environ["BENCH_KAFKA"], os.environ["BENCH_DATABASE"]), given.work))
    else:
        main(given)
