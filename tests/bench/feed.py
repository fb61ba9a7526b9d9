"""What the analytical copy costs: `python -m tests.bench.feed [--touchpoints 200000] [--profile]`.

µs of this process's CPU for each touchpoint, and bytes that it takes, in three steps: decoding a row's body, gathering
(which is telling what it is, and decoding), and making the sorted columns. Two loads: *events* as the reference load
has them (few contexts, each with properties of its own), and *browsers*, whose visitors look at a few pages each with
the contexts that analytics.js sends. With `--profile`, where gathering spends its time.
"""

import argparse
import cProfile
import pstats
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from services.metrics.analytics.feed import Gathered
from shared.events import SECOND, Record, encode, pack, unpack
from shared.exclusion import Exclusions
from shared.store.amendments import exclusions_of
from shared.store.scan import Owners
from shared.touch.told import Teller
from tests.bench.reference import START, records
from tests.support.journeys import teller

#: Touchpoints of one row: a customer's of one batch.
TOGETHER = 3
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0"
    " Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36",
)
LINKS = ("", "https://www.google.com/", "https://t.co/x", "https://shop.example/", "https://news.example/article")
QUERIES = ("", "", "", "?utm_source=news&utm_medium=email&utm_campaign=spring", "?gclid=abc")
LOOKS = ("Product Viewed", "Product Added", "Article Viewed", "Products Searched")


def browsers(touchpoints: int) -> Iterator[Record]:
    """Visits of some five touchpoints, page views and what is done on the page, as analytics.js sends them."""
    rng = random.Random(3)
    number = 0
    while number < touchpoints:
        visitor = rng.randrange(touchpoints // 20 + 1)
        agent = AGENTS[visitor % 3].format(visitor % 20)
        link, query = rng.choice(LINKS), rng.choice(QUERIES)
        for _ in range(rng.randrange(1, 5)):
            page = int(rng.paretovariate(0.7)) % 5000
            url = f"https://shop.example/p/{page}"
            seen = {"path": f"/p/{page}", "referrer": link, "search": query, "title": f"P {page}", "url": url + query}
            context = {
                "page": seen,
                "userAgent": agent,
                "locale": "fa-IR",
                "library": {"name": "analytics.js", "version": "4.1.2"},
                "ip": f"10.{visitor >> 16 & 255}.{visitor >> 8 & 255}.{visitor & 255}",
            }
            raw = msgspec.Raw(msgspec.json.encode(context))
            for kind in ("page", *("track" for _ in range(rng.randrange(3)))):
                at = START + number * SECOND
                properties = seen if kind == "page" else {"sku": f"s{page}", "price": page % 90 + 0.5}
                yield Record(
                    project=1,
                    id=f"m{number}",
                    type=kind,
                    at=at,
                    received=at,
                    anonymous=f"a{visitor}",
                    name="Product" if kind == "page" else rng.choice(LOOKS),
                    properties=msgspec.Raw(msgspec.json.encode(properties)),
                    context=raw,
                )
                number += 1
            link, query = url, ""


def rows_of(made: Iterator[Record], streams: int) -> list[tuple[int, bytes]]:
    """(stream, body) as the store gives them."""
    rows, body = list[tuple[int, bytes]](), list[tuple[int, bytes]]()
    for record in made:
        body.append((record.received, encode(record)))
        if len(body) == TOGETHER:
            rows.append((len(rows) % streams + 1, pack(body)))
            body = []
    return rows


def micros(work: Callable[[], object], count: int) -> float:
    """Of CPU for each of so many."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / count * 1e6


def measure(name: str, rows: list[tuple[int, bytes]], tells: Teller, none: Exclusions, profile: bool) -> None:
    """Prints what each step takes."""
    count, streams = len(rows) * TOGETHER, max(stream for stream, _ in rows)
    owners, nobody = Owners({stream: stream for stream in range(1, streams + 1)}, {}), np.zeros(0, dtype=np.int64)
    Gathered(tells, none).add(rows[:1000])  # what is loaded at first is not counted
    decoding = micros(lambda: [unpack(body) for _, body in rows], count)
    gathered = Gathered(tells, none)
    gathering = micros(lambda: gathered.add(rows), count)
    sorting = micros(lambda: gathered.columns(owners, nobody), count)
    again = Gathered(tells, none)
    tracemalloc.start()
    again.add(rows[: len(rows) // 10])
    held, _ = tracemalloc.get_traced_memory()
    columns = again.columns(owners, nobody)
    whole, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    part = len(columns)
    print(
        f"{name:10}{decoding:7.2f} µs to decode, {gathering:7.2f} to gather, {sorting:6.2f} to sort;"
        f" {held / part:5.0f} bytes gathered, {(whole - held) / part:5.0f} in columns",
        flush=True,
    )
    if profile:
        with cProfile.Profile(time.process_time) as found:
            Gathered(tells, none).add(rows)
        pstats.Stats(found).sort_stats("tottime").print_stats(25)


def main(options: argparse.Namespace) -> None:
    """Measures both loads."""
    tells, none = teller(), exclusions_of([])
    count = options.touchpoints
    for name, made in {"events": records(count, customers=count // 10), "browsers": browsers(count)}.items():
        measure(name, rows_of(made, max(1, count // 20)), tells, none, options.profile)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touchpoints", type=int, default=200_000)
    parser.add_argument("--profile", action="store_true")
    main(parser.parse_args())
