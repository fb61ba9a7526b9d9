"""Who is who, in whatever order it is said, and by two stagers at once: hundreds of aliases over few users."""

import asyncio
import itertools
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.events import SECOND
from shared.log.port import partition_of
from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.support.ledgers import Books, sqlite_books
from tests.support.small import HOUR, JOURNEY, START
from tests.support.staging import PARTITIONS, record_of, staging
from tests.support.worlds import KINDS, books_of, world


def one(number: int, type: str, at: int, **given: Any) -> dict[str, Any]:
    """A touchpoint as the oracle writes them, received when it happened."""
    empty: dict[str, Any] = {
        "user": None,
        "anonymous": None,
        "previous": None,
        "name": None,
        "properties": {},
        "context": {},
    }
    return empty | {"id": f"m{number:04}", "type": type, "t": at, "recorded": at, "traits": {}} | given


def page(number: int, at: int, **who: str) -> dict[str, Any]:
    """A page view."""
    return one(number, "page", at, **who)


def expected(events: list[dict[str, Any]], now: int, join: bool) -> dict[Any, Any]:
    """What the oracle makes of everybody."""
    definition = yaml.safe_load(JOURNEY)
    return {
        customer.identifiers: [(m.at, m.source, m.target) for m in derive(definition, customer.touchpoints, now)]
        for customer in customers(events, join)
    }


async def staged(folder: Path, arriving: list[dict[str, Any]], devices: str = "split", step: int = 1) -> Books:
    """The books after the touchpoints came in this order, so many at a time."""
    async with staging(folder, [JOURNEY], devices) as made:
        stager = await made.stager()
        for start in range(0, len(arriving), step):
            await made.append([record_of(event) for event in arriving[start : start + step]])
            await stager.catch_up()
        await stager.settle()
        return sqlite_books(folder / "store.db", stager.fired_until)


def check(books: Books, events: list[dict[str, Any]], join: bool = False) -> None:
    """Everybody is as the oracle says, and nothing is left to do."""
    moves = expected(events, books.now, join)
    assert books.moves == moves
    assert books.populations == Counter(stages[-1][2] for stages in moves.values() if stages)
    assert (books.staged, books.queued, books.quarantined) == (len(events), 0, 0)
    assert not books.unfollowed


#: a was b, b was c; each of them did something before, between and after.
CHAIN = [
    *(page(number, START + number * HOUR, user=user) for number, user in enumerate("abcabc")),
    one(10, "alias", START + 10 * HOUR, user="b", previous="a"),
    one(11, "alias", START + 11 * HOUR, user="c", previous="b"),
    *(page(20 + number, START + (20 + number) * HOUR, user=user) for number, user in enumerate("abc")),
]


@pytest.mark.parametrize("order", range(6))
async def test_chains(order: int, tmp_path: Path) -> None:
    """The aliases of a chain come before, after and between the events, either first: three ids are one customer."""
    places = [(0, 0), (0, 6), (6, 0), (6, 6), (3, 6), (9, 3)]
    arriving = [event for event in CHAIN if event["type"] != "alias"]
    for alias, place in zip((event for event in CHAIN if event["type"] == "alias"), places[order], strict=True):
        arriving.insert(place, alias)
    books = await staged(tmp_path, arriving)
    check(books, CHAIN)
    assert list(books.moves) == [frozenset(("user", user) for user in "abc") | {("anonymous", "a"), ("anonymous", "b")}]


#: A tablet on which ada signs in, signs out (`reset`: a new anonymous id), and bob signs in; then ada again.
SHARED = [
    page(0, START, anonymous="tablet"),
    one(1, "identify", START + HOUR, user="ada", anonymous="tablet", traits={"plan": "pro"}),
    page(2, START + 2 * HOUR, anonymous="tablet"),
    one(3, "identify", START + 5 * HOUR, user="bob", anonymous="tablet"),
    one(4, "track", START + 6 * HOUR, anonymous="tablet", name="Bought", properties={"price": 30}),
    one(5, "identify", START + 8 * HOUR, user="ada", anonymous="tablet"),
    one(6, "track", START + 9 * HOUR, anonymous="tablet", name="Bought", properties={"price": 30}),
]
RESET = [
    page(10, START, anonymous="first"),
    one(11, "identify", START + HOUR, user="ada", anonymous="first", traits={"plan": "pro"}),
    page(12, START + 2 * HOUR, user="ada", anonymous="first"),
    page(13, START + 3 * HOUR, anonymous="second"),
    page(14, START + 4 * HOUR, anonymous="second"),
    one(15, "identify", START + 5 * HOUR, user="bob", anonymous="second"),
    page(16, START + 6 * HOUR, user="bob", anonymous="second"),
]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("devices", ["split", "join"])
async def test_a_shared_device(devices: str, seed: int, tmp_path: Path) -> None:
    """By default each act is theirs who was signed in; in a project that joins, all are one; whatever comes first."""
    arriving = list(SHARED)
    if seed:
        random.Random(seed).shuffle(arriving)
    books = await staged(tmp_path, arriving, devices, step=2)
    check(books, SHARED, devices == "join")
    assert len(books.moves) == (1 if devices == "join" else 2)


@pytest.mark.parametrize("devices", ["split", "join"])
@pytest.mark.parametrize("backwards", [False, True])
async def test_signing_out(devices: str, backwards: bool, tmp_path: Path) -> None:
    """After an SDK's `reset` nobody's acts are the former user's: the new anonymous id is the next user's alone."""
    books = await staged(tmp_path, RESET[::-1] if backwards else RESET, devices)
    check(books, RESET, devices == "join")
    ada, bob = (
        frozenset({("user", "ada"), ("anonymous", "first")}),
        frozenset({("user", "bob"), ("anonymous", "second")}),
    )
    assert books.moves.keys() == {ada, bob}


def storm(rng: random.Random, users: int, aliases: int) -> list[dict[str, Any]]:
    """Hundreds of aliases and sign-ins over few users, which lie in both partitions, and acts of theirs."""
    names = [f"user-{number}" for number in range(users)]
    assert {partition_of(name.encode(), PARTITIONS) for name in names} == set(range(PARTITIONS))
    clusters = [names[start : start + 5] for start in range(0, users, 5)]
    events = list[dict[str, Any]]()
    for number in range(3 * aliases):
        at, cluster = START + number * 60 * SECOND - rng.randrange(3) * HOUR, rng.choice(clusters)
        user, other = rng.sample(cluster, 2)
        kind = rng.choice(["alias", "page", "track"])
        if kind == "alias":
            events.append(one(number, "alias", at, user=user, previous=other))
        else:
            who = {"user": user} if rng.random() < 0.7 else {"anonymous": other}
            events.append(one(number, kind, at, name="Bought", properties={"price": 10}, **who))
    return events


@pytest.mark.parametrize("kind", KINDS)
def test_a_storm_of_merges(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Two stagers at once carry out hundreds of aliases over the same few users: no deadlock, no lost update."""
    database = request.getfixturevalue("database") if kind == "postgres" else ""
    events = storm(random.Random(11), users=40, aliases=250)

    async def run() -> Books:
        async with world(kind, tmp_path, database) as made:
            await made.append([record_of(event) for event in events])
            both = [await made.stager(batch=10), await made.stager(batch=10)]
            for partition, stager in enumerate(both):
                stager.owned = frozenset({partition})
            async with asyncio.timeout(60):
                await asyncio.gather(*(stager.stage_all() for stager in both))
            last = await made.stager()
            await last.settle()
            return await books_of(kind, tmp_path, database, last.fired_until)

    books = asyncio.run(run())
    check(books, events)
    assert len(books.moves) == 8, "not every cluster of five has become one customer"


def test_every_order_of_a_merge(tmp_path: Path) -> None:
    """Two acts of two users and the alias that joins them, in each of their orders, come to the same."""
    events = [page(0, START, user="a"), page(1, START + HOUR, user="b"), page(2, START + 30 * HOUR, user="a")]
    events.append(one(3, "alias", START + 2 * HOUR, user="b", previous="a"))

    async def run() -> None:
        for number, order in enumerate(itertools.permutations(events)):
            folder = tmp_path / str(number)
            folder.mkdir()
            check(await staged(folder, list(order)), events)

    asyncio.run(run())
