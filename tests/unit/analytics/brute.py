"""Small histories as plain lists, and answers found by trying everything, from docs/definitions.md alone."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise, permutations
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from services.metrics.analytics.columns import Columns

NAMES = ("a", "b", "c", "x")


class Act(NamedTuple):
    """One touchpoint: whose, when, which; its place in the list is its order."""

    owner: int
    at: int
    name: str


def histories(most: int = 14) -> st.SearchStrategy[list[Act]]:
    """A few customers with few instants, so that times tie."""
    act = st.builds(Act, st.integers(0, 2), st.integers(0, 12), st.sampled_from(NAMES))
    return st.lists(act, max_size=most).map(lambda acts: sorted(acts, key=lambda one: (one.owner, one.at)))


def columns(acts: Sequence[Act], customers: int = 3) -> Columns:
    """The same as columns; names are their places in NAMES."""
    return Columns(
        np.arange(customers) + 100,
        np.array([act.owner for act in acts], dtype=np.int64),
        np.array([act.at for act in acts], dtype=np.int64),
        {"name": np.array([NAMES.index(act.name) for act in acts], dtype=np.int32)},
        {"name": NAMES},
    )


def of(acts: Sequence[Act], owner: int) -> list[tuple[int, Act]]:
    """A customer's acts with their places."""
    return [(place, act) for place, act in enumerate(acts) if act.owner == owner]


Allowed = Callable[[int], bool]


def deepest_from(
    acts: list[tuple[int, Act]], start: int, steps: Sequence[str], window: int, without: str, strict: bool
) -> int:
    """The most steps that any choice of rows reaches from this one (its index in `acts`)."""
    rest = range(start + 1, len(acts))
    for depth in range(len(steps), 1, -1):
        for chosen in combinations(rest, depth - 1):
            path = (start, *chosen)
            if [acts[i][1].name for i in path] != list(steps[:depth]):
                continue
            if acts[path[-1]][1].at - acts[start][1].at > window:
                continue
            if any(acts[i][1].name == without for i in range(start + 1, path[-1])):
                continue
            if strict and any(b != a + 1 for a, b in pairwise(path)):
                continue
            return depth
    return 1


def any_order_from(acts: list[tuple[int, Act]], start: int, steps: Sequence[frozenset[str]], window: int) -> int:
    """The most steps that rows of their own stand for, the one at `start` among them."""
    inside = [i for i in range(start, len(acts)) if acts[i][1].at - acts[start][1].at <= window]
    for depth in range(len(steps), 0, -1):
        for chosen in combinations(inside, depth):
            if start in chosen and any(
                all(acts[i][1].name in step for i, step in zip(chosen, order, strict=True))
                for order in permutations(steps, depth)
            ):
                return depth
    return 0
