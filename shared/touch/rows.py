"""Rows of a table: the first row that a touchpoint meets in all its keys gives the value."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
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
        return any(text in self.texts or any(pattern.search(text) for pattern in self.patterns) for text in found)


class Row(NamedTuple):
    """A value, and the tests that must all hold for it."""

    value: str
    tests: tuple[Test, ...]


def first(rows: Iterable[Row], look: Look) -> str | None:
    """The value of the first row whose tests all hold."""
    for row in rows:
        for test in row.tests:
            if not test.holds(look(test.key)):
                break
        else:
            return row.value
    return None


def narrow(rows: Iterable[Row], known: Mapping[str, Collection[str]]) -> list[Row]:
    """The rows that may be the first to hold where the texts under some keys are known, without the tests of these."""
    found = []
    for row in rows:
        if all(test.holds(known[test.key]) for test in row.tests if test.key in known):
            left = tuple(test for test in row.tests if test.key not in known)
            found.append(row if len(left) == len(row.tests) else Row(row.value, left))
            if not left:
                break
    return found
