"""By what customers differ, at a moment that is named (docs/definitions.md, 5)."""

from typing import Literal, NamedTuple

import numpy as np

from services.metrics.analytics.columns import MISSING, Columns, Ints

Moment = Literal["acquired", "entered", "latest"]

#: Values that are named, the most frequent; the rest are one.
NAMED = 50
UNKNOWN, OTHER = "unknown", "other"


class Groups(NamedTuple):
    """A group's number for each of many members, and the groups' names; together they are all of them."""

    group: Ints
    names: tuple[str, ...]


def acquired(columns: Columns, dimension: str) -> Ints:
    """For each customer the value of their first touchpoint that has one; MISSING if none has."""
    return _by_owner(columns, dimension, np.arange(len(columns)), first=True)


def latest(columns: Columns, dimension: str, until: int | None = None) -> Ints:
    """For each customer the value of their last touchpoint, up to an instant, that has one; MISSING if none has."""
    rows = np.arange(len(columns)) if until is None else np.flatnonzero(columns.at <= until)
    return _by_owner(columns, dimension, rows, first=False)


def entered(columns: Columns, dimension: str, owner: Ints, at: Ints) -> Ints:
    """For each entry (whose, when) the value then: of the last touchpoint up to that instant that has one."""
    codes = columns.codes[dimension]
    if not len(codes):
        return np.full(len(owner), MISSING, dtype=np.int64)
    begins, after = columns.starts[owner], columns.after(owner, at)
    given = np.maximum.accumulate(np.where(codes >= 0, np.arange(len(codes)), -1))
    row = np.where(after > begins, given[np.maximum(after - 1, 0)], -1)
    found: Ints = np.where(row >= begins, codes[np.maximum(row, 0)], MISSING).astype(np.int64)
    return found


def groups(codes: Ints, words: tuple[str, ...]) -> Groups:
    """The most frequent values by their names; the rest, and those without a value, are groups of their own."""
    values, count = np.unique(codes[codes >= 0], return_counts=True)
    order = np.argsort(-count, kind="stable")[:NAMED]
    named = values[order]
    names = [words[value] for value in named]
    table = np.full(len(words) + 1, len(named), dtype=np.int64)  # the last place stands for MISSING
    table[named] = np.arange(len(named))
    rest = len(values) > len(named)
    if rest:
        names.append(OTHER)
    table[MISSING] = len(names)
    if (codes < 0).any():
        names.append(UNKNOWN)
    return Groups(table[codes], tuple(names))


def _by_owner(columns: Columns, dimension: str, rows: Ints, *, first: bool) -> Ints:
    codes = columns.codes[dimension]
    rows = rows[codes[rows] >= 0]
    found = np.full(len(columns.customers), MISSING, dtype=np.int64)
    ordered = rows[::-1] if first else rows  # of what is written twice the last stays
    found[columns.owner[ordered]] = codes[ordered]
    return found
