"""The reference load: a million shop events of a hundred thousand customers, 1% of them sent twice, heavy-tailed.

The same events, in the same order, as the peers' own generator makes them; here as records on Milepost's log.
"""

import random
import time
import uuid
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

import msgspec

from shared.events import SECOND, Record

CUSTOMERS = 100_000
NAMES = ["Page Viewed", "Product Viewed", "Product Added", "Order Completed", "Signed Up", "Ticket Opened"]
WEIGHTS = [40, 28, 12, 8, 5, 7]
START = 1_793_000_000 * SECOND


def records(n: int, seed: int = 11, customers: int = CUSTOMERS) -> Iterator[Record]:
    """`n` records, two seconds apart, received when they happened."""
    rng = random.Random(seed)
    ranks = list(accumulate(rank**-0.8 for rank in range(1, customers + 1)))
    names = list(range(customers))
    rng.shuffle(names)
    context = msgspec.Raw(b'{"library":{"name":"analytics.js","version":"4.1.2"},"ip":"10.1.2.3","locale":"en-GB"}')
    last: dict[int, Record] = {}
    for i in range(n):
        customer = names[bisect(ranks, rng.random() * ranks[-1])]
        at = START + i * 2 * SECOND
        if rng.random() < 0.01 and customer in last:
            yield last[customer]
            continue
        record = last[customer] = Record(
            project=1,
            id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            type="track",
            at=at,
            received=at,
            user=f"cust-{customer:06d}",
            name=rng.choices(NAMES, WEIGHTS)[0],
            properties=msgspec.Raw(
                b'{"sku":"sku-%05d","price":%d.%02d,"currency":"EUR","category":"shoes","quantity":%d,'
                b'"url":"https://shop.example/p/%d"}' % (i % 99991, i % 200, i % 100, i % 4 + 1, i % 9973)
            ),
            context=context,
            key=1,
        )
        yield record


if __name__ == "__main__":
    began = time.perf_counter()
    print(sum(1 for _ in records(100_000)), time.perf_counter() - began)
