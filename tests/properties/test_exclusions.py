"""Exclusions made and undone at any moment: the store is what `derive` gives without what they hide. As known before
them it is what it was."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.exclusion import Filter
from tests.oracle.ledger import known
from tests.properties.test_stager import MEMORY, alone, check_books, devices, final, firsts, histories, run
from tests.support.amending import exclude, undo
from tests.support.crashing import Crash, Crashing
from tests.support.ledgers import recorded_times, stage_as_known
from tests.support.small import HOUR, JOURNEY, START
from tests.support.staging import Staging, record_of, staging

Meant = Callable[[dict[str, Any]], bool]
Touchpoints = list[dict[str, Any]]

#: Filters, each with the same said in another way.
FILTERS: list[tuple[Filter, Meant]] = [
    (Filter(ids=("u1",)), lambda one: "u1" in (one["user"], one["anonymous"])),
    (Filter(devices=("a1", "a2")), lambda one: one["anonymous"] in ("a1", "a2")),
    # A placement's properties say where to, whatever the drawn ones are.
    (Filter(properties={"price": 30}), lambda one: one["properties"] == {"price": 30} and one["type"] != "placement"),
    (Filter(until=START + 100 * HOUR), lambda one: one["t"] <= START + 100 * HOUR),
    (
        Filter(since=START + 60 * HOUR, ids=("u2", "a2")),
        lambda one: one["t"] >= START + 60 * HOUR and of(one, "u2", "a2"),
    ),
]


def of(one: dict[str, Any], *ids: str) -> bool:
    """Whether a touchpoint was sent with one of these ids."""
    return one["user"] in ids or one["anonymous"] in ids


class Ruling:
    """Exclusions made and undone in a store, and what they come to."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "store.db"
        self.made: list[tuple[Meant, int, int | None]] = []

    async def turn(self, number: int, at: int) -> None:
        """Makes the exclusion of this number if it does not stand, else undoes it, at that instant."""
        filter, meant = FILTERS[number]
        standing = [i for i, one in enumerate(self.made) if one[0] is meant and one[2] is None]
        if standing:
            await undo(self._file, standing[0] + 1)
            self.made[standing[0]] = meant, self.made[standing[0]][1], at
        else:
            await exclude(self._file, filter)
            self.made.append((meant, at, None))
        with sqlite3.connect(self._file) as db:  # the clock is not ours to set
            changes = [(*one[1:], i) for i, one in enumerate(self.made, 1)]
            db.executemany("UPDATE amendments SET made_at = ?, undone_at = ? WHERE number = ?", changes)
        db.close()

    def seen(self, given: Touchpoints, known_at: int = 1 << 60) -> Touchpoints:
        """The touchpoints as they are seen with the exclusions that stood then."""
        standing = [meant for meant, made, undone in self.made if made <= known_at < (undone or known_at + 1)]
        return [{**one, "excluded": one["excluded"] or any(meant(one) for meant in standing)} for one in given]


#: What happens between records: so many are appended; then an exclusion is made or undone, at so many hours; then so
#: many batches are staged, all of it if None.
steps = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, len(FILTERS) - 1), st.integers(0, 300), st.none() | st.integers(0, 3)),
    min_size=1,
    max_size=6,
)


@pytest.mark.timeout(600)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories, steps, st.integers(1, 7), st.integers(2, 50), st.lists(st.integers(0, 60), max_size=2), devices)
def test_the_store_is_derive_without_what_is_excluded(
    given: Touchpoints, steps: list[Any], batch: int, limit: int, crashes: list[int], devices: str
) -> None:
    """Whatever is excluded or brought back when, between which batches, with late records, merges and crashes."""
    seen: Touchpoints = []

    async def drive(world: Staging) -> int:
        ruling, start = Ruling(world.folder), 0
        stager = await world.stager(batch=batch, rewind_limit=limit)
        for count, number, hours, staged in steps:
            await world.append([record_of(one) for one in given[start : start + count]])
            start += count
            await ruling.turn(number, START + hours * HOUR)
            for _ in range(staged or 0):
                await stager.step()
            if staged is None:
                await stager.settle()
        await world.append([record_of(one) for one in given[start:]])
        for at in crashes:
            crashing = await world.stager(batch=batch, wrap=partial(Crashing, at=at, after=True))
            with suppress(Crash):
                await crashing.settle()
        seen.extend(ruling.seen(given))
        return await final(world)

    books = run(drive, devices=devices)
    check_books(books, seen, devices=devices)


@pytest.mark.timeout(600)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    alone,
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 4), st.booleans()), min_size=1, max_size=4),
    st.integers(1, 5),
    st.integers(2, 50),
    st.lists(st.integers(0, 90), min_size=1, max_size=4),
    st.booleans(),
)
def test_what_was_known_before_an_exclusion_stays(
    given: Touchpoints, steps: list[tuple[int, int, bool]], batch: int, limit: int, asked: list[int], imported: bool
) -> None:
    """As known at R it is `derive` of what was recorded by R, without what the exclusions hid that stood at R."""
    arriving = sorted(given, key=lambda one: one["recorded"])
    definition = yaml.safe_load(JOURNEY)

    async def staged() -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            file = Path(folder) / "store.db"
            async with staging(Path(folder), [JOURNEY]) as world:
                ruling, start = Ruling(Path(folder)), 0
                stager = await world.stager(batch=batch, rewind_limit=limit)
                for count, number, settled in steps:
                    part = arriving[start : start + count]
                    await world.append([record_of(one, imported) for one in part])
                    start += len(part)
                    now = max((one["recorded"] for one in arriving[:start]), default=START) + 1 + len(ruling.made)
                    if settled:
                        await stager.stage_all()
                        await stager.carry_out(now)
                    await ruling.turn(number, now)
                    await stager.stage_all()
                    await stager.carry_out(now)
                await world.append([record_of(one, imported) for one in arriving[start:]])
                await stager.settle()
                recorded = recorded_times(file)
                stored = [{**one, "recorded": recorded[one["id"]]} for one in firsts(arriving)]
                for hours in asked:
                    at = START + hours * 4 * HOUR
                    assert stage_as_known(file, at, at) == known(definition, ruling.seen(stored, at), at, at)

    asyncio.run(staged())


marks = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["a1", "a2"]), st.booleans(), st.booleans()), min_size=1, max_size=5
)


@pytest.mark.timeout(600)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(histories, marks, st.integers(1, 7), st.lists(st.integers(0, 60), max_size=2), st.booleans(), devices)
def test_a_browser_marked_by_a_link_is_hidden(
    given: Touchpoints, marks: list[Any], batch: int, crashes: list[int], allowed: bool, devices: str
) -> None:
    """All that it does, past and future, with whatever user id, until it takes that back; nothing else."""
    given = list(given)
    last = dict[str, bool]()
    for number, (place, device, on, by_property) in enumerate(sorted(marks, key=lambda one: one[0])):
        url = {"url": f"https://shop.example/x?a=1&milepost_internal={'on' if on else 'off'}"}
        page = {"id": f"mark-{number}-device-{device}", "type": "page", "name": "Other", "user": None}
        said = {"properties": url if by_property else {}, "context": {} if by_property else {"page": url}, "traits": {}}
        more = {"anonymous": device, "previous": None, "guarded": False, "excluded": False}
        t = START + number * HOUR
        given.insert(place + number, {**page, **said, **more, "t": t, "recorded": t + 400 * HOUR, "late": 0})
        last[device] = on
    hidden = {device for device, on in last.items() if on and allowed}

    async def drive(world: Staging) -> int:
        await world.append([record_of(one) for one in given])
        for at in crashes:
            crashing = await world.stager(batch=batch, wrap=partial(Crashing, at=at, after=True), internal_link=allowed)
            with suppress(Crash):
                await crashing.settle()
        stager = await world.stager(batch=batch, internal_link=allowed)
        await stager.settle()
        return stager.fired_until

    seen = [{**one, "excluded": one["excluded"] or one["anonymous"] in hidden} for one in given]
    check_books(run(drive, devices=devices), seen, devices=devices)
