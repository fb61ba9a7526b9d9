"""Amendments as the stager reads and carries them on, against both adapters."""

from pathlib import Path

import pytest

from shared.exclusion import Filter
from shared.store.port import Conflict
from shared.store.rows import DONE, MARKED, MARKS, UNTOLD, USER, LinkRow
from tests.contract.store_backends import changes, new_store, write
from tests.support.amending import exclude, undo

BODY = '{"devices":["a1"]}'


async def test_an_exclusion_is_carried_on_step_by_step(address: str | Path) -> None:
    """From its place to the next, once: who holds an older place, or an older generation, is told of a conflict."""
    async with new_store(address) as store, store.session() as session:
        claim = await session.claim(0, "me")
        stale = (await session.catalog()).generation
        made = await exclude(address, Filter(ids=("u1",)))
        assert await session.amendments() == [made]
        catalog = await session.catalog()
        assert catalog.amendments == (made,)
        step = [(1, made.number, 0, 7)]
        with pytest.raises(Conflict):
            await session.write(changes(claim, stale, amended=step))
        claim = await write(session, claim, amended=step)
        assert [row.place for row in await session.amendments()] == [7]
        with pytest.raises(Conflict):
            await write(session, claim, amended=step)
        await write(session, claim, amended=[(1, made.number, 7, DONE)])
        assert await session.amendments() == []
        await undo(address, made.number)
        (undone,) = await session.amendments()
        assert undone.place == 0
        assert undone.undone_at is not None
        assert (await session.catalog()).generation > catalog.generation


async def test_a_browser_marks_itself(address: str | Path) -> None:
    """Once while it stands; everybody is told of it by the generation; taken back, it may be made again."""
    async with new_store(address) as store, store.session() as session:
        claim = await session.claim(0, "me")
        generation = (await session.catalog()).generation
        claim = await write(session, claim, marks={(1, BODY): (False, 1)})
        assert (await session.catalog()).amendments == ()
        claim = await write(session, claim, marks={(1, BODY): (True, 5)})
        (row,) = (await session.catalog()).amendments
        assert (row.kind, row.body, row.made_at, row.undone_at, row.place) == (MARKS, BODY, 5, None, UNTOLD)
        claim = await write(session, claim, marks={(1, BODY): (True, 6)})
        assert (await session.catalog()).amendments == (row,)
        assert (await session.catalog()).generation == generation
        await session.announce()
        assert (await session.catalog()).generation > generation
        assert [one.place for one in await session.amendments()] == [0]
        claim = await write(session, claim, marks={(1, BODY): (False, 9)})
        (row,) = (await session.catalog()).amendments
        assert (row.undone_at, row.place) == (9, UNTOLD)
        await write(session, claim, marks={(1, BODY): (True, 10), (1, "{}"): (True, 10)})
        assert [one.number for one in (await session.catalog()).amendments] == [1, 2, 3]


async def test_browsers_that_mark_themselves_are_bounded(address: str | Path) -> None:
    """Anybody can: so there are not more than so many, whoever they are."""
    async with new_store(address) as store, store.session() as session:
        claim = await session.claim(0, "me")
        for start in range(0, MARKED + 50, 50):
            marks = {(1, f'{{"devices":["b{n}"]}}'): (True, 11) for n in range(start, start + 50)}
            claim = await write(session, claim, marks=marks)
        assert len((await session.catalog()).amendments) == MARKED


async def test_streams_are_walked_in_order(address: str | Path) -> None:
    """Each with its customer, after a place, so many."""
    async with new_store(address) as store, store.session() as session:
        claim = await session.claim(0, "me")
        await write(session, claim, identifiers=[(1, USER, f"u{n}", n, 3) for n in (3, 5, 9)])
        assert await session.streams_after(1, 0, 2) == [(3, 3), (5, 3)]
        assert await session.streams_after(1, 5, 2) == [(9, 3)]
        assert await session.streams_after(2, 0, 2) == []


async def test_a_link_is_taken_away_and_made_again(address: str | Path) -> None:
    """In one write the deletion comes first."""
    async with new_store(address) as store, store.session() as session:
        claim = await session.claim(0, "me")
        links = [LinkRow(1, 4, 10, "m1", 3), LinkRow(1, 4, 11, "m2", 3)]
        claim = await write(session, claim, links=links)
        claim = await write(session, claim, unlinked=[(1, 4, "m1")])
        assert await session.links_of(1, [4]) == links[1:]
        await write(session, claim, unlinked=[(1, 4, "m2")], links=links[1:])
        assert await session.links_of(1, [4]) == links[1:]
