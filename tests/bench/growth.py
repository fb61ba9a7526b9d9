"""What an event costs the stager as things grow, in ratios of one run: its own processor time, over SQLite.

    python -m tests.bench.growth [journeys] [customers] [heavy] [off] [--events 300000]

- *journeys*: five templates at once beside one (asked: at most 2×).
- *customers*: a million customers beside ten thousand (at most 1.3×).
- *heavy*: one customer with all the events beside many with ten each (at most 1.5×), 1% of them up to a day late.
- *off*: a day's events and timers found after a day off, beside the same events that need no catching up (at least 80%
  of that rate).

Each run has a process, a log and a store of its own, with the default settings. As many events again, or a part of
them, are staged before it is measured. What the clock says is printed, too, for a quiet machine.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from services.stager.garbage import collecting
from shared.events import DAY, SECOND, Record
from shared.journeys import templates
from shared.settings import Settings
from tests.bench.reference import NAMES, START, WEIGHTS, records
from tests.support.staging import Staging, staging

FIVE = ("lifecycle", "classic", "funnel", "retail", "value")


@dataclass(frozen=True)
class Case:
    """One run: how its records are made, and by which journeys they are staged. `settled` is of timers, too."""

    name: str
    load: str
    customers: int
    journeys: Sequence[str] = FIVE[:1]
    settled: bool = False


CASES = {
    "journeys": (Case("one", "reference", 20_000), Case("five", "reference", 20_000, FIVE)),
    "customers": (Case("10,000", "reference", 10_000), Case("1,000,000", "reference", 1_000_000)),
    "heavy": (Case("ten each", "late", 0), Case("all of one", "late", 1)),
    "off": (Case("at once", "hour", 20_000), Case("a day off", "day", 20_000, settled=True)),
}


def late(events: int, customers: int) -> Iterator[Record]:
    """Events of customers in turn, in all two minutes apart for each; 1% happened up to a day before they came."""
    rng = random.Random(5)
    customers = customers or max(1, events // 10)
    for number in range(events):
        received = START + number // customers * 120 * SECOND + number % customers
        at = received - rng.randrange(DAY) if rng.random() < 0.01 else received
        yield _record(rng, number, number % customers, at, received)


def spread(events: int, customers: int, span: int) -> Iterator[Record]:
    """The half of the events within a day, thirty days ago; the other half, of mostly others, within `span` since."""
    rng = random.Random(5)
    half = events // 2
    for number in range(events):
        at = START - 30 * DAY + number * DAY // half if number < half else START + (number - half) * span // half
        # The old ones fall due while the others act.
        customer = rng.randrange(customers) if number < half else customers // 2 + rng.randrange(customers)
        yield _record(rng, number, customer, at, at)


def _record(rng: random.Random, number: int, customer: int, at: int, received: int) -> Record:
    name = rng.choices(NAMES, WEIGHTS)[0]
    properties = msgspec.Raw(b'{"sku":"sku-%05d","price":%d.5,"quantity":1}' % (number % 99991, number % 200))
    return Record(1, f"m{number}", "track", at, received, user=f"c{customer}", name=name, properties=properties)


def loaded(case: Case, events: int) -> tuple[Iterable[Record], int]:
    """The records, and how many of them are not measured: customers come to be, caches fill."""
    if case.load == "reference":
        return records(2 * events, customers=case.customers), events
    if case.load == "late":
        return late(events, case.customers), events // 10
    return spread(events, case.customers, DAY if case.load == "day" else 3600 * SECOND), events // 2


async def stage(folder: Path, case: Case, events: int) -> dict[str, float]:
    """Stages what is not measured, then the rest, which waits on the log: µs of processor and of the clock an event."""
    made, before = loaded(case, events)
    source, usual = iter(made), Settings()
    async with staging(folder, [templates.text(name) for name in case.journeys]) as world:
        stager = await world.stager(batch=usual.batch, cache_bytes=usual.cache_bytes)
        with collecting():
            await append(world, islice(source, before))
            await stager.catch_up()
            measured = await append(world, source)
            cpu, wall = time.process_time(), time.perf_counter()
            await (stager.catch_up() if case.settled else stager.stage_all())
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu / measured * 1e6, "clock": wall / measured * 1e6}


async def append(world: Staging, made: Iterator[Record]) -> int:
    """Accepts records, in batches; how many."""
    count = 0
    while part := list(islice(made, 5000)):
        await world.append(part)
        count += len(part)
    return count


def main(names: Sequence[str], events: int) -> None:
    """Runs both cases of each, prints what an event costs and the ratio."""
    for name in names:
        costs = []
        for number, case in enumerate(CASES[name]):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-m", "tests.bench.growth", name, "--case", str(number), "--folder", folder]
                command += ["--events", str(events)]
                out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            cost = json.loads(out)
            costs.append(cost)
            print(f"{name:10}{case.name:12}{cost['cpu']:8.1f} µs of CPU, {cost['clock']:8.1f} µs an event", flush=True)
        first, second = costs
        print(f"{name:10}ratio {second['cpu'] / first['cpu']:.2f} of CPU, {second['clock'] / first['clock']:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="journeys|customers|heavy|off")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if wrong := set(given.names) - set(CASES):
        parser.error(f"there is no {', '.join(sorted(wrong))}")
    if given.folder:
        case = CASES[given.names[0]][given.case]
        print(json.dumps(asyncio.run(stage(given.folder, case, given.events))))
    else:
        main(given.names or list(CASES), given.events)
