"""Whatever the journey, the ledger as known at an instant is `derive` of what had been recorded by then."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events import SECOND
from tests.oracle.ledger import known
from tests.support import strategies
from tests.support.constructs import Data
from tests.support.ledgers import stage_as_known
from tests.support.staging import record_of, staging

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
asked = st.lists(st.integers(-2, 24), min_size=1, max_size=4)


@pytest.mark.timeout(600)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
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
