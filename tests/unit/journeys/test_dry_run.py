"""A tally of customers by two journeys."""

import pytest
from msgspec import Raw

from shared.events import DAY, Record
from shared.journeys.dry_run import SHOWN, Tally
from shared.journeys.touchpoint import Touchpoint
from shared.store.walking import Sample
from tests.support.journeys import START, journey, touchpoint

OLD = """
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: buyer, enter: {touchpoint: {name: Paid}}}
"""
NEW = """
stages:
  - {stage: visitor, enter: {touchpoint: {type: page}}}
  - {stage: keen, enter: {count: {of: {type: page}, at_least: 2}}}
side:
  - {stage: quiet, from: [visitor, keen], enter: {quiet: 10d}, return: {to: previous}}
"""


def pages(n: int, start: int = START) -> list[Touchpoint]:
    """So many page views, one an hour."""
    return [touchpoint(start + i * DAY // 24, f"p{i}", "page") for i in range(n)]


def tally(now: int = START + 5 * DAY, old: str | None = OLD) -> Tally:
    """An empty one."""
    return Tally(journey(NEW), None if old is None else journey(old), now)


def test_stages_before_and_after() -> None:
    """Every customer counts once in each, and as a mover if the two differ by name."""
    counted = tally()
    for customer, n in enumerate([1, 2, 2, 0]):
        counted.add(customer, pages(n))
    counted.add(9, [touchpoint(START, "x", "track", "Paid")])
    assert (counted.looked, counted.failed) == (5, 0)
    assert counted.before == {"visitor": 3, "buyer": 1, None: 1}
    assert counted.after == {"visitor": 1, "keen": 2, "none": 1, None: 1}
    assert counted.moves == {("visitor", "keen"): 2, ("buyer", "none"): 1}
    assert list(counted.stages()) == ["visitor", "keen", "quiet", "buyer", "none"]


def test_where_they_stand_now() -> None:
    """Time alone counts until now, and what happens later does not."""
    counted = tally(START + 11 * DAY)
    counted.add(1, pages(1))
    counted.add(2, pages(1, START + 20 * DAY))
    assert counted.after == {"quiet": 1, None: 1}


def test_some_movers_are_shown_with_the_reason() -> None:
    """The first few of each kind of move."""
    counted = tally()
    for customer in range(SHOWN + 2):
        counted.add(customer, pages(2))
    shown = counted.shown["visitor", "keen"]
    assert [one.customer for one in shown] == list(range(SHOWN))
    assert all("keen" in one.reason for one in shown)


def test_who_cannot_be_derived_is_counted_apart() -> None:
    """One broken history stops nothing; its error is told."""
    counted = Tally(journey(NEW.replace("{type: page}, at_least: 2", "{properties: {a: 1}}, at_least: 2")), None, START)
    broken = Record(1, "p", "page", START, START, user="u", properties=Raw(b"[]"))
    counted.add(7, [Touchpoint.of(broken)])
    counted.add(8, pages(1))
    assert (counted.looked, counted.failed, sum(counted.after.values())) == (2, 1, 1)
    assert counted.errors[0].startswith("customer 7: ")


@pytest.mark.parametrize("size", [1, 10, 100, 2_000])
def test_a_sample_is_drawn_by_hash(size: int) -> None:
    """The same customers whatever the order they come in; a smaller sample is the beginning of a larger one."""
    forward, backward, larger = Sample(size), Sample(size), Sample(size + 10)
    forward.add(range(1_000))
    for customer in reversed(range(1_000)):
        backward.add([customer])
    larger.add(range(1_000))
    chosen = forward.customers()
    assert chosen == backward.customers() == larger.customers()[:size]
    assert len(set(chosen)) == min(size, 1_000)
    if size == 100:
        assert 300 < sum(chosen) / size < 700  # from everywhere
