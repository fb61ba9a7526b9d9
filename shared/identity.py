"""Whose touchpoint it is: `resolve` statements to owners. Pure; see docs/semantics.md, section 8.

A device (an anonymous id) belongs at time t to the user of its latest link at or before t, and before its first link to
the user of that one. Users joined by alias are one customer, which the store keeps as one number on their identifiers.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

#: Earlier and later than any touchpoint.
ALWAYS, FOREVER = -(1 << 62), 1 << 62


class Link(NamedTuple):
    """The statement that a device belongs to `owner` (a user's stream) from `at` on; equal stamps are ordered by id."""

    at: int
    id: str
    owner: int


class Slice(NamedTuple):
    """A device belongs to `owner` from `start` to `end`, both inclusive."""

    start: int
    end: int
    owner: int


def slices(links: Iterable[Link]) -> list[Slice]:
    """The owners of a device over time: slices without gaps from ALWAYS to FOREVER; none if there are no links."""
    ordered = sorted(links, key=lambda link: (link.at, link.id.encode()))
    if not ordered:
        return []
    latest = {link.at: link.owner for link in ordered}
    changes = [(ALWAYS, ordered[0].owner), *latest.items()]
    starts = [change for before, change in pairwise([(ALWAYS, -1), *changes]) if change[1] != before[1]]
    ends = [start - 1 for start, _ in starts[1:]] + [FOREVER]
    return [Slice(start, end, owner) for (start, owner), end in zip(starts, ends, strict=True)]


def owner_at(owners: Sequence[Slice], at: int) -> int:
    """The owner at an instant. Raises LookupError if the device was never linked."""
    for part in reversed(owners):
        if part.start <= at:
            return part.owner
    raise LookupError("a device that was never linked has no owner")
