"""Names are counted as they are staged, exactly once, in rows of bounded number; on both databases."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from services.stager import naming
from shared.events import PLACEMENT, Record
from shared.journeys.fit import Met
from shared.store import naming as counted
from shared.store.engine import reading
from tests.support.asking import Site, at, record, site


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop that nobody has visited."""
    async with site(address, tmp_path) as made:
        yield made


async def met(shop: Site) -> dict[tuple[str, str], Met]:
    """What is counted."""
    async with reading(shop.database) as db:
        found = await counted.met(db, 1)
    assert len({(one.type, one.name) for one in found}) == len(found)
    return {(one.type, one.name): one for one in found}


def tracks(names: Sequence[str]) -> list[Record]:
    """One event of each name, by customers of several partitions."""
    return [record(f"t{name}", "2024-03-01T10:00", user=f"u{i % 7}", name=name) for i, name in enumerate(names)]


async def test_each_name_is_counted_with_its_times(shop: Site) -> None:
    """By type and name as sent, over all batches and partitions; duplicates and bots do not count."""
    first = record("1", "2024-03-02T10:00", name="Bought")
    await shop.receive(first, record("2", "2024-03-01T10:00", user="u2", name="Bought"))
    await shop.receive(
        first,
        record("3", "2024-03-09T10:00", user="u3", name="Bought"),
        record("4", "2024-03-03T10:00", type="page", name="Bought"),
        record("5", "2024-03-03T10:00", type="identify"),
        record("6", "2024-03-03T10:00", name="Bought", excluded=True),
        record("7", "2024-03-03T10:00", name="خرید\0 \U0001f6d2"),
    )
    found = await met(shop)
    assert found["track", "Bought"] == Met("track", "Bought", 3, at("2024-03-01T10:00"), at("2024-03-09T10:00"))
    assert found["page", "Bought"].n == found["identify", ""].n == 1
    assert found["track", "خرید \U0001f6d2"].n == 1
    assert len(found) == 4


async def test_what_milepost_writes_itself_is_no_name(shop: Site) -> None:
    """A placement is not a site's."""
    await shop.receive(record("1", "2024-03-02T10:00", type=PLACEMENT))
    assert await met(shop) == {}


async def test_names_are_bounded(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beyond the bound, and those too long to be names, are counted together; known ones stay by themselves."""
    monkeypatch.setattr(naming, "MOST", 5)
    await shop.receive(*tracks(["a", "b", "c", "x" * 300]))
    await shop.receive(*tracks([f"n{i}" for i in range(20)]), record("again", "2024-03-05T10:00", name="a"))
    found = await met(shop)
    assert (found["track", "a"].n, len(found)) == (2, 6)
    assert found["", ""].n == 1 + 20 - 2
    assert sum(one.n for one in found.values()) == 25


async def test_a_new_stager_knows_the_names_there_are(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is that of the project, not of one stager's life: after a restart no more names are let in."""
    monkeypatch.setattr(naming, "MOST", 3)
    await shop.receive(*tracks(["a", "b", "c"]))
    shop._stager._cache.names.clear()  # as a stager that has just started
    await shop.receive(*tracks(["d"]), record("again", "2024-03-05T10:00", name="c"))
    found = await met(shop)
    assert (found["track", "c"].n, found["", ""].n, len(found)) == (2, 1, 4)
