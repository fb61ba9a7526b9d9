"""The ledger as the copy has it: what stands of it, in the order in which it was made."""

from collections import Counter
from itertools import groupby, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics.feed import Entries

NOW = 6

Entry = tuple[int, int, int, int, int, int]
"""As `shared.store.scan.ledger` gives them: version, customer, at, source, target, sign."""


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """Walks of a few customers with many moves at one instant, some entered, taken back and entered again; shuffled."""
    made: list[Entry] = []
    for customer in draw(st.lists(st.integers(10, 14), unique=True)):
        stage, at = -2, 0
        for _ in range(draw(st.integers(0, 8))):
            at = draw(st.integers(at, min(at + 1, NOW + 1)))
            target = draw(st.sampled_from([one for one in range(-1, 3) if one != stage]))
            made += [(1, customer, at, stage, target, sign) for sign in draw(st.sampled_from([(1,), (1, -1, 1)]))]
            stage = target
    return draw(st.permutations(made))


@given(ledgers())
def test_moves_that_stand_are_walks(ledger: list[Entry]) -> None:
    """As many as were made until now, each beginning where the one before it led."""
    entries = Entries()
    entries.add(ledger)
    customers = entries.customers()
    moves = entries.moves(customers, NOW).get(1)
    net = Counter[tuple[int, ...]]()
    for _, customer, at, source, target, sign in ledger:
        net[customer, at, source, target] += sign
    assert customers.tolist() == sorted({move[0] for move in net})
    standing = {move: n for move, n in net.items() if move[1] <= NOW}
    if moves is None:
        assert not standing
        return
    owner = np.asarray(customers)[moves.owner].tolist() if len(moves.owner) else []
    table = list(zip(owner, moves.at.tolist(), moves.source.tolist(), moves.target.tolist(), strict=True))
    assert Counter(table) == standing
    assert [move[:2] for move in table] == sorted(move[:2] for move in table)
    for _, mine in groupby(table, key=lambda move: move[0]):
        walk = list(mine)
        assert walk[0][2] == -2
        assert all(before[3] == after[2] for before, after in pairwise(walk))
