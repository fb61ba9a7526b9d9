"""Stays as they are told, against another library on data that it ships, and by hand."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.datasets import heart
from statsmodels.duration.survfunc import SurvfuncRight

from services.metrics.analytics import stays
from services.metrics.analytics.kernels.stays import Stays
from shared.events import DAY
from shared.journeys.calendar import Calendar, Period


def _stays(began: list[int], length: list[int], ended: list[bool]) -> Stays:
    count = len(length)
    ints = (np.arange(count), np.zeros(count, dtype=np.int64), np.array(began, dtype=np.int64))
    zeros = np.zeros(count, dtype=np.int64)
    return Stays(*ints, np.array(length, dtype=np.int64), np.array(ended, dtype=np.bool_), zeros)


def test_the_stanford_heart_transplants() -> None:
    """Completed stays by numpy's quantiles, the curve and its median by another library's: integers equal, the rest
    to 1e-6. Thinned to ten points, each is one of the whole curve."""
    data = heart.load_pandas().data
    lengths, died = data["survival"].astype(int).tolist(), (data["censors"] == 1).tolist()
    found = _stays([0] * len(lengths), lengths, died)
    (told,) = stays.told(found, [0], 1000)
    theirs = SurvfuncRight(np.array(lengths), np.array(died, dtype=int))
    assert [(one.after, one.at_risk, one.left) for one in told.curve] == list(
        zip(theirs.surv_times.astype(int), theirs.n_risk.astype(int), theirs.n_events.astype(int), strict=True)
    )
    assert [one.share for one in told.curve] == pytest.approx(theirs.surv_prob, abs=1e-6)
    assert told.survival_median == int(theirs.quantile(0.5))
    completed = np.array(lengths)[np.array(died)]
    assert (told.completed, told.open) == (sum(died), len(died) - sum(died))
    assert [told.mean, *told.quantiles] == pytest.approx([completed.mean(), *np.quantile(completed, [0.5, 0.75, 0.9])])
    (thin,) = stays.told(found, [0], 10)
    assert len(thin.curve) == 10
    assert set(thin.curve) <= set(told.curve)
    assert (thin.curve[0], thin.curve[-1]) == (told.curve[0], told.curve[-1])


STAYS = st.lists(st.tuples(st.integers(0, 60 * 24), st.integers(0, 20 * 24), st.booleans()), max_size=12)


@given(STAYS, st.sampled_from(["gregorian", "jalali"]))
def test_velocity_is_the_median_of_those_that_ended(some: list[tuple[int, int, bool]], months: str) -> None:
    """In Tehran, period by period, one by one."""
    hour, first = DAY // 24, 19_790 * DAY
    period, zone = Period("month", Calendar(months=months)), ZoneInfo("Asia/Tehran")
    began, length = [first + one[0] * hour for one in some], [one[1] * hour for one in some]
    found = _stays(began, length, [one[2] for one in some])
    told = stays.velocity(found, [0], period, zone, first + 70 * DAY)
    expected: dict[tuple[int, int], list[int]] = {}
    for start, long, (_, _, ended) in zip(began, length, some, strict=True):
        if ended:
            expected.setdefault(period.bounds(start + long, zone), []).append(long)
    assert {one.start: (one.completed, one.median) for one in told if one.completed} == {
        low: (len(all_), float(np.median(all_))) for (low, _), all_ in expected.items()
    }
    assert all(one.ended == (period.bounds(one.start, zone)[1] <= first + 70 * DAY) for one in told)
