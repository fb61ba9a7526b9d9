"""Stays and survival, against counting by hand and against another library on data that it ships."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.datasets import heart
from statsmodels.duration.survfunc import SurvfuncRight

from services.metrics.analytics.kernels.stays import Moves, quantiles, stays, survival


def test_survival_is_that_of_another_library_on_the_stanford_heart_transplants() -> None:
    """Shares and numbers at risk agree to 1e-12 where somebody died; the data have ties and censorings at once."""
    data = heart.load_pandas().data
    time, died = data["survival"].to_numpy(dtype=np.int64), data["censors"].to_numpy() == 1
    theirs = SurvfuncRight(time, died.astype(int))
    mine = survival(time, died)
    assert mine.time.tolist() == theirs.surv_times.astype(int).tolist()
    assert mine.at_risk.tolist() == theirs.n_risk.astype(int).tolist()
    assert mine.share == pytest.approx(theirs.surv_prob, abs=1e-12)
    assert mine.median == int(theirs.quantile(0.5))


def test_the_interval_is_greenwoods_on_the_scale_of_log_minus_log() -> None:
    """By hand: of 4, one leaves at 1 and one at 2; S = 0.75 and 0.5."""
    found = survival(np.array([1, 2, 3, 3]), np.array([True, True, False, False]))
    assert found.share.tolist() == [0.75, 0.5]
    variance = 1 / (4 * 3) + 1 / (3 * 2)
    spread = 1.959963984540054 * np.sqrt(variance) / np.log(0.5)
    assert found.low[1] == pytest.approx(0.5 ** np.exp(-spread))
    assert found.high[1] == pytest.approx(0.5 ** np.exp(spread))
    assert found.low[1] < 0.5 < found.high[1]
    assert found.median == 2


LENGTHS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=12)


@given(LENGTHS)
def test_survival_is_the_product_over_the_times_at_which_somebody_left(pairs: list[tuple[int, bool]]) -> None:
    """At each such time, of those whose stay was at least so long, the share that did not end then."""
    found = survival(np.array([p[0] for p in pairs], dtype=np.int64), np.array([p[1] for p in pairs], dtype=np.bool_))
    share, expected = 1.0, {}
    for time in sorted({length for length, ended in pairs if ended}):
        risk = sum(length >= time for length, _ in pairs)
        share *= 1 - sum(length == time and ended for length, ended in pairs) / risk
        expected[time] = share
    assert dict(zip(found.time.tolist(), found.share.tolist(), strict=True)) == pytest.approx(expected)
    assert ((found.low <= found.share + 1e-12) & (found.share <= found.high + 1e-12)).all()


def test_stays_are_between_moves_and_the_last_is_open() -> None:
    """Two customers: one moved on after 5 and stands since, the other has stood for 7."""
    moves = Moves(np.array([0, 0, 1]), np.array([10, 15, 13]), np.array([-2, 0, -2]), np.array([0, 1, 0]))
    found = stays(moves, 20)
    assert found.length.tolist() == [5, 5, 7]
    assert found.ended.tolist() == [True, False, False]
    assert found.to[0] == 1


def test_quantiles_are_of_type_7_and_none_of_nothing() -> None:
    """Of 1, 2, 3, 4 the median is 2.5 and the upper quartile 3.25."""
    assert quantiles(np.array([1, 2, 3, 4]))[:2] == [2.5, 3.25]
    assert quantiles(np.array([], dtype=np.int64)) == [None, None, None]
