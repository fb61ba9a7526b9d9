"""A process that stops itself (SIGSTOP) inside a transaction: after it has locked a customer, or in the middle of the
rows that a write copies. `python -m tests.contract.store_child DSN LEASE CUSTOMER locked|history|new_customers`
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from shared.store.port import Fenced, StoreUnavailable
from shared.store.rows import CustomerRow
from tests.contract.store_backends import changes, open_store, touchpoints
from tests.contract.store_backends import customer as born


def say(word: str) -> None:
    """Tells the parent."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def halt() -> None:
    """Stops this process until somebody wakes it."""
    say("stopping")
    os.kill(os.getpid(), signal.SIGSTOP)


class Halting(list[Any]):
    """Rows whose reader is stopped half-way."""

    def __iter__(self) -> Iterator[Any]:
        for i, row in enumerate(super().__iter__()):
            if i == len(self) // 2:
                halt()
            yield row


async def main(dsn: str, lease: float, customer: int, where: str) -> None:
    """Claims partition 0, and stops."""
    async with open_store(dsn, lease) as store, store.session() as session:
        claim = await session.claim(0, "child")
        generation = (await session.catalog()).generation
        row: CustomerRow = (await session.customers([(1, customer)]))[customer]
        lists: dict[str, list[Any]] = {
            "customers": [row._replace(count=99)],
            "history": [touchpoints(customer, at, at, b"x" * 1000) for at in range(20_000)],
            "new_customers": [born(claim, offset, states=b"x" * 1000) for offset in range(20_000)],
        }
        if where == "locked":
            await session.lock([(1, customer)])
            halt()
        else:
            lists[where] = Halting(lists[where])
        try:
            await session.write(changes(claim, generation, **lists))
        except (Fenced, StoreUnavailable) as error:
            say(f"refused: {type(error).__name__}")
        else:
            say("written")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
