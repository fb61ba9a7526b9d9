"""The ledger as it stands: reversals taken out, the moves of one instant in the order in which they were made."""

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.standing import standing
from shared.journeys.engine import ABSENT, NONE
from shared.store.rows import LATE, LIVE, LedgerRow


def entry(
    at: int, source: int, target: int, seq: int, sign: int = 1, cause: int = LIVE, recorded: int = 0
) -> LedgerRow:
    """An entry of one customer."""
    return LedgerRow(1, 1, 7, at, source, target, cause, recorded or seq, sign, 0, seq)


def test_a_reversed_move_does_not_stand() -> None:
    """What was reversed is gone, and what was entered instead stands."""
    rows = [entry(5, ABSENT, 0, 1), entry(5, ABSENT, 0, 2, sign=-1), entry(3, ABSENT, NONE, 3), entry(5, NONE, 0, 4)]
    assert [row.seq for row in standing(rows)] == [3, 4]


def test_a_move_entered_again_stands_by_its_last_entry() -> None:
    """Entered, reversed and entered again: it stands once, with the cause of the last."""
    rows = [entry(5, ABSENT, 0, 1), entry(5, ABSENT, 0, 2, sign=-1, cause=LATE), entry(5, ABSENT, 0, 3, cause=LATE)]
    assert [(row.seq, row.cause) for row in standing(rows)] == [(3, LATE)]


def test_moves_of_one_instant_follow_each_other_whenever_they_were_recorded() -> None:
    """A late touchpoint put a move before one of the same instant that had been recorded already."""
    rows = [entry(5, 0, 1, 1), entry(1, ABSENT, NONE, 2), entry(5, NONE, 0, 3)]
    assert [(row.source, row.target) for row in standing(rows)] == [(ABSENT, NONE), (NONE, 0), (0, 1)]


@given(st.lists(st.integers(NONE, 3), max_size=12), st.lists(st.booleans(), min_size=12, max_size=12), st.randoms())
def test_every_history_reads_as_one_path(stages: list[int], later: list[bool], luck: Random) -> None:
    """Whatever order its entries were recorded in, a history reads from absent on without a break, by time."""
    path = [ABSENT, *[stage for before, stage in pairwise([ABSENT, *stages]) if stage != before]]
    at, moves = 0, list[tuple[int, int, int]]()
    for (source, target), moved in zip(pairwise(path), later, strict=False):
        at += moved
        moves.append((at, source, target))
    shuffled = list(moves)
    luck.shuffle(shuffled)
    found = standing(entry(*move, seq) for seq, move in enumerate(shuffled, 1))
    assert sorted((row.at, row.source, row.target) for row in found) == sorted(moves)
    assert [row.at for row in found] == sorted(row.at for row in found)
    assert all(before.target == row.source for before, row in pairwise(found))
