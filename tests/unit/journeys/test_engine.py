"""The engine's own facts; what it decides is in the golden cases."""

from typing import Any

import pytest

from shared.events import DAY
from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.engine import ABSENT, NAMES, NONE, Move
from tests.support.journeys import START, journey, setting, touchpoint

SHOP = """
roles: {purchase: {also: [Bought]}}
activity: [{type: page}, {type: track, properties: {auto: {exists: false}}}]
except: [{context: {agent: bot}}]
stages:
  - {stage: buyer, enter: {touchpoint: {role: purchase}}}
side:
  - {stage: away, from: [buyer], enter: {quiet: 3d}, return: {to: previous}}
"""


def test_nobody_is_due() -> None:
    """Of a customer of whom nothing is known, time makes nothing."""
    shop = journey(SHOP)
    state = shop.start()
    assert (state.stage, shop.due(state), shop.advance(state, START)) == (ABSENT, None, [])


def test_moves_have_numbers() -> None:
    """Stages are numbered as in `stages`: the ordered, then the side stages."""
    shop = journey(SHOP)
    state = shop.start()
    assert shop.stages == ("buyer", "away")
    assert shop.touch(state, touchpoint(START, "1", "page")) == Move(START, ABSENT, NONE, False)
    assert shop.touch(state, touchpoint(START + 1, "2", name="bought")) == Move(START + 1, NONE, 0, False)
    assert shop.due(state) == START + 1 + 3 * DAY
    assert shop.advance(state, START + 9 * DAY) == [Move(START + 1 + 3 * DAY, 0, 1, True)]
    assert shop.touch(state, touchpoint(START + 9 * DAY, "3", "page")) == Move(START + 9 * DAY, 1, 0, False)


@pytest.mark.parametrize(
    ("kind", "parts", "active"),
    [
        ("page", {}, True),
        ("track", {}, True),
        ("track", {"properties": {"auto": True}}, False),
        ("track", {"context": {"agent": "Bot"}}, False),
        ("page", {"context": {"agent": "bot"}}, False),
        ("screen", {}, False),
        ("identify", {}, False),
    ],
)
def test_activity(kind: str, parts: dict[str, Any], active: bool) -> None:
    """`activity` and `except` are read of each touchpoint, whatever of them is known beforehand."""
    assert journey(SHOP).active(touchpoint(START, "1", kind, **parts)) is active


def test_a_copy_goes_its_own_way() -> None:
    """What happens to a copy does not happen to what it was made of."""
    counting = journey("""
stages:
  - stage: a
    enter:
      all:
        - {count: {of: {}, within: 7d, at_least: 9}}
        - {distinct: {of: {}, property: p, at_least: 9}}
        - {sum: {of: {}, property: p, within: 7d, at_least: 9}}
        - {trait: {t: 1}}
""")
    state = counting.start()
    counting.touch(state, touchpoint(START, "1", properties={"p": 1}))
    copy = counting.copy(state)
    assert copy == state
    counting.touch(copy, touchpoint(START + 1, "2", properties={"p": 2}))
    counting.touch(copy, touchpoint(START + 2, "3", "identify", traits={"t": 1}))
    again = counting.start()
    counting.touch(again, touchpoint(START, "1", properties={"p": 1}))
    assert state == again
    assert copy != state


def test_names_do_not_pile_up() -> None:
    """However many names and however long, what is remembered of them is bounded; and still all are read."""
    shop = journey(SHOP)
    state = shop.start()
    for number in range(NAMES + 10):
        shop.touch(state, touchpoint(START, f"{number:05}", "page", f"Page {number}"))
    shop.touch(state, touchpoint(START, "x", "page", "y" * 100_000))
    remembered = [name or "" for plans in shop._plans.values() for name in plans]
    assert len(remembered) <= NAMES
    assert sum(map(len, remembered)) < 100_000
    assert shop.touch(state, touchpoint(START + 1, "y", name=" BOUGHT ")) == Move(START + 1, NONE, 0, False)


def test_kinds_share_plans() -> None:
    """Names that no condition tells apart have one plan."""
    lifecycle = compile_journey(templates.load("lifecycle"), setting())
    state = lifecycle.start()
    for name in ("Order Completed", "خرید", "Unheard Of", "Never Heard"):
        lifecycle.touch(state, touchpoint(START, name, name=name))
    assert len({id(plan) for plan in lifecycle._plans["track"].values()}) == 2
