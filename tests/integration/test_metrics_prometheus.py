"""A real Prometheus scrapes two replicas of the metrics service."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from shared import telemetry
from tests.support.asking import Site, record, served, site
from tests.support.processes import eventually
from tests.support.prometheus import DEPLOYED, Prometheus

GAUGE = 'milepost_stage_customers{project="default",journey="shop",stage="visitor"}'
RECORDED = 'milepost:stage_customers:max{project="default",journey="shop",stage="visitor"}'
MOVES = (
    'milepost_transitions_total{project="default",journey="shop",version="1",from="absent",to="visitor",cause="live"}'
)


def replica(shop: Site, accepted: int) -> FastAPI:
    """A replica in a process that has also accepted some events, as `milepost up` does."""
    counts = telemetry.registry()
    telemetry.EVENTS.new(counts).labels("accepted").inc(accepted)
    return shop.app(counts)


async def test_two_replicas_are_read_as_one(start_prometheus: Callable[..., Prometheus], tmp_path: Path) -> None:
    """What the store knows is taken from any replica, what a process counts is added up, and both follow the store."""
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(site(tmp_path / "store.db", tmp_path))
        await shop.receive(record("1", "2024-03-01T10:00", user="a", type="page"))
        addresses = [await stack.enter_async_context(served(replica(shop, n))) for n in (3, 4)]
        prometheus = await asyncio.to_thread(start_prometheus, {"milepost": addresses}, [DEPLOYED / "recording.yml"])

        async def value(query: str) -> float | None:
            return await asyncio.to_thread(prometheus.value, query)

        await eventually(lambda: asyncio.to_thread(lambda: len(prometheus.query(GAUGE)) == 2), within=30)
        assert await value(f"max without (instance) ({GAUGE})") == 1
        assert await value(f"max without (instance) ({MOVES})") == 1
        assert await value('max without (instance) (milepost_events_total{result="staged"})') == 1
        assert await value('sum without (instance) (milepost_events_total{result="accepted"})') == 7
        assert await value("count(milepost_build_info)") == 2
        for rule in (RECORDED, "milepost:freshness_seconds:max", "milepost:log_lag_records:sum"):
            await eventually(partial(asyncio.to_thread, prometheus.query, rule), within=15)
        assert await value(RECORDED) == 1
        assert await value("milepost:log_lag_records:sum") == 0
        assert await value("milepost:freshness_seconds:max") is not None

        await shop.receive(record("2", "2024-03-01T10:00", user="b", type="page"))

        async def both_moved() -> bool:
            least = await value(f"min without (instance) ({GAUGE})")
            return least == 2 and await value(f"min without (instance) ({MOVES})") == 2

        await eventually(both_moved, within=15)

        async def both_up() -> bool:
            return await value("count(up == 1)") == 2

        await eventually(both_up, within=15)
