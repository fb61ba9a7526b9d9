"""A member of the readers' group that holds what it is assigned: python -m tests.contract.log_member ADDRESS NAME."""

import asyncio
import sys

from tests.contract.log_backends import open_backend


async def main(address: str, name: str) -> None:
    """Prints its partitions whenever they change, until it is killed."""
    async with open_backend(address) as log, log.reader(name) as reader:
        held: frozenset[int] = frozenset()
        while True:
            if reader.assigned() != held:
                held = reader.assigned()
                print(sorted(held), flush=True)  # noqa: T201  (its output is what the test reads)
            await reader.wait(1)


asyncio.run(main(*sys.argv[1:]))
