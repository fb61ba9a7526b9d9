"""Carts: which are bought, which abandoned, and after what (docs/definitions.md, 19)."""

from dataclasses import dataclass

import numpy as np

from services.metrics.analytics.columns import Columns, Ints, Mask, following
from services.metrics.analytics.intervals import Share, share
from services.metrics.analytics.kernels import paths

#: Names of last touchpoints that are told of those abandoned.
NAMED = 10


@dataclass(frozen=True)
class Carts:
    """Every cart: whose, from when on, the row of its last touchpoint, and that of the purchase (−1: none).

    `open` ones are not bought, and may still be.
    """

    owner: Ints
    began: Ints
    last: Ints
    purchase: Ints
    open: Mask

    def of(self, mask: Mask) -> "Carts":
        """Some of them."""
        return Carts(self.owner[mask], self.began[mask], self.last[mask], self.purchase[mask], self.open[mask])


@dataclass(frozen=True)
class Told:
    """How many; of those decided, how many were abandoned; the median time to the purchase (µs); and the names of the
    last touchpoints within the window of those abandoned, the most frequent first."""

    carts: int
    customers: int
    bought: int
    open: int
    abandoned: Share
    median: float | None
    after: list[tuple[str, int]]


def carts(columns: Columns, acts: Mask, cart: Mask, purchase: Mask, gap: int, window: int, now: int) -> Carts:
    """Touchpoints of one visit with no purchase between them are one cart; what is both is a purchase."""
    cart = cart & ~purchase
    visited = np.flatnonzero(acts | cart | purchase)
    visit = np.full(len(columns), -1, dtype=np.int64)
    visit[visited] = paths.visits(columns.owner[visited], columns.at[visited], gap)
    rows = np.flatnonzero(cart)
    bought = np.cumsum(purchase)[rows]
    begins = np.ones(len(rows), dtype=np.bool_)
    begins[1:] = (visit[rows[1:]] != visit[rows[:-1]]) | (bought[1:] != bought[:-1])
    first = rows[begins]
    last = rows[np.append(begins[1:], True)] if len(rows) else rows
    owner, until = columns.owner[last], columns.at[last] + window
    found = following(purchase)[last]
    inside = np.minimum(found, len(columns) - 1)
    reached = (found < len(columns)) & (columns.owner[inside] == owner) & (columns.at[inside] <= until)
    return Carts(owner, columns.at[first], last, np.where(reached, found, -1), ~reached & (until >= now))


def told(columns: Columns, found: Carts, window: int) -> Told:
    """What is said of them."""
    bought = found.purchase >= 0
    left = ~bought & ~found.open
    times = columns.at[found.purchase[bought]] - columns.at[found.last[bought]]
    return Told(
        len(found.owner),
        len(np.unique(found.owner)),
        int(bought.sum()),
        int(found.open.sum()),
        share(int(left.sum()), int(left.sum()) + int(bought.sum())),
        float(np.median(times)) if len(times) else None,
        _after(columns, found.of(left), window),
    )


def _after(columns: Columns, left: Carts, window: int) -> list[tuple[str, int]]:
    last = columns.after(left.owner, columns.at[left.last] + window) - 1
    names, count = np.unique(columns.codes["name"][last], return_counts=True)
    order = np.argsort(-count, kind="stable")[:NAMED]
    words = columns.words["name"]
    return [("" if names[i] < 0 else words[names[i]], int(count[i])) for i in order]
