"""Rows of a table: the first row that a touchpoint meets in all its keys gives the value."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

Look = Callable[[str], Collection[str]]
"""The folded texts that a touchpoint has under a key; none if it has nothing there."""


class Test(NamedTuple):
    """What one key of a row asks for: one of the texts, a match of one of the patterns; neither: anything at all."""

    key: str
    texts: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]

    def holds(self, found: Collection[str]) -> bool:
        """Whether one of the texts found is asked for."""
        if not found:
            return False
        if not self.texts and not self.patterns:
            return True
        for text in found:
            if text in self.texts:
                return True
            for pattern in self.patterns:  # any() would make a generator for each row of each table
                if pattern.search(text):
                    return True
        return False


class Row(NamedTuple):
    """A value, and the tests that must all hold for it."""

    value: str
    tests: tuple[Test, ...]


Grouped = tuple[tuple[str, tuple[Row, ...]], ...]
"""Rows in their order; those that stand together and ask for one key first are under it ("": for none at all)."""


def grouped(rows: Iterable[Row]) -> Grouped:
    """The rows as `first` takes them: where a touchpoint has nothing under a key, all rows of it are passed over."""
    groups = groupby(rows, lambda row: row.tests[0].key if row.tests else "")
    return tuple((key, tuple(under)) for key, under in groups)


def first(groups: Grouped, look: Look) -> str | None:
    """The value of the first row whose tests all hold."""
    for key, rows in groups:
        found = look(key) if key else ()
        if key and not found:
            continue
        for row in rows:
            for test in row.tests:
                if not test.holds(found if test.key == key else look(test.key)):
                    break
            else:
                return row.value
    return None


def possible(groups: Grouped) -> frozenset[str | None]:
    """All that `first` may come to."""
    values: set[str | None] = {row.value for _, rows in groups for row in rows}
    certain = groups and not groups[-1][0]
    return frozenset(values if certain else values | {None})


def narrow(rows: Iterable[Row], known: Mapping[str, Collection[str]]) -> Grouped:
    """The rows that may be the first to hold where the texts under some keys are known, without the tests of these."""
    found = []
    for row in rows:
        if all(test.holds(known[test.key]) for test in row.tests if test.key in known):
            left = tuple(test for test in row.tests if test.key not in known)
            found.append(row if len(left) == len(row.tests) else Row(row.value, left))
            if not left:
                break
    return grouped(found)
