"""A stager's memory does not grow with the customers: resident MB after staging as many events of few and of many.

    python -m tests.bench.memory [--events 1000000]

Each run is a process of its own over a SQLite log and store, with the default settings.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from services.stager.garbage import collecting
from shared.events import encode
from shared.journeys import templates
from shared.log.port import Entry
from shared.log.sqlite import open_sqlite_log
from shared.settings import Settings
from tests.bench.reference import records
from tests.support.staging import PARTITIONS, staging


async def fill(folder: Path, events: int, customers: int) -> None:
    """Writes the load to a log in the folder: in a process of its own, for the generator remembers its customers."""
    async with open_sqlite_log(folder / "log.db", PARTITIONS, 86_400) as log:
        entries = list[Entry]()
        for record in records(events, customers=customers):
            entries.append(Entry(record.source.encode(), encode(record)))
            if len(entries) == 5000:
                await log.append(entries)
                entries.clear()
        await log.append(entries)


async def stage(folder: Path) -> None:
    """Stages the log in the folder and prints the peak resident MB of the process."""
    usual = Settings()
    async with staging(folder, [templates.text("lifecycle")]) as world:
        stager = await world.stager(batch=usual.batch, cache_bytes=usual.cache_bytes)
        with collecting():
            await stager.stage_all()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def main(events: int) -> None:
    """Measures both sizes."""
    sizes = {}
    for customers in (10_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tests.bench.memory", "--folder", folder, "--events", str(events)]
            subprocess.run([*command, "--customers", str(customers)], check=True)
            sizes[customers] = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(f"{customers:,} customers: {sizes[customers]} MB at its peak", flush=True)
    print(f"ratio {sizes[1_000_000] / sizes[10_000]:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--customers", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.customers:
        asyncio.run(fill(given.folder, given.events, given.customers))
    elif given.folder:
        asyncio.run(stage(given.folder))
    else:
        main(given.events)
