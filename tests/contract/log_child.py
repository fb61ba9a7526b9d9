"""A process that appends to a log and prints what was acknowledged: python -m tests.contract.log_child ADDRESS TAG."""

import asyncio
import sys

from tests.contract.log_backends import numbered, open_backend


async def main(address: str, tag: str) -> None:
    """Appends batches of ten until it is killed or has done 100,000; each line is the last number acknowledged."""
    async with open_backend(address) as log:
        entries = numbered(100_000, tag=tag)
        for first in range(0, len(entries), 10):
            await log.append(entries[first : first + 10])
            print(first + 9, flush=True)  # noqa: T201  (its output is what the test reads)


asyncio.run(main(*sys.argv[1:]))
