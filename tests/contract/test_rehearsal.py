"""A rehearsal foretells what staging then does, on both databases, and writes nothing."""

import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.stager.consumer import plans_of
from services.stager.people import unpack_tracks
from services.stager.rehearsal import Change, Effect, Rehearsal
from shared.events import Record
from shared.journeys.engine import ABSENT
from shared.store import people, recount
from shared.store.engine import reading
from shared.store.rows import MERGED
from tests.support.asking import Site, site
from tests.support.journeys import teller
from tests.support.small import HOUR, JOURNEY

#: Timers fire by the store's own clock.
NOW = time.time_ns() // 1000


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with the small journey."""
    async with site(address, tmp_path, [JOURNEY]) as made:
        yield made


def record(id: str, at: int, type: str = "track", **fields: Any) -> Record:
    """A record of project 1, received when it happened unless told."""
    traits = msgspec.Raw(msgspec.json.encode(fields.pop("traits", {})))
    properties = msgspec.Raw(msgspec.json.encode(fields.pop("properties", {})))
    given: dict[str, Any] = {"received": at, "traits": traits, "properties": properties} | fields
    return Record(project=1, id=id, type=type, at=at, **given)


async def rehearse(shop: Site, *records: Record, now: int = NOW) -> list[Effect]:
    """What they would do, one on top of the other."""
    async with shop.store.session() as session:
        rehearsal = Rehearsal(session, plans_of(await session.catalog(), 1_000, {}, teller()), 5_000, now)
        return [await rehearsal.stage(one) for one in records]


async def standing(shop: Site) -> dict[int, int]:
    """The stage of every customer of the journey's only version, as its own row has it."""
    found = {}
    async with shop.store.session() as session, reading(shop.database) as db:
        every = [row[0] for row in await db.exec_driver_sql("SELECT customer FROM customers")]
        for row in (await session.customers([(1, customer) for customer in every])).values():
            track = unpack_tracks(row.states).get(1)
            if track is not None and row.status != MERGED:
                found[row.customer] = track.written[-1].target if track.written else track.state.stage
    return found


async def test_the_effect_of_a_record(shop: Site) -> None:
    """A new customer's first stage, a known one's next, a duplicate's nothing, and whose it is."""
    page, buy = record("1", NOW, "page", user="u1"), record("2", NOW, name="Bought", user="u1")
    first, second, again = await rehearse(shop, page, buy, page)
    assert first == Effect(None, False, False, [Change(None, 1, ABSENT, 0)], [])
    assert second == Effect(None, False, False, [], [])
    assert again == Effect(None, True, False, [], [])
    await shop.receive(page)
    (number,) = await standing(shop)
    twice = record("3", NOW + 1, name="Bought", user="u1")
    known, duplicate, buyer, other = await rehearse(shop, buy, page, twice, record("1", NOW, "page", user="u2"))
    assert known == Effect(number, False, False, [], [])
    assert duplicate == Effect(number, True, False, [], [])
    assert buyer == Effect(number, False, False, [Change(number, 1, 0, 2)], [])
    assert other == Effect(None, False, False, [Change(None, 1, ABSENT, 0)], [])


async def test_what_is_due_by_now_is_in_it(shop: Site) -> None:
    """An event of the past ends where time has led since; a late one takes back what did not happen."""
    page = record("1", NOW - 30 * HOUR, "page", user="u1")
    (first,) = await rehearse(shop, page)
    assert first.changes == [Change(None, 1, ABSENT, 4)]
    await shop.receive(page)
    (number,) = await standing(shop)
    late = record("2", NOW - 10 * HOUR, "page", user="u1")
    (second,) = await rehearse(shop, late)
    assert second == Effect(number, False, False, [Change(number, 1, 4, 0)], [])


async def test_customers_that_become_one(shop: Site) -> None:
    """What a statement does to each customer that it concerns; what is not followed is told with the reason."""
    await shop.receive(
        record("1", NOW, "page", anonymous="dev"),
        record("2", NOW, name="Bought", user="u1"),
        record("3", NOW + 1, name="Bought", user="u1"),
    )
    async with reading(shop.database) as db:
        (device,) = await people.find(db, 1, 1, "dev")
        (user,) = await people.find(db, 1, 0, "u1")
    (linked,) = await rehearse(shop, record("4", NOW + 2, "identify", user="u1", anonymous="dev"))
    assert linked == Effect(user, False, False, [Change(device, 1, 0, ABSENT)], [])
    guarded = record("5", NOW + 2, "alias", user="u1", previous="dev", guarded=True)
    await shop.receive(record("6", NOW, user="dev"))
    (refused,) = await rehearse(shop, guarded)
    assert [code for code, _ in refused.unfollowed] == ["alias_refused"]


@pytest.mark.parametrize("seed", range(3))
async def test_a_rehearsal_foretells_what_staging_does(shop: Site, seed: int) -> None:
    """Of random records, late ones, duplicates and statements among them: each customer moves as was foretold."""
    rng, done = random.Random(seed), list[Record]()
    users, devices = ["u1", "u2", "u3"], ["d1", "d2"]
    for n in range(25):
        now = NOW + n
        at = now - rng.choice((0, 0, 0, 40, 90)) * HOUR // 10
        match rng.randrange(6):
            case 0 if done:
                made = rng.choice(done)
            case 1:
                who = {"user": rng.choice(users), "anonymous": rng.choice(devices)}
                made = record(f"{n}", at, "identify", received=now, traits={"plan": "x"}, **who)
            case 2:
                made = record(f"{n}", at, "alias", received=now, user=rng.choice(users), previous=rng.choice(users))
            case 3:
                made = record(f"{n}", at, "page", received=now, anonymous=rng.choice(devices))
            case _:
                prices = {"price": rng.randrange(30)}
                made = record(f"{n}", at, name="Bought", received=now, user=rng.choice(users), properties=prices)
        await shop.receive()  # whatever time alone has done until now is done
        before = await standing(shop)
        (foretold,) = await rehearse(shop, made, now=now)
        async with reading(shop.database) as db:
            rows = await recount.sizes(db)
        done.append(made)
        await shop.receive(made)
        after = await standing(shop)
        moved = {
            (number if number in before else None, before.get(number, ABSENT), after.get(number, ABSENT))
            for number in before.keys() | after.keys()
            if before.get(number, ABSENT) != after.get(number, ABSENT)
        }
        assert {(one.customer, one.source, one.target) for one in foretold.changes} == moved, made
        assert rows["touchpoints"] <= len(done)


async def test_a_rehearsal_writes_nothing(shop: Site) -> None:
    """No row of any table is there that was not there before."""
    await shop.receive(record("1", NOW, "page", anonymous="dev"))
    async with reading(shop.database) as db:
        before = await recount.sizes(db)
    await rehearse(shop, record("2", NOW, "identify", user="u1", anonymous="dev", traits={"email": "a@b.c"}))
    async with reading(shop.database) as db:
        assert await recount.sizes(db) == before
