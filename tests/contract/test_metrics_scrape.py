"""What Prometheus reads, over both databases, filled by a real stager."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, update

from services.metrics.app import build_metrics
from shared import telemetry
from shared.log.port import Entry
from shared.metric import CONTENT_TYPE, Counter, Metric, Source
from shared.settings import Settings
from shared.store import tables
from shared.store.engine import writing
from shared.store.rows import LATE, QuarantineRow
from tests.contract.store_backends import write
from tests.support.asking import SHOP, Site, client, record, site
from tests.support.journeys import teller
from tests.support.prometheus import Samples, promtool, samples
from tests.support.staging import PARTITIONS


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop."""
    async with site(address, tmp_path) as made:
        yield made


async def scrape(shop: Site, *registries: Source) -> Samples:
    """What a replica that has just been started shows."""
    async with client(shop.app(*registries)) as prometheus:
        answer = await prometheus.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    return samples(answer.content)


def of(found: Samples, metric: Metric, **labels: str) -> dict[tuple[str, ...], float]:
    """A metric's samples with these labels, by the values of the others in the order of the declaration."""
    told: dict[tuple[str, ...], float] = {}
    for (name, pairs), value in found.items():
        given = dict(pairs)
        if name == metric.name and labels.items() <= given.items():
            told[tuple(given[label] for label in metric.labels if label not in labels)] = value
    return told


async def test_gauges_are_the_populations_of_the_api(shop: Site) -> None:
    """Customers in each stage of each journey, the empty stages and `none` included."""
    await shop.receive(
        record("1", "2024-03-01T10:00", user="a", type="page"),
        record("2", "2024-03-01T10:00", user="b", type="page"),
        record("3", "2024-03-01T10:00", user="c", name="Clicked"),
    )
    found = await scrape(shop)
    gauges = of(found, telemetry.STAGE_CUSTOMERS, project="default", journey="shop")
    assert gauges == {("visitor",): 2, ("buyer",): 0, ("gone",): 0, ("none",): 1}
    asked = await shop.get("/v1/journeys/shop/stages")
    assert gauges == {(one["stage"],): one["customers"] for one in asked["stages"]} | {("none",): asked["none"]}


async def test_no_counter_falls_when_a_move_is_taken_back(shop: Site) -> None:
    """A timer that a late touchpoint makes untrue stays counted, and is counted as reversed."""
    await shop.receive(record("1", "2024-03-01T10:00", name="Order Completed"))
    before = await scrape(shop)
    await shop.receive(record("2", "2024-03-20T10:00", "2024-05-01T10:00"))
    after = await scrape(shop)
    moved = of(after, telemetry.TRANSITIONS, project="default", journey="shop", version="1")
    assert moved == {
        ("absent", "buyer", "live"): 1,
        ("buyer", "gone", "timer"): 1,
        ("buyer", "gone", "late"): 1,
    }
    assert of(after, telemetry.REVERSALS, project="default", journey="shop", version="1") == {
        ("buyer", "gone", "late"): 1
    }
    counters = [metric.name for metric in telemetry.CATALOG if isinstance(metric, Counter)]
    assert all(after[key] >= value for key, value in before.items() if key[0] in counters)


async def test_a_new_version_lets_no_counter_fall(shop: Site) -> None:
    """Moves are counted in each version of a journey; its stages are those of the version that answers."""
    await shop.receive(record("1", "2024-03-01T10:00", type="page"))
    await shop.store.add_journey(1, "shop", SHOP.replace("visitor", "guest"))
    await shop.receive()
    found = await scrape(shop)
    moved = of(found, telemetry.TRANSITIONS, project="default", journey="shop")
    assert moved == {("1", "absent", "visitor", "live"): 1, ("2", "absent", "guest", "backfill"): 1}
    assert of(found, telemetry.JOURNEY_VERSION, project="default", journey="shop") == {("1",): 0, ("2",): 1}
    assert of(found, telemetry.BACKFILL, project="default", journey="shop") == {("1",): 1, ("2",): 1}
    gauges = of(found, telemetry.STAGE_CUSTOMERS, project="default", journey="shop")
    assert gauges == {("guest",): 1, ("buyer",): 0, ("gone",): 0, ("none",): 0}


async def test_events_are_one_family_whoever_counts_them(shop: Site) -> None:
    """What ingest counts in this process and what the store knows of it share a name, each result in one place."""
    here = telemetry.registry()
    telemetry.EVENTS.new(here).labels("accepted").inc(5)
    twice = record("1", "2024-03-01T10:00", type="page")
    await shop.receive(twice, record("2", "2024-03-01T10:00", type="page"), twice)
    await shop.log.append([Entry(b"k", b"{not json")])
    await shop.receive()
    found = await scrape(shop, here)
    assert of(found, telemetry.EVENTS) == {
        ("accepted",): 5,
        ("refused",): 0,
        ("staged",): 2,
        ("duplicate",): 1,
        ("dead_letter",): 1,
        ("lost",): 0,
    }
    assert of(found, telemetry.DEAD_LETTERS) == {(): 1}
    assert len(of(found, telemetry.BUILD_INFO)) == 1


async def test_what_waits_is_shown(shop: Site) -> None:
    """Records not staged, customers to be derived, timers due and journeys set aside are told apart."""
    await shop.receive(record("1", "2024-03-01T10:00", name="Order Completed"))
    idle = await scrape(shop)
    assert of(idle, telemetry.LOG_LAG) == {("0",): 0, ("1",): 0}
    waiting = (telemetry.DERIVER_QUEUE, telemetry.TIMERS_DUE, telemetry.QUARANTINED)
    assert [of(idle, metric) for metric in waiting] == [{("default",): 0}] * 3
    assert 0 < of(idle, telemetry.FRESHNESS)[()] < 60
    await shop.log.append([Entry(b"k", b"{}"), Entry(b"k", b"{}")])
    async with shop.store.session() as session:
        claim = await session.claim(0, "test")
        clock = await session.clock([], at_end=False)
        await write(
            session,
            claim,
            timers=[(1, claim.next_id, clock - 1), (1, claim.next_id + 1, clock + 10**12)],
            queued=[(1, claim.next_id, LATE, clock)],
            quarantined=[QuarantineRow(1, claim.next_id, 1, clock, "ZeroDivisionError")],
        )
    busy = await scrape(shop)
    assert sum(of(busy, telemetry.LOG_LAG).values()) in (1, 2)  # the write above moved one partition on
    assert [of(busy, metric) for metric in waiting] == [{("default",): 1}] * 3


async def test_moves_tell_who_converts_and_who_leaves(shop: Site) -> None:
    """Signals are counted from the moves of each version, by what its definition says that they mean."""
    await shop.receive(
        record("1", "2024-03-01T10:00", type="page"),
        record("2", "2024-03-01T11:00", name="Order Completed"),
    )
    found = await scrape(shop)
    of_shop = {"project": "default", "journey": "shop", "version": "1"}
    assert of(found, telemetry.CONVERSIONS, **of_shop) == {}  # the definition names no pair
    assert of(found, telemetry.CHURN, **of_shop) == {("churned", "live"): 0, ("churned", "timer"): 1}
    assert of(found, telemetry.LEAKS, **of_shop)["buyer", "timer"] == 1
    assert of(found, telemetry.WIN_BACKS, **of_shop) == {("churned", "live"): 0, ("churned", "timer"): 0}


async def test_equations_that_do_not_hold_are_shown(shop: Site) -> None:
    """Records that nobody accounts for, and counts of customers that are not those of moves, are more than 0."""
    twice = record("1", "2024-03-01T10:00", type="page")
    await shop.receive(twice, twice)
    await shop.log.append([Entry(b"k", b"{not json")])
    await shop.receive()
    even = await scrape(shop)
    assert of(even, telemetry.UNACCOUNTED) == {("0",): 0, ("1",): 0}
    assert of(even, telemetry.STAGE_DIFFERENCE) == {("default", "shop", "1"): 0}
    assert of(even, telemetry.STORE_BYTES)[()] > 0
    assert sum(of(even, telemetry.LOG_RECORDS).values()) == 3
    async with writing(shop.database) as db:
        await db.execute(update(tables.positions).where(tables.positions.c.staged > 0).values(staged=0))
        await db.execute(update(tables.populations).values(customers=tables.populations.c.customers + 2))
    odd = await scrape(shop)
    assert sorted(of(odd, telemetry.UNACCOUNTED).values()) == [0, 1]
    assert of(odd, telemetry.STAGE_DIFFERENCE) == {("default", "shop", "1"): 2}


async def test_series_are_bounded_by_a_setting(shop: Site) -> None:
    """A metric shows so many series and no more, those of the newest versions first, and says how many are missing."""
    for number in range(14):
        await shop.store.add_journey(1, "shop", SHOP.replace("visitor", f"visitor{number}"))
    await shop.receive(record("1", "2024-03-01T10:00", name="Order Completed"))
    settings = Settings(metric_series=20)
    app = build_metrics(shop.store, shop.database, shop.log, settings, teller())
    wide = await scrape(shop)
    async with client(app) as prometheus:
        narrow = samples((await prometheus.get("/metrics")).content)
    everything = {metric.name: len(of(wide, metric)) for metric in telemetry.CATALOG}
    shown = {metric.name: len(of(narrow, metric)) for metric in telemetry.CATALOG}
    assert shown == {name: min(n, 20) for name, n in everything.items()}
    assert max(everything.values()) > 20
    assert of(wide, telemetry.LEFT_OUT) == {(): 0}
    assert of(narrow, telemetry.LEFT_OUT) == {(): sum(everything.values()) - sum(shown.values())}
    assert "15" in {version for _, _, version, *_ in of(narrow, telemetry.LEAKS)}


async def test_nothing_has_run_yet(shop: Site) -> None:
    """An empty store shows its journeys with nobody in them, and is infinitely old."""
    found = await scrape(shop)
    assert of(found, telemetry.FRESHNESS) == {(): float("inf")}
    assert sum(of(found, telemetry.STAGE_CUSTOMERS).values()) == 0
    assert len(of(found, telemetry.STAGE_CUSTOMERS)) == 4
    assert of(found, telemetry.STORE_UP) == {(): 1}


async def test_replicas_show_the_same_and_nothing_undeclared(shop: Site) -> None:
    """Two replicas agree on everything that the store knows; every name and label is in the catalogue."""
    await shop.receive(*(record(f"{n}", "2024-03-01T10:00", user=f"u{n}", type="page") for n in range(20)))
    one, two = await scrape(shop), await scrape(shop)
    lags = [(telemetry.LOG_LAG_SECONDS.name, (("partition", str(n)),)) for n in range(PARTITIONS)]
    ages: list[tuple[str, tuple[tuple[str, str], ...]]] = [(telemetry.FRESHNESS.name, ()), *lags]
    for age in ages:
        assert one.pop(age) == pytest.approx(two.pop(age), abs=10)
    assert one == two
    declared = {metric.name: set(metric.labels) for metric in telemetry.CATALOG}
    assert {name for name, _ in one} <= declared.keys()
    assert all({label for label, _ in labels} == declared[name] for name, labels in one)
    stored = {metric.name for metric in telemetry.CATALOG if metric.owner == "store"}
    nothing = {telemetry.REVERSALS.name, telemetry.CONVERSIONS.name}  # none was taken back, no pair is named
    assert stored - nothing <= {name for name, _ in (*one, *ages)}


async def test_scrapes_at_once_cost_one_look(shop: Site) -> None:
    """However many scrape within a second, the store is asked once."""
    asked = list[str]()
    event.listen(shop.database.sync_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    async with client(shop.app()) as prometheus:
        first = await prometheus.get("/metrics")
        cost = len(asked)
        assert cost > 0
        others = await asyncio.gather(*(prometheus.get("/metrics") for _ in range(5)))
    assert len(asked) == cost
    assert {answer.content for answer in others} == {first.content}


async def test_prometheus_own_checker_finds_nothing_to_say(shop: Site) -> None:
    """promtool accepts the page and has no advice on its names and types."""
    program = promtool()
    await shop.receive(record("1", "2024-03-01T10:00", name="Order Completed"))
    async with client(
        build_metrics(shop.store, shop.database, shop.log, Settings(), teller(), [telemetry.registry()])
    ) as door:
        page = (await door.get("/metrics")).content
    command = [str(program), "check", "metrics"]
    checked = await asyncio.to_thread(lambda: subprocess.run(command, input=page, capture_output=True, check=False))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
