"""A version is published beside live traffic while the server is killed again and again, on a real PostgreSQL."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from shared.events import SECOND, encode
from shared.log.port import Entry
from shared.log.sqlite import open_sqlite_log
from shared.settings import Settings
from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.support.ledgers import read_books
from tests.support.processes import Processes, wait_until
from tests.support.small import HOUR, JOURNEY, START
from tests.support.staging import record_of
from tests.support.up import Up, milepost

PEOPLE = 2_500
CHANGED = JOURNEY.replace("within: 2d, ", "").replace("enter: {quiet: 1d}", "enter: {quiet: 2d}")


def visits(rng: random.Random, first: int, people: range) -> list[dict[str, Any]]:
    """One or two touchpoints of each of these people, some time after the hour `first`."""
    found = list[dict[str, Any]]()
    for person in people:
        for n in range(rng.randint(1, 2)):
            at = START + (first + rng.randrange(40)) * HOUR
            what = BOUGHT if rng.random() < 0.6 else PAGE
            whose = {"id": f"m{first}-{person}-{n}", "user": f"u{person}", "t": at, "recorded": at + SECOND}
            found.append(EMPTY | what | whose)
    return found


EMPTY: dict[str, Any] = {"anonymous": None, "previous": None, "context": {}, "traits": {}, "properties": {}}
PAGE: dict[str, Any] = {"type": "page", "name": "Home"}
BOUGHT: dict[str, Any] = {"type": "track", "name": "Bought", "properties": {"price": 30}}


@pytest.mark.timeout(300)
def test_a_publication_survives_kills_beside_live_traffic(processes: Processes, tmp_path: Path, database: str) -> None:
    """Every customer is in both versions where `derive` puts them, and the new one answers; then the old one again."""
    rng, data, given = random.Random(5), tmp_path / "data", list[dict[str, Any]]()
    environment = {"MILEPOST_DATABASE": database}
    up = Up(processes, data, database=database, lease="3")
    for name, text in (("one", JOURNEY), ("two", CHANGED)):
        (tmp_path / f"{name}.yaml").write_text(text)

    def ask(sql: str) -> list[Sequence[Any]]:
        async def fetch() -> list[Sequence[Any]]:
            connection = await asyncpg.connect(database)
            try:
                return [tuple(row) for row in await connection.fetch(sql)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def arrive(events: list[dict[str, Any]]) -> None:
        async def append() -> None:
            async with open_sqlite_log(data / "log.sqlite", Settings().partitions, 86_400) as log:
                await log.append([Entry(one["user"].encode(), encode(record_of(one))) for one in events])

        asyncio.run(append())
        given.extend(events)

    def staged() -> bool:
        return ask("SELECT sum(staged) FROM positions") == [(len(given),)]

    def journeys(*arguments: str | Path) -> str:
        return milepost("journeys", *arguments, data=data, env=environment)

    def answering() -> str:
        return next(line.split()[1] for line in journeys("status", "small").splitlines() if " yes " in line)

    journeys("publish", tmp_path / "one.yaml")
    arrive(visits(rng, 0, range(PEOPLE)))
    wait_until(staged, within=60)
    up.process.kill()
    assert "version 2 is being filled" in journeys("publish", tmp_path / "two.yaml")
    met = list[int]()
    for round_, filled in enumerate((1, PEOPLE // 3, PEOPLE // 3 * 2)):
        up.start()
        arrive(visits(rng, 20 + 20 * round_, range(0, PEOPLE + 50 * round_, 7)))
        wait_until(lambda least=filled: ask("SELECT sum(filled) FROM fills")[0][0] >= least, within=60)  # type: ignore[misc]
        up.process.kill()
        met += [n for (n,) in ask("SELECT count(*) FROM fills WHERE finished IS NULL")]
        assert answering() == ("1" if met[-1] else "2")
    assert met[0] > 0, "the first kill came too late to mean anything"
    up.start()
    wait_until(lambda: ask("SELECT count(*) FROM fills WHERE finished IS NULL") == [(0,)], within=60)
    wait_until(staged, within=60)
    fired = "SELECT count(*) FROM timers WHERE due < (SELECT min(clock) FROM positions)"
    wait_until(lambda: ask(fired) == [(0,)] and ask("SELECT count(*) FROM queue") == [(0,)], within=60)
    assert answering() == "2"
    assert "version 1 is current" in journeys("rollback", "small")
    assert answering() == "1"
    up.process.stop()

    (now,) = ask("SELECT min(clock) FROM positions")[0]
    for version, text in ask("SELECT version, definition FROM journeys WHERE name = 'small'"):
        books = read_books(ask, now - 1, version)
        expected = {}
        for customer in customers(given):
            moves = derive(yaml.safe_load(text), customer.touchpoints, books.now)
            expected[customer.identifiers] = [(move.at, move.source, move.target) for move in moves]
        assert books.moves == expected
        assert books.populations == Counter(moves[-1][2] for moves in expected.values() if moves)
