"""Carts, followed one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics import carts
from tests.unit.analytics.brute import Act, columns, histories, of


def _by_hand(acts: list[Act], gap: int, window: int, now: int) -> list[tuple[int, int, int, bool]]:
    """(owner, began, place of the purchase or −1, open) of each cart: `a` fills it, `b` buys, anything is an act."""
    made = []
    for owner in range(3):
        cart: list[tuple[int, Act]] = []
        mine = of(acts, owner)
        for number, (place, act) in enumerate(mine):
            if (number and act.at - mine[number - 1][1].at > gap) or act.name == "b":
                made += [(owner, cart)] if cart else []
                cart = []
            if act.name == "a":
                cart.append((place, act))
        made += [(owner, cart)] if cart else []
    lines = []
    for owner, cart in made:
        last, until = cart[-1][0], cart[-1][1].at + window
        bought = [place for place, act in of(acts, owner) if place > last and act.name == "b" and act.at <= until]
        lines.append((owner, cart[0][1].at, min(bought, default=-1), not bought and until >= now))
    return lines


@given(histories(), st.integers(0, 4), st.integers(0, 5), st.integers(0, 15))
def test_carts_are_those_followed_one_by_one(acts: list[Act], gap: int, window: int, now: int) -> None:
    """A visit or a purchase ends a cart; it is bought within the window, open until its end, then abandoned."""
    made = columns(acts)
    every = np.ones(len(acts), dtype=np.bool_)
    found = carts.carts(made, every, made.has("name", "a"), made.has("name", "b"), gap, window, now)
    parts = (found.owner.tolist(), found.began.tolist(), found.purchase.tolist(), found.open.tolist())
    expected = _by_hand(acts, gap, window, now)
    assert list(zip(*parts, strict=True)) == expected
    told = carts.told(made, found, window)
    assert (told.carts, told.open) == (len(expected), sum(one[3] for one in expected))
    assert told.bought == sum(one[2] >= 0 for one in expected)
    assert told.carts == told.bought + told.open + told.abandoned.part
    assert sum(count for _, count in told.after) == told.abandoned.part
