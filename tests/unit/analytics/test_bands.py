"""Touchpoints per stage and journey, counted one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics import bands
from services.metrics.analytics.kernels.stays import Moves
from shared.journeys.definition import load
from tests.unit.analytics.brute import Act, columns, histories

JOURNEY = load("""
journey: j
stages:
  - {stage: s0, enter: {touchpoint: {name: a}}}
  - {stage: s1, means: converted, enter: {touchpoint: {name: b}}}
  - {stage: s2, enter: {touchpoint: {name: c}}}
side:
  - {stage: away, from: [s0, s1, s2], enter: {quiet: 3d}}
""")

MOVES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(-1, 3)), max_size=8).map(sorted)


@given(histories(), MOVES)
def test_spans_are_those_counted_one_by_one(acts: list[Act], made: list[tuple[int, int, int]]) -> None:
    """A stay has the touchpoints from its entry to before the next one; the journey's last is that of its goal."""
    owner, at, target = (
        np.array(column, dtype=np.int64) for column in (zip(*made, strict=True) if made else ([],) * 3)
    )
    found = bands.spans(columns(acts), Moves(owner, at, np.zeros_like(owner), target), JOURNEY, 20)

    def count(who: int, low: int, high: float) -> int:
        return sum(act.owner == who and low <= act.at <= high for act in acts)

    stays: dict[int, list[tuple[int, bool, bool]]] = {stage: [] for stage in range(4)}
    for place, (who, began, stage) in enumerate(made):
        after = made[place + 1] if place + 1 < len(made) and made[place + 1][0] == who else None
        if stage >= 0:
            until = after[1] - 1 if after else float("inf")
            on = after is not None and stage < after[2] < 3
            stays[stage].append((count(who, began, until), on, after is None))
    for stage, expected in stays.items():
        one = found[stage]
        assert list(zip(one.count.tolist(), one.done.tolist(), one.open.tolist(), strict=True)) == expected
    whole = []
    for who in sorted({who for who, _, stage in made if stage >= 0}):
        began = min(at for other, at, stage in made if other == who and stage >= 0)
        goal = next((at for other, at, stage in made if other == who and stage == 1), None)
        whole.append((count(who, began, float("inf") if goal is None else goal), goal is not None))
    assert list(zip(found[-1].count.tolist(), found[-1].done.tolist(), strict=True)) == whole


def test_the_band_is_the_middle_of_those_who_moved_on() -> None:
    """Of 1 … 11 touchpoints the 10th percentile is 2 and the 90th is 10, both inclusive."""
    numbers = np.array([*range(1, 12), 1, 2, 10, 11])
    moved = np.arange(15) < 11
    one = bands.Spans(0, np.arange(15), np.zeros(15, dtype=np.int64), numbers, moved, ~moved)
    band = bands.band(one, JOURNEY)
    assert band is not None
    assert [band.low, band.high] == pytest.approx([2, 10])
    assert not band.defined
    told = bands.told(one, bands.Band(2, 10, defined=True))
    assert (told.done, told.median, told.below, told.within, told.above) == (11, 6.0, 1, 2, 1)
