"""New, leaving, back, skipped and looped, against going through each customer's moves one by one."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics.kernels.movements import customers, entries, marked
from services.metrics.analytics.kernels.stays import Moves

#: Stages 0 to 3 are in order, 4 and 5 beside it.
ORDERED, STAGES, PERIODS = 4, 6, 3

Move = tuple[int, int, int, int]
"""Whose, in which period, from where, to where."""


@st.composite
def walks(draw: st.DrawFn) -> list[Move]:
    """Walks of a few customers from absent on, to `none` and to any stage but the one they are in."""
    made = []
    for owner in range(draw(st.integers(0, 3))):
        stage, period = -2, 0
        for _ in range(draw(st.integers(0, 7))):
            target = draw(st.sampled_from([one for one in range(-1, STAGES) if one != stage]))
            period = draw(st.integers(period, PERIODS))  # the last one is after the periods asked about
            made.append((owner, period, stage, target))
            stage = target
    return made


def _kinds(walk: list[Move]) -> list[set[str]]:
    """What each move of all walks is, by the words of definition 9."""
    kinds = []
    for place, (owner, _, source, target) in enumerate(walk):
        before = [move for move in walk[:place] if move[0] == owner]
        seen = {move[3] for move in before if move[3] >= 0}
        found = {"leaving"} if source >= 0 else set()
        if target >= 0:
            found.add("back" if target in seen else "new")
            found |= set() if seen else {"joined"}
        place_held = [-1, *(move[3] for move in before if move[3] < ORDERED)][-1]
        if target < ORDERED and any(stage not in seen for stage in range(place_held + 1, target)):
            found.add("skipped")
        kinds.append(found)
    return kinds


def _moves(walk: list[Move]) -> Moves:
    table = np.array(walk, dtype=np.int64).reshape(len(walk), 4)
    return Moves(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


@given(walks())
def test_each_move_is_what_the_definition_calls_it(walk: list[Move]) -> None:
    """First entries, later ones, those past a stage not entered before, the first of all, and departures."""
    found = marked(_moves(walk), ORDERED)
    for place, kinds in enumerate(_kinds(walk)):
        assert {name for name, mask in vars(found).items() if mask[place]} == kinds


@given(walks())
def test_counts_are_of_customers_or_of_entries_by_period_and_stage(walk: list[Move]) -> None:
    """Who left a stage twice is one who left; who came back twice has looped; entries are counted each."""
    moves, kinds = _moves(walk), _kinds(walk)
    found, shape = marked(moves, ORDERED), (PERIODS, STAGES)
    left, back = Counter[Move](), Counter[Move]()
    for (owner, period, source, target), what in zip(walk, kinds, strict=True):
        if period < PERIODS:
            left[owner, period, source, 0] += "leaving" in what
            back[owner, period, target, 0] += "back" in what

    def by_cell(counted: Counter[Move], least: int) -> dict[tuple[int, int], int]:
        return dict(Counter((one[1], one[2]) for one, n in counted.items() if n >= least))

    def cells(table: np.ndarray) -> dict[tuple[int, int], int]:
        return {(int(p), int(s)): int(table[p, s]) for p, s in np.argwhere(table)}

    assert cells(customers(moves, found.leaving, moves.source, moves.at, shape)) == by_cell(left, 1)
    assert cells(customers(moves, found.back, moves.target, moves.at, shape, 2)) == by_cell(back, 2)
    total = Counter[tuple[int, int]]()
    for (_, period, stage, _), n in back.items():
        total[period, stage] += n
    assert cells(entries(found.back, moves.target, moves.at, shape)) == {cell: n for cell, n in total.items() if n}


def test_a_stage_passed_over_after_being_away_beside_the_order() -> None:
    """From the first stage to the side and on to the third: the second was skipped; to the fourth next, nothing is."""
    walk = [(0, 0, -2, 0), (0, 0, 0, 4), (0, 0, 4, 2), (0, 0, 2, 3)]
    assert marked(_moves(walk), ORDERED).skipped.tolist() == [False, False, True, False]
