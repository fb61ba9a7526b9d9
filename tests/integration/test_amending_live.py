"""Exclusions and retractions made and undone while two stagers work on the customers whom they concern."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.exclusion import Filter
from shared.statement import said
from shared.store.rows import RETRACTS
from tests.integration.test_two_stagers import owning
from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.support.amending import exclude, retract, undo
from tests.support.crowd import PEOPLE, crowd
from tests.support.ledgers import Books
from tests.support.small import JOURNEY
from tests.support.staging import PARTITIONS, record_of
from tests.support.worlds import books_of, world

BEFORE, EVENTS, RULINGS = 400, 800, 12


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_rulings_beside_two_stagers(kind: str, seed: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The store is what `derive` gives for what stands at the end."""
    database = request.getfixturevalue("database") if kind == "postgres" else ""
    address = database or tmp_path / "store.db"
    rng = random.Random(seed)
    events = [{**one, "recorded": one["t"] + 1000} for one in crowd(rng, EVENTS)]
    statements = [found for one in events[:BEFORE] if (found := said(record_of(one))) is not None]
    retracted, excluded = dict[str, int](), dict[str, int]()

    async def rule() -> None:
        number = 0
        for _ in range(RULINGS):
            one, user = rng.choice(statements), f"user-{rng.randrange(PEOPLE)}"
            if retracted and rng.random() < 0.3:
                await undo(address, retracted.popitem()[1], RETRACTS)
            elif excluded and rng.random() < 0.3:
                await undo(address, excluded.popitem()[1])
            elif one.id not in retracted and rng.random() < 0.6:
                retracted[one.id] = number = (await retract(address, one)).number
            elif user not in excluded:
                excluded[user] = number = (await exclude(address, Filter(ids=(user,)))).number
        assert number > 1

    async def run() -> Books:
        async with world(kind, tmp_path, database) as made:
            both = [owning(await made.stager(batch=25), {partition}) for partition in range(PARTITIONS)]
            await made.append([record_of(one) for one in events[:BEFORE]])
            await asyncio.gather(*(stager.settle() for stager in both))
            await made.append([record_of(one) for one in events[BEFORE:]])
            await asyncio.gather(rule(), *(stager.settle() for stager in both))
            last = await made.stager()
            await last.settle()
            return await books_of(kind, tmp_path, database, last.fired_until)

    books = asyncio.run(run())
    expected: dict[Any, list[tuple[int, str | None, str | None]]] = {}
    seen = [{**one, "excluded": one["user"] in excluded, "retracted": one["id"] in retracted} for one in events]
    for customer in customers(seen):
        moves = derive(yaml.safe_load(JOURNEY), customer.touchpoints, books.now)
        expected[customer.identifiers] = [(move.at, move.source, move.target) for move in moves]
    assert books.moves == expected
    assert books.populations == Counter(moves[-1][2] for moves in expected.values() if moves)
    assert books.staged == len(events)
    assert books.queued == books.quarantined == 0
