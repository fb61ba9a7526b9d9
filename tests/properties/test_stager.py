"""The store is what `derive` gives for every customer, whatever the order of arrival, cuts, crashes and merges."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.events import DAY
from tests import oracle
from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.oracle.ledger import known
from tests.support import strategies
from tests.support.crashing import Crash, Crashing
from tests.support.ledgers import Books, recorded_times, sqlite_books, stage_as_known
from tests.support.small import HOUR, JOURNEY, START
from tests.support.staging import Staging, record_of, staging

#: Thousands of small stores: in memory where there is such a folder, since not the disk is at stake here.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

touchpoints = st.fixed_dictionaries(
    {
        "id": st.integers(0, 40).map(lambda n: f"m{n}"),
        "type": st.sampled_from(["page", "page", "track", "track", "track", "track", "identify", "alias", "placement"]),
        "journey": st.sampled_from(["small", "small", "another"]),
        "stage": st.sampled_from(["seen", "fan", "quiet", "gone", "none", "unheard-of"]),
        "name": st.sampled_from(["Bought", "Closed", "Other"]),
        "t": st.integers(0, 60).map(lambda n: START + n * 4 * HOUR),
        "late": st.sampled_from([0, 0, 0, 1, HOUR, 3 * DAY]),
        "user": st.sampled_from([None, "u1", "u2", "u3"]),
        "anonymous": st.sampled_from([None, "a1", "a2", "u1"]),
        "previous": st.sampled_from(["u1", "u2", "a1", "a3"]),
        "guarded": st.booleans(),
        "excluded": st.sampled_from([False, False, False, True]),
        "properties": st.sampled_from([{}, {"price": 30}, {"price": 0.5}]),
        "traits": st.sampled_from([{}, {"plan": "pro"}, {"plan": None}]),
    }
)


def history(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Touchpoints that ingest would accept, in order of arrival."""
    found = []
    for fields in drawn:
        one = {**fields, "recorded": fields["t"] + fields["late"], "context": {}}
        if one["type"] == "alias":
            one["user"] = one["user"] or "u2"
        else:
            one["previous"], one["guarded"] = None, False
        if one["type"] != "identify":
            one["traits"] = {}
        if one["type"] == "placement":
            one["name"] = None
        if one["user"] is None and one["anonymous"] is None:
            one["anonymous"] = "a1"
        one["id"] += f"-user-{one['user']}" if one["user"] else f"-device-{one['anonymous']}"
        found.append(one)
    return found


def firsts(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what repeats an id under one identifier: there the first on the log wins (rule 4).

    Ids name their identifier, so none is repeated under another."""
    return list({one["id"]: one for one in reversed(given)}.values())


devices = st.sampled_from(["split", "join"])
histories = st.lists(touchpoints, min_size=1, max_size=30).map(history)


#: Little else than statements of who is who.
entangled = (
    st.lists(
        st.tuples(touchpoints, st.sampled_from(["page", "identify", "identify", "alias", "alias"])),
        min_size=6,
        max_size=25,
    )
    .map(lambda drawn: [{**one, "type": type_} for one, type_ in drawn])
    .map(history)
)


def check_books(books: Books, given: list[dict[str, Any]], journey: str = JOURNEY, devices: str = "split") -> None:
    """The store's books against the oracle's, customer by customer, and against themselves."""
    definition = yaml.safe_load(journey)
    expected = {}
    for customer in customers(firsts(given), devices == "join", books.unfollowed):
        moves = derive(definition, customer.touchpoints, books.now)
        expected[customer.identifiers] = [(move.at, move.source, move.target) for move in moves]
    assert books.moves == expected
    assert books.populations == Counter(moves[-1][2] for moves in expected.values() if moves)
    assert books.staged + books.duplicates == len(given)
    assert books.quarantined == 0
    assert books.queued == 0


def run(drive: Any, journeys: Sequence[str] = (JOURNEY,), devices: str = "split") -> Books:
    """What `drive` makes of an empty store, as its books say afterwards."""

    async def staged() -> Books:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            async with staging(Path(folder), journeys, devices) as world:
                now = await drive(world)
                return sqlite_books(Path(folder) / "store.db", now)

    return asyncio.run(staged())


async def final(world: Staging) -> int:
    """Settles with a fresh stager; the instant up to which timers have fired."""
    stager = await world.stager()
    await stager.settle()
    return stager.fired_until


@pytest.mark.timeout(600)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.integers(1, 7), st.lists(st.integers(0, 30), max_size=4), st.integers(2, 50), devices)
def test_store_equals_derive(
    given: list[dict[str, Any]], batch: int, pauses: list[int], limit: int, devices: str
) -> None:
    """Whatever the cuts, the pauses in which timers fire, and the limit past which the deriver takes over."""

    async def drive(world: Staging) -> int:
        stager = await world.stager(batch=batch, rewind_limit=limit)
        start = 0
        for pause in [*sorted(pauses), len(given)]:
            await world.append([record_of(one) for one in given[start:pause]])
            start = max(start, pause)
            await stager.settle()
        return await final(world)

    check_books(run(drive, devices=devices), given, devices=devices)


@pytest.mark.timeout(600)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.integers(1, 7), st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=3), devices)
def test_crashes_lose_and_double_nothing(
    given: list[dict[str, Any]], batch: int, crashes: list[tuple[int, bool]], devices: str
) -> None:
    """A process may die before or after any call to the store, the commit included."""

    async def drive(world: Staging) -> int:
        await world.append([record_of(one) for one in given])
        for at, after in crashes:
            stager = await world.stager(batch=batch, wrap=partial(Crashing, at=at, after=after))
            with suppress(Crash):
                await stager.settle()
        return await final(world)

    check_books(run(drive, devices=devices), given, devices=devices)


@pytest.mark.timeout(600)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.integers(1, 5), st.lists(st.integers(0, 2), max_size=20))
def test_hand_overs_lose_and_double_nothing(given: list[dict[str, Any]], batch: int, turns: list[int]) -> None:
    """Stagers that each believe they own every partition, with caches of their own, take turns at any batch."""

    async def drive(world: Staging) -> int:
        await world.append([record_of(one) for one in given])
        stagers = [await world.stager(batch=batch) for _ in range(3)]
        for turn in turns:
            await stagers[turn].step()
        return await final(world)

    check_books(run(drive), given)


@pytest.mark.timeout(600)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    entangled,
    st.integers(1, 7),
    st.sampled_from([3, 4, 5, 1000]),
    st.lists(st.integers(0, 60), max_size=2),
    devices,
)
def test_who_is_who(given: list[dict[str, Any]], batch: int, limit: int, crashes: list[int], devices: str) -> None:
    """The store is what `derive` gives without the statements listed as not followed; no others are left out."""

    async def drive(world: Staging) -> int:
        await world.append([record_of(one) for one in given])
        for at in crashes:
            stager = await world.stager(batch=batch, merge_limit=limit, wrap=partial(Crashing, at=at, after=True))
            with suppress(Crash):
                await stager.settle()
        stager = await world.stager(batch=batch, merge_limit=limit)
        await stager.settle()
        return stager.fired_until

    books = run(drive, devices=devices)
    check_books(books, given, devices=devices)
    if devices == "join":
        assert books.largest <= limit
    together = customers(firsts(given), devices == "join")
    if all(len(customer.identifiers) <= limit for customer in together):
        assert not books.unfollowed


@pytest.mark.timeout(600)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.lists(st.booleans(), min_size=30, max_size=30), st.integers(1, 30))
def test_imports_come_to_the_same(given: list[dict[str, Any]], imported: list[bool], cut: int) -> None:
    """Records may be imported, before, after and between live ones of the same customers."""

    async def drive(world: Staging) -> int:
        stager = await world.stager()
        records = [record_of(one, imported=flag) for one, flag in zip(given, imported, strict=False)]
        await world.append(records[:cut])
        await stager.settle()
        await world.append(records[cut:])
        return await final(world)

    check_books(run(drive), given)


@pytest.mark.timeout(600)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.integers(0, 30))
def test_a_new_journey_is_derived_for_everybody(given: list[dict[str, Any]], cut: int) -> None:
    """A journey added to a running system comes to what it would have come to from the start."""

    async def drive(world: Staging) -> int:
        stager = await world.stager()
        await world.append([record_of(one) for one in given[:cut]])
        await stager.settle()
        await world.store.add_journey(1, "small", JOURNEY)
        await world.append([record_of(one) for one in given[cut:]])
        await stager.settle()
        return await final(world)

    check_books(run(drive, []), given)


alone = st.lists(touchpoints, min_size=1, max_size=20).map(
    lambda drawn: [
        {
            **one,
            "id": one["id"][:3],
            "user": "u1",
            "anonymous": None,
            "previous": None,
            "type": "track" if one["type"] == "alias" else one["type"],
        }
        for one in history(drawn)
    ]
)


@pytest.mark.timeout(600)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(alone, st.integers(1, 5), st.lists(st.integers(0, 80), min_size=1, max_size=4), st.booleans())
def test_ledger_as_known_at(given: list[dict[str, Any]], batch: int, asked: list[int], imported: bool) -> None:
    """The ledger as of D, as known at R, is derive of what was recorded at or before R, at D."""
    arriving = sorted(given, key=lambda one: one["recorded"])

    async def staged() -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            async with staging(Path(folder), [JOURNEY]) as world:
                await world.append([record_of(one, imported) for one in arriving])
                stager = await world.stager(batch=batch)
                await stager.settle()
                definition = yaml.safe_load(JOURNEY)
                kept = firsts(arriving)
                for at in asked:
                    for known_at in asked:
                        if at <= known_at:
                            instants = START + at * 4 * HOUR, START + known_at * 4 * HOUR
                            expected = known(definition, kept, *instants)
                            assert stage_as_known(Path(folder) / "store.db", *instants) == expected

    asyncio.run(staged())


@pytest.mark.timeout(600)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(alone, st.integers(0, 20), st.tuples(st.booleans(), st.booleans()), st.integers(2, 50), st.integers(0, 80))
def test_what_is_known_later_was_not_known_before(
    given: list[dict[str, Any]], cut: int, imported: tuple[bool, bool], limit: int, known_at: int
) -> None:
    """The ledger as known at R is `derive` of what is stored as recorded by then, live or imported, in any order."""
    definition = yaml.safe_load(JOURNEY)

    async def staged() -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            file = Path(folder) / "store.db"
            async with staging(Path(folder), [JOURNEY]) as world:
                stager = await world.stager(rewind_limit=limit)
                for part, flag in zip((given[:cut], given[cut:]), imported, strict=True):
                    await world.append([record_of(one, flag) for one in part])
                    await stager.settle()
                recorded = recorded_times(file)
                stored = [{**one, "recorded": recorded[one["id"]]} for one in firsts(given)]
                at = START + known_at * 4 * HOUR
                assert stage_as_known(file, at, at) == known(definition, stored, at, at)

    asyncio.run(staged())


def of_somebody(drawn: list[tuple[dict[str, Any], tuple[str | None, str | None]]]) -> list[dict[str, Any]]:
    """Touchpoints of several people; an id names its identifier, so that none is repeated under another."""
    given = list[dict[str, Any]]()
    for one, (user, device) in drawn:
        alias = one["type"] == "alias"
        sender = user or ("u2" if alias else None)
        named = {"id": f"{one['id']}-{sender or device}", "user": sender, "anonymous": device}
        given.append({**one, **named, "previous": "u1" if alias else None})
    return given


people = st.sampled_from([("u1", None), ("u2", None), (None, "a1"), ("u1", "a1"), ("u2", "a1")])
crowds = st.lists(st.tuples(strategies.touchpoints(), people), min_size=1, max_size=15).map(of_somebody)


@pytest.mark.timeout(600)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(strategies.definitions(), crowds, st.integers(1, 5), st.lists(st.integers(0, 40), max_size=2))
def test_random_journeys(
    definition: dict[str, Any], given: list[dict[str, Any]], batch: int, crashes: list[int]
) -> None:
    """Whatever the journey, the history, the order of arrival, the cuts, the merges and the crashes."""
    strategies.compiled(definition)
    assume(not oracle.faults(definition))
    journey = strategies.written(definition)

    async def drive(world: Staging) -> int:
        await world.append([record_of(one) for one in given])
        for at in crashes:
            stager = await world.stager(batch=batch, wrap=partial(Crashing, at=at, after=True))
            with suppress(Crash):
                await stager.settle()
        return await final(world)

    check_books(run(drive, [journey]), given, journey)
