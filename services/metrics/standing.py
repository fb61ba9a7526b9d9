"""A customer's ledger as it stands: reversed moves left out, the rest in the order in which they were made. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

from shared.journeys.engine import ABSENT
from shared.store.port import LedgerRow


def standing(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The moves that stand, of the entries of one customer in one journey version.

    Where a move was entered, reversed and entered again, the last entry of it is the one that stands.
    """
    entered: dict[tuple[int, int, int], list[LedgerRow]] = defaultdict(list)
    reversed_: dict[tuple[int, int, int], int] = defaultdict(int)
    for row in rows:
        fact = row.at, row.source, row.target
        if row.sign > 0:
            entered[fact].append(row)
        else:
            reversed_[fact] += 1
    left = [
        row
        for fact, entries in entered.items()
        for row in sorted(entries, key=lambda row: (row.recorded, row.seq))[reversed_[fact] :]
    ]
    left.sort(key=lambda row: (row.at, row.recorded, row.seq))
    ordered, stage = list[LedgerRow](), ABSENT
    for _, group in groupby(left, key=lambda row: row.at):
        moves = _path(list(group), stage)
        ordered += moves
        stage = moves[-1].target
    return ordered


def _path(moves: list[LedgerRow], stage: int) -> list[LedgerRow]:
    """The moves of one instant, each from where the last one led.

    They were recorded at different times, so only their stages tell the order: a path through all of them that
    begins at `stage` (Hierholzer's).
    """
    if len(moves) == 1:
        return moves
    out: dict[int, list[LedgerRow]] = defaultdict(list)
    for move in reversed(moves):
        out[move.source].append(move)
    walk: list[tuple[int, LedgerRow | None]] = [(stage, None)]
    path = list[LedgerRow]()
    while walk:
        here, by = walk[-1]
        if out[here]:
            move = out[here].pop()
            walk.append((move.target, move))
        else:
            walk.pop()
            if by is not None:
                path.append(by)
    return path[::-1] if len(path) == len(moves) else moves
