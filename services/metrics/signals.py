"""What a journey's moves say: who converted, who is leaving, who came back, which stages leak. Pure.

Moves are given as how many there were, by (source, target, cause), stages by number and the cause by its number as
stored. Every count that a definition can have is there from the start, at 0, so that its first rise is seen.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.journeys.engine import ABSENT, NONE
from shared.journeys.model import Definition
from shared.store.rows import CAUSES, LIVE, TIMER

#: What a stage means that customers leave by.
LEAVING = frozenset({"at-risk", "churned", "lapsed"})

Moves = Mapping[tuple[int, int, int], int]
Counts = dict[tuple[str, ...], float]


class Signals(NamedTuple):
    """Moves by cause (last): of each pair that converts, into and out of each meaning, out of each stage that leaks."""

    conversions: Counts
    churn: Counts
    win_backs: Counts
    leaks: Counts


def signals(definition: Definition, moves: Moves) -> Signals:
    """What the moves of one version of a journey say, by its definition."""
    numbers = definition.numbers()
    pairs = {(numbers[one.source], numbers[one.target]): (one.source, one.target) for one in definition.conversions}
    means = {number: _meaning(definition, number) for number in range(len(definition.stages))}
    meant = sorted({meaning for meaning in means.values() if meaning})
    ordered = [stage.name for stage in definition.stages[: definition.ordered]]
    found = Signals(
        _begun(pairs.values()),
        _begun((meaning,) for meaning in meant),
        _begun((meaning,) for meaning in meant),
        _begun((name,) for name in ordered),
    )
    for (source, target, cause), n in moves.items():
        by, left, reached = CAUSES[cause], means.get(source, ""), means.get(target, "")
        if (pair := pairs.get((source, target))) is not None:
            _add(found.conversions, (*pair, by), n)
        if reached and reached != left:
            _add(found.churn, (reached, by), n)
        if left and not reached and target >= 0 and cause != TIMER:
            _add(found.win_backs, (left, by), n)
        if 0 <= source < definition.ordered and (reached or target == NONE or ABSENT < target < source):
            _add(found.leaks, (ordered[source], by), n)
    return found


def _meaning(definition: Definition, number: int) -> str:
    """How customers leave by this stage; empty: they do not."""
    means = definition.stages[number].means
    return means if means in LEAVING else ""


def _begun(keys: Iterable[tuple[str, ...]]) -> Counts:
    return {(*key, CAUSES[cause]): 0.0 for key in keys for cause in (LIVE, TIMER)}


def _add(counts: Counts, key: tuple[str, ...], n: int) -> None:
    counts[key] = counts.get(key, 0.0) + n
