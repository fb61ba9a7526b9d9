"""Two stagers own partitions of one log and share customers across them: merges, shared devices, conflicts."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.support.crowd import crowd
from tests.support.ledgers import Books
from tests.support.small import JOURNEY
from tests.support.staging import PARTITIONS, Driven, record_of
from tests.support.worlds import books_of, world


def owning(stager: Driven, partitions: set[int]) -> Driven:
    """The stager, told by its group that these partitions are its own."""
    stager.owned = frozenset(partitions)
    return stager


@pytest.mark.parametrize("seed", [1, 2, 7])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_owners_one_customer(kind: str, seed: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What two stagers write at the same time about the same customers is what derive gives."""
    database = request.getfixturevalue("database") if kind == "postgres" else ""
    events = crowd(random.Random(seed), 900)

    async def run() -> Books:
        async with world(kind, tmp_path, database) as made:
            await made.append([record_of({**one, "recorded": one["t"] + 1000}) for one in events])
            both = [owning(await made.stager(batch=40), {partition}) for partition in range(PARTITIONS)]
            await asyncio.gather(*(stager.stage_all() for stager in both))
            last = await made.stager()
            await last.settle()
            return await books_of(kind, tmp_path, database, last.fired_until)

    books = asyncio.run(run())
    expected = {}
    for customer in customers([{**one, "recorded": one["t"] + 1000} for one in events]):
        moves = derive(yaml.safe_load(JOURNEY), customer.touchpoints, books.now)
        expected[customer.identifiers] = [(move.at, move.source, move.target) for move in moves]
    assert sorted(map(sorted, books.moves)) == sorted(map(sorted, expected))
    assert books.moves == expected
    assert books.populations == Counter(moves[-1][2] for moves in expected.values() if moves)
    assert books.staged == len(events)
