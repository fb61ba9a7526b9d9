"""Whatever the journey, the ledger as known at an instant is `derive` of what had been recorded by then; and a version
that is published in the midst of it is derived like any other."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events import SECOND
from tests.oracle.ledger import known
from tests.properties.test_stager import MEMORY, check_books
from tests.support import strategies
from tests.support.constructs import Data
from tests.support.ledgers import sqlite_books, stage_as_known
from tests.support.staging import record_of, staging

asked = st.lists(st.integers(-2, 24), min_size=1, max_size=4)


@pytest.mark.timeout(600)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(strategies.worlds(), st.integers(1, 5), asked)
def test_random_ledgers_as_known(world: strategies.World, batch: int, asked: list[int]) -> None:
    """For D not after R: entries effective by D and recorded by R lead to the stage that the oracle gives."""
    world.journey()
    arriving = sorted(world.history, key=lambda one: one["recorded"])
    kept: list[Data] = list({one["id"]: one for one in reversed(arriving)}.values())
    journey = strategies.written(world.definition)
    start = min(one["t"] for one in kept)

    async def staged() -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            async with staging(Path(folder), [journey], zone=world.zone) as site:
                await site.append([record_of(one) for one in arriving])
                stager = await site.stager(batch=batch)
                await stager.settle()
                instants = sorted(start + half * SECOND // 2 for half in asked)
                for number, at in enumerate(instants):
                    for known_at in instants[number:]:
                        expected = known(world.definition, kept, at, known_at, world.zone)
                        assert stage_as_known(Path(folder) / "store.db", at, known_at) == expected

    asyncio.run(staged())


@pytest.mark.timeout(600)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(strategies.worlds(), strategies.definitions(), st.integers(0, 14), st.integers(1, 5))
def test_random_versions(world: strategies.World, later: Data, cut: int, batch: int) -> None:
    """A journey that replaces another with other stages comes to what it would have come to from the start."""
    definitions = [world.definition, later]
    for definition in definitions:
        strategies.compiled(definition)
    records = [record_of(one) for one in world.history]

    async def staged() -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            async with staging(Path(folder), []) as site:
                stager, versions = await site.stager(batch=batch), dict[int, Data]()
                for definition, part in zip(definitions, (records[:cut], records[cut:]), strict=True):
                    row = await site.store.add_journey(1, strategies.JOURNEY, strategies.written(definition))
                    versions[row.version] = definition
                    await site.append(part)
                    await stager.settle()
                for version, definition in versions.items():
                    books = sqlite_books(Path(folder) / "store.db", stager.fired_until, version)
                    check_books(books, world.history, strategies.written(definition))

    asyncio.run(staged())
