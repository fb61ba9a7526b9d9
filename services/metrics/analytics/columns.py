"""Touchpoints as columns, sorted by customer and then as rule 3 orders a history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

#: Stands in a column of codes where a touchpoint has no value.
MISSING = -1


@dataclass(frozen=True)
class Columns:
    """Touchpoints of many customers: row i happened at `at[i]` microseconds to the customer `customers[owner[i]]`.

    Rows are sorted by (owner, at, id). `codes` holds a column of small numbers for each dimension (such as name or
    channel; MISSING for none), `words` what these numbers mean; `amounts` columns of whole numbers that are just that.
    """

    customers: Ints
    owner: Ints
    at: Ints
    codes: Mapping[str, Codes] = field(default_factory=dict)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    amounts: Mapping[str, Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)

    @cached_property
    def starts(self) -> Ints:
        """The first row of each customer, and the number of rows after the last."""
        return np.searchsorted(self.owner, np.arange(len(self.customers) + 1))

    def where(self, mask: Mask) -> "Columns":
        """Only these rows; customers stay numbered as they are, with rows or without."""
        codes = {name: column[mask] for name, column in self.codes.items()}
        amounts = {name: column[mask] for name, column in self.amounts.items()}
        return Columns(self.customers, self.owner[mask], self.at[mask], codes, self.words, amounts)

    def after(self, owner: Ints, at: Ints) -> Ints:
        """For each (whose, when) the first row of that customer after the instant, or the next customer's first."""
        low, high = self.starts[owner], self.starts[owner + 1]
        # Rows are sorted by (owner, at): it is found by halving.
        while (open_ := low < high).any():
            middle = (low + high) // 2
            before = open_ & (self.at[np.minimum(middle, len(self) - 1)] <= at)
            low, high = np.where(before, middle + 1, low), np.where(open_ & ~before, middle, high)
        return low

    def has(self, dimension: str, *values: str) -> Mask:
        """Which rows have one of these values."""
        words = self.words[dimension]
        wanted = [number for number, word in enumerate(words) if word in values]
        return np.isin(self.codes[dimension], wanted)


def following(mask: Mask) -> Ints:
    """For each row, and one past the last, the first row from it on of which the mask is true; len(mask) if none is."""
    count = len(mask)
    found = np.full(count + 1, count, dtype=np.int64)
    found[:count] = np.where(mask, np.arange(count), count)
    return np.minimum.accumulate(found[::-1])[::-1]


def first_of(owner: Ints, *keys: NDArray[Any]) -> Ints:
    """The index of each owner's least element by these keys, the first key first; owners in their order."""
    if len(keys) == 1 and _in_order(owner, keys[0]):
        return np.flatnonzero(_heads(owner))  # as columns are: nothing is to be sorted
    order = np.lexsort((*reversed(keys), owner))
    return order[_heads(owner[order])]


def distinct(values: Ints) -> Ints:
    """The values, each once, in their order. On millions `np.unique` is many times slower: it hashes them."""
    ordered = np.sort(values)
    return ordered[_heads(ordered)]


def _heads(ordered: Ints) -> Mask:
    """Where another value begins."""
    heads = np.ones(len(ordered), dtype=np.bool_)
    heads[1:] = ordered[1:] != ordered[:-1]
    return heads


def _in_order(owner: Ints, key: NDArray[Any]) -> bool:
    before, after = owner[:-1], owner[1:]
    return not ((after < before) | ((after == before) & (key[1:] < key[:-1]))).any()
