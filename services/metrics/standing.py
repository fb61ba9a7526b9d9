"""A customer's moves that stand, in the order in which they were made. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

from shared.journeys.engine import ABSENT
from shared.store.reads import net
from shared.store.rows import LedgerRow


def standing(entries: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The moves that stand, the oldest first, of the entries of one customer in one journey version."""
    ordered, stage = list[LedgerRow](), ABSENT
    for _, group in groupby(reversed(net(entries)), key=lambda row: row.at):
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
