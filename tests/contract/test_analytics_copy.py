"""The analytical copy over both databases: what it holds of each customer is what the store tells of that customer."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.metrics.analytics.copy import Copy, Snapshot
from shared.events import DAY, Record
from shared.exclusion import Filter
from shared.journeys.ledger import net
from shared.store import amendments, people
from shared.store.engine import reading, writing
from shared.store.rows import EXCLUDES
from tests.support.asking import Site, at, record, site
from tests.support.journeys import teller

START = at("2024-03-01T00:00")

Told = tuple[list[tuple[int, str, str | None]], list[tuple[int, int, int]]]
"""A customer's touchpoints (when, type, name) and moves (when, from, to)."""


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop."""
    async with site(address, tmp_path) as made:
        yield made


@pytest.fixture
async def copy(shop: Site) -> AsyncIterator[Copy]:
    """Its copy."""
    made = Copy(shop.database, teller())
    yield made
    await made.close()


def _records(chance: random.Random) -> list[Record]:
    """Few people on few devices, who sign in on them in turn, some under two names; ties, late ones, bots, repeats."""
    made = []
    for number in range(60):
        id = f"m{chance.randrange(50)}"
        when = START + chance.randrange(8) * DAY
        who = {"user": f"u{chance.randrange(3)}"} if chance.random() < 0.5 else {}
        if not who or chance.random() < 0.4:
            who |= {"anonymous": f"d{chance.randrange(3)}"}
        kind = chance.choice(["page", "track", "identify"]) if "user" in who else chance.choice(["page", "track"])
        name = {"track": chance.choice(["Order Completed", "Looked"]), "page": "Home"}.get(kind)
        received = START + number * DAY // 10 + 8 * DAY
        user, anonymous = who.get("user"), who.get("anonymous")
        bot = chance.random() < 0.1
        made.append(Record(1, id, kind, when, received, user, anonymous, name=name, excluded=bot))
    made.append(Record(1, "alias", "alias", START, START + 20 * DAY, user="u2", previous="u1"))
    return made


async def _as_the_store_tells(shop: Site, customer: int) -> Told:
    async with reading(shop.database) as db:
        history = await people.history(db, 1, customer)
        entries = await people.ledger(db, 1, customer)
    acts = [(one.at, one.type, one.name) for _, one in history if not one.excluded]
    return acts, net([((row.at, row.source, row.target), row.sign) for row in entries])


def _as_copied(found: Snapshot, owner: int) -> Told:
    columns, moves = found.touchpoints, found.moves[1]
    words = columns.words
    acts = [
        (
            int(columns.at[row]),
            words["type"][columns.codes["type"][row]],
            words["name"][columns.codes["name"][row]] if columns.codes["name"][row] >= 0 else None,
        )
        for row in range(columns.starts[owner], columns.starts[owner + 1])
    ]
    mine = moves.owner == owner
    table = zip(moves.at[mine].tolist(), moves.source[mine].tolist(), moves.target[mine].tolist(), strict=True)
    return acts, sorted(table)


@pytest.mark.parametrize("seed", range(4))
async def test_the_copy_is_what_the_store_tells_of_each_customer(shop: Site, copy: Copy, seed: int) -> None:
    """Joined and split identities, shared devices, repeats, bots and late arrivals included; nobody is missing."""
    await shop.receive(*_records(random.Random(seed)))
    found = await copy.asked(1)
    with_acts = set()
    for owner, customer in enumerate(found.touchpoints.customers.tolist()):
        assert _as_copied(found, owner) == await _as_the_store_tells(shop, customer)
        with_acts.add(customer)
    async with reading(shop.database) as db:
        for id in ("u0", "u1", "u2"):
            assert with_acts.issuperset(await people.find(db, 1, 0, id))
    assert found.excluded > 0


async def _again(copy: Copy) -> Snapshot:
    """A snapshot as after a while, when the last one is stale."""
    copy._made.clear()
    return await copy.asked(1)


async def test_a_copy_that_goes_on_reading_is_one_made_anew(shop: Site, copy: Copy) -> None:
    """In whatever pieces it was read, with joins, late ones, moves taken back and exclusions in between."""
    records = _records(random.Random(9))
    for start in range(0, len(records), 16):
        await shop.receive(*records[start : start + 16])
        if start == 32:
            async with writing(shop.database) as db:
                made = await amendments.exclude(db, 1, Filter(ids=("u0",)), "ops", "staff")
        if start == 48:
            async with writing(shop.database) as db:
                assert await amendments.undo(db, 1, made.number, EXCLUDES)
        found, fresh = await _again(copy), await Copy(shop.database, teller()).asked(1)
        assert found.touchpoints.customers.tolist() == fresh.touchpoints.customers.tolist()
        for owner in range(len(fresh.touchpoints.customers)):
            assert _as_copied(found, owner) == _as_copied(fresh, owner)
        assert found.excluded == fresh.excluded
    assert len(found.touchpoints) > 30


async def test_a_snapshot_serves_until_it_is_stale(shop: Site, copy: Copy) -> None:
    """Who asks again at once gets the same; another copy made now has what has come since, and another mark."""
    await shop.receive(record("1", "2024-03-01T10:00", name="Looked"))
    first = await copy.asked(1)
    await shop.receive(record("2", "2024-03-02T10:00", name="Looked"))
    assert await copy.asked(1) is first
    later = Copy(shop.database, teller())
    found = await later.asked(1)
    assert (len(first.touchpoints), len(found.touchpoints)) == (1, 2)
    assert found.mark != first.mark


async def test_facts_are_told_of_each_touchpoint(shop: Site, copy: Copy) -> None:
    """A landing from a search has its channel; what is not told is missing."""
    page = {"url": "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=nowruz"}
    await shop.receive(
        record("1", "2024-03-01T10:00", type="page", name="Home", context={"page": page}),
        record("2", "2024-03-01T11:00", name="Looked"),
    )
    columns = (await copy.asked(1)).touchpoints
    assert columns.has("channel", "paid search").tolist() == [True, False]
    assert columns.has("campaign", "nowruz").tolist() == [True, False]
    assert columns.codes["campaign"].tolist()[1] == -1
