"""Churn and win-backs, counted customer by customer."""

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics import churn
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.periods import periods
from shared.events import DAY
from shared.journeys.calendar import Calendar, Period
from shared.journeys.definition import load
from tests.unit.analytics.brute import Act, columns, histories

JOURNEY = load("""
journey: j
stages:
  - {stage: s0, enter: {touchpoint: {name: a}}}
  - {stage: s1, means: converted, enter: {touchpoint: {name: b}}}
side:
  - {stage: risk, means: at-risk, from: [s0, s1], enter: {quiet: 3d}}
  - {stage: gone, means: churned, from: [s1, risk], enter: {quiet: 9d}}
exit: {from: [risk], enter: {touchpoint: {name: x}}}
""")
FROM = {2: {0, 1}, 3: {1, 2}}
FIRST = 19_800 * DAY
MOVES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(-1, 3)), max_size=9).map(sorted)


@given(histories(), MOVES)
def test_churn_is_that_counted_one_by_one(acts: list[Act], made: list[tuple[int, int, int]]) -> None:
    """Who entered; who of those that stood where it is entered from; who left it at an instant of an act of theirs."""
    unit = DAY // 2  # two instants a day
    owner, at, target = (np.array(one, dtype=np.int64) for one in (zip(*made, strict=True) if made else ([],) * 3))
    moves = Moves(owner, FIRST + at * unit, np.zeros_like(owner), target)
    own = columns([Act(act.owner, FIRST + act.at * unit, act.name) for act in acts])
    whole = periods(Period("day", Calendar()), FIRST, FIRST + 12 * unit, ZoneInfo("UTC"))
    told = churn.told(moves, own, JOURNEY, whole)
    assert [line.stage for line in told] == [2] * len(whole) + [3] * len(whole)
    for line in told:
        first, after = line.period * 2, line.period * 2 + 2  # the instants of the day
        entered = {who for who, when, stage in made if stage == line.stage and first <= when < after}
        stood = set()
        for who in range(3):
            before = [stage for other, when, stage in made if other == who and when < first]
            if before and before[-1] in FROM[line.stage]:
                stood.add(who)
        away = []
        for place, (who, when, stage) in enumerate(made):
            mine = [one for one in made[:place] if one[0] == who]
            out = bool(mine) and mine[-1][2] == line.stage and stage not in (2, 3)
            if stage == -1 and line.stage == 2:
                out = False  # an exit
            if out and first <= when < after and any(act.owner == who and act.at == when for act in acts):
                away.append((when - mine[-1][1]) * unit)
        assert line.entered == len(entered)
        assert (line.left.part, line.left.whole) == (len(entered & stood), len(stood))
        assert line.won_back == len(away)
        assert line.away == (float(np.median(away)) if away else None)
