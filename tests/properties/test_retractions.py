"""Statements taken back and made again at any moment: who is who is what the statements that are left say."""

import sqlite3
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.statement import said
from shared.store.rows import MERGED, RETRACTS
from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.properties.test_stager import devices, entangled, final, firsts, run
from tests.support.amending import retract, undo
from tests.support.crashing import Crash, Crashing
from tests.support.ledgers import Books
from tests.support.small import JOURNEY
from tests.support.staging import Staging, record_of

Touchpoints = list[dict[str, Any]]


class Taking:
    """Statements taken back in a store."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "store.db"
        self._standing: dict[str, int] = {}
        self._made = 0

    async def turn(self, staged: Touchpoints, which: int) -> None:
        """Takes one of the statements staged back, or makes it again if it was."""
        statements = [found for one in firsts(staged) if (found := said(record_of(one))) is not None]
        if not statements:
            return
        one = statements[which % len(statements)]
        if (number := self._standing.pop(one.id, None)) is not None:
            await undo(self.file, number, RETRACTS)
        else:
            await retract(self.file, one)
            self._made += 1
            self._standing[one.id] = self._made

    @property
    def retracted(self) -> frozenset[str]:
        """The ids of what is taken back."""
        return frozenset(self._standing)


def check_books(books: Books, given: Touchpoints, retracted: frozenset[str], devices: str) -> None:
    """The store's books against the oracle's without the statements that were taken back."""
    definition = yaml.safe_load(JOURNEY)
    expected = {}
    for customer in customers(firsts(given), devices == "join", books.unfollowed | retracted):
        moves = derive(definition, customer.touchpoints, books.now)
        expected[customer.identifiers] = [(move.at, move.source, move.target) for move in moves]
    assert books.moves == expected
    assert books.staged + books.duplicates == len(given)
    assert books.quarantined == books.queued == 0


def check_redirects(file: Path) -> None:
    """Every customer that was merged leads to one that is there, and that has the user id it was named after."""
    with sqlite3.connect(file) as db:
        found = db.execute('SELECT customer, status, "into" FROM customers').fetchall()
        users = dict(db.execute("SELECT stream, customer FROM identifiers WHERE kind = 0").fetchall())
    db.close()
    rows = {number: (status, into) for number, status, into in found}
    for number, (status, _) in rows.items():
        last, steps = number, 0
        while rows[last][0] == MERGED:
            last, steps = rows[last][1], steps + 1
            assert steps <= len(rows), "a circle of redirects"
        if status == MERGED and number in users:
            assert last == users[number]


def once(given: Touchpoints) -> Touchpoints:
    """Each id once: whose a repetition is may change with whose its device is."""
    return list({one["id"]: one for one in given}.values())


def entries(file: Path) -> Counter[int]:
    """The recorded times of all ledger entries."""
    with sqlite3.connect(file) as db:
        found = Counter(recorded for (recorded,) in db.execute("SELECT recorded FROM ledger"))
    db.close()
    return found


steps = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 20), st.booleans(), st.integers(0, 2)), min_size=1, max_size=6
)


@pytest.mark.timeout(600)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(entangled, steps, st.integers(1, 7), st.integers(2, 50), st.lists(st.integers(0, 80), max_size=2), devices)
def test_who_is_who_without_what_was_taken_back(
    given: Touchpoints, steps: list[Any], batch: int, limit: int, crashes: list[int], devices: str
) -> None:
    """Whatever is taken back or made again when, with stagers that have old caches, crashes and late statements.
    What was known before stays known."""
    retracted, given = set[str](), once(given)

    async def drive(world: Staging) -> int:
        taking, start = Taking(world.folder), 0
        stagers = [await world.stager(batch=batch, rewind_limit=limit) for _ in range(2)]
        for count, which, settled, turn in steps:
            await world.append([record_of(one) for one in given[start : start + count]])
            start += count
            await stagers[turn % 2].stage_all()
            if settled:
                await (await world.stager()).settle()
            before, at = entries(taking.file), time.time_ns() // 1000
            await taking.turn(given[:start], which)
            if settled:
                await (await world.stager()).settle()
                assert all(recorded >= at for recorded in (entries(taking.file) - before).elements())
            for at in crashes:
                crashing = await world.stager(batch=batch, wrap=partial(Crashing, at=at, after=turn == 0))
                with suppress(Crash):
                    await crashing.step()
        await world.append([record_of(one) for one in given[start:]])
        await stagers[0].step()
        await stagers[1].step()
        retracted.update(taking.retracted)
        now = await final(world)
        check_redirects(taking.file)
        return now

    books = run(drive, devices=devices)
    check_books(books, given, frozenset(retracted), devices)
