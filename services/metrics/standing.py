"""A customer's moves that stand, in the order in which they were made. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from typing import Protocol, TypeVar

from shared.journeys.engine import ABSENT
from shared.store.reads import net
from shared.store.rows import LedgerRow


class Step(Protocol):
    """A move from one stage to another."""

    @property
    def source(self) -> int:
        """Where it began."""
        ...

    @property
    def target(self) -> int:
        """Where it led."""
        ...


S = TypeVar("S", bound=Step)


def standing(entries: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The moves that stand, the oldest first, of the entries of one customer in one journey version."""
    ordered, stage = list[LedgerRow](), ABSENT
    for _, group in groupby(reversed(net(entries)), key=lambda row: row.at):
        moves = path(list(group), stage)
        ordered += moves
        stage = moves[-1].target
    return ordered


def path(moves: list[S], stage: int) -> list[S]:
    """The moves of one customer at one instant, each from where the last one led.

    They were recorded at different times, so only their stages tell the order: a path through all of them that
    begins at `stage` (Hierholzer's).
    """
    if len(moves) == 1:
        return moves
    out: dict[int, list[S]] = defaultdict(list)
    for move in reversed(moves):
        out[move.source].append(move)
    walk: list[tuple[int, S | None]] = [(stage, None)]
    found = list[S]()
    while walk:
        here, by = walk[-1]
        if out[here]:
            move = out[here].pop()
            walk.append((move.target, move))
        else:
            walk.pop()
            if by is not None:
                found.append(by)
    return found[::-1] if len(found) == len(moves) else moves
