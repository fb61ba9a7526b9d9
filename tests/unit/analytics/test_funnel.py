"""Funnels as the kernels count them are those found by trying every choice of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics.kernels.funnel import any_order, ordered
from tests.unit.analytics.brute import NAMES, Act, any_order_from, columns, deepest_from, histories, of

STEPS = st.lists(st.sampled_from(NAMES[:3]), min_size=1, max_size=3)


@given(histories(), STEPS, st.integers(0, 12), st.booleans(), st.booleans())
def test_ordered_funnels_reach_as_far_as_any_choice_of_rows(
    acts: list[Act], steps: list[str], window: int, strict: bool, excluding: bool
) -> None:
    """Depth and start are those of the best start, whatever ties in time, repeats of steps and exclusions there are."""
    made, without = columns(acts), "x" if excluding else ""
    found = ordered(
        made,
        [made.has("name", step) for step in steps],
        window,
        np.ones(len(made), dtype=np.bool_),
        without=made.has("name", without) if excluding else None,
        strict=strict,
    )
    expected = {}
    for owner in range(3):
        mine = of(acts, owner)
        starts = [
            (-deepest_from(mine, i, steps, window, without, strict), mine[i][0])
            for i in range(len(mine))
            if mine[i][1].name == steps[0]
        ]
        if starts:
            depth, row = min(starts)
            expected[owner] = (-depth, row)
    got = zip(found.owner.tolist(), found.depth.tolist(), found.rows[:, 0].tolist(), strict=True)
    assert {owner: (depth, row) for owner, depth, row in got} == expected


@given(histories(), STEPS, st.integers(0, 12))
def test_a_path_is_one_of_its_steps_in_order(acts: list[Act], steps: list[str], window: int) -> None:
    """The rows told are of the customer, in order, each matches its step, and the last is within the window."""
    made = columns(acts)
    found = ordered(made, [made.has("name", step) for step in steps], window, np.ones(len(made), dtype=np.bool_))
    for owner, depth, rows in zip(found.owner.tolist(), found.depth.tolist(), found.rows.tolist(), strict=True):
        path = [row for row in rows if row >= 0]
        assert len(path) == depth
        assert path == sorted(set(path))
        assert [acts[row].name for row in path] == steps[:depth]
        assert {acts[row].owner for row in path} == {owner}
        assert acts[path[-1]].at - acts[path[0]].at <= window


@given(
    histories(9),
    st.lists(st.frozensets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=3),
    st.integers(0, 12),
)
def test_any_order_gives_each_step_a_row_of_its_own(acts: list[Act], steps: list[frozenset[str]], window: int) -> None:
    """Steps that share names are matched so that as many as can be have a row each."""
    made = columns(acts)
    found = any_order(made, [made.has("name", *step) for step in steps], window, np.ones(len(made), dtype=np.bool_))
    expected = {}
    for owner in range(3):
        mine = of(acts, owner)
        starts = [
            (-any_order_from(mine, i, steps, window), mine[i][0])
            for i in range(len(mine))
            if any(mine[i][1].name in step for step in steps)
        ]
        if starts:
            expected[owner] = -min(starts)[0]
    assert dict(zip(found.owner.tolist(), found.depth.tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    ("acts", "options", "rows"),
    [
        ("ac", {"optional": [False, True, False]}, [0, -1, 1]),
        ("abc", {"optional": [False, True, False]}, [0, 1, 2]),
        ("bc", {"opened": True}, [-1, 0, 1]),
        ("aab", {"first": True}, [0, 2, -1]),
        ("axb", {"strict": True}, [0, -1, -1]),
    ],
)
def test_options(acts: str, options: dict[str, object], rows: list[int]) -> None:
    """Optional steps, open funnels, first starts and neighbours, each in the smallest history that shows it."""
    made = columns([Act(0, number, name) for number, name in enumerate(acts)])
    steps = [made.has("name", name) for name in "abc"]
    found = ordered(made, steps, None, np.ones(len(made), dtype=np.bool_), **options)  # type: ignore[arg-type]  # one at a time
    assert found.rows.tolist() == [rows]


def test_the_window_is_inclusive_and_runs_past_the_period() -> None:
    """Only the first step must lie in the period; the last instant of the window counts."""
    acts = [Act(0, 0, "a"), Act(0, 10, "b"), Act(1, 0, "a"), Act(1, 11, "b")]
    made = columns(acts)
    found = ordered(made, [made.has("name", "a"), made.has("name", "b")], 10, made.at <= 5)
    assert found.depth.tolist() == [2, 1]
