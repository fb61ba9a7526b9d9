"""Visits, derived and not sent (docs/definitions.md, section 5)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.analytics.columns import MISSING, Codes, Columns, Ints, Mask, distinct
from services.metrics.analytics.intervals import Share, share
from services.metrics.analytics.kernels import paths
from services.metrics.analytics.kernels.stays import quantiles
from shared.events import SECOND

#: Less engagement than this in a visit of one page is a bounce.
ENGAGED = 10 * SECOND
#: Types of touchpoints that are a customer's own acts, and those of them that are pages.
ACTS, PAGES = ("page", "screen", "track"), ("page", "screen")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Visits:
    """Visits in the order of (owner, beginning); times in microseconds. `acts` are the rows they are made of."""

    owner: Ints
    began: Ints
    length: Ints
    pages: Ints
    bounced: Mask
    new: Mask
    acts: Columns
    number: Ints  #: the visit of each act

    def first(self, dimension: str) -> Codes:
        """For each visit the value of its first act that has one; MISSING if none has."""
        codes = self.acts.codes[dimension]
        rows = np.flatnonzero(codes >= 0)[::-1]  # of what is written twice the last stays: the first
        found = np.full(len(self.owner), MISSING, dtype=np.int32)
        found[self.number[rows]] = codes[rows]
        return found


@dataclass(frozen=True)
class Told:
    """What is said of some visits; times in microseconds, None of no visits."""

    visits: int
    visitors: int
    new: int
    returning: int
    bounces: Share
    mean_length: float | None
    median_length: float | None
    pages: float | None


def visits(columns: Columns, gap: int) -> Visits:
    """All visits; a gap of acts longer than `gap` microseconds ends one."""
    acts = columns.where(columns.has("type", *ACTS) & ~columns.has("direction", "to"))
    number = paths.visits(acts.owner, acts.at, gap)
    begins = np.flatnonzero(np.append(True, number[1:] != number[:-1])) if len(number) else number
    ends = np.append(begins[1:], len(number)) - 1 if len(number) else number
    count = len(begins)
    pages = np.bincount(number[acts.has("type", *PAGES)], minlength=count)
    engaged = np.bincount(number, weights=acts.amounts["engaged"], minlength=count)
    bounced: Mask = (ends == begins) & (pages == 1) & (engaged < ENGAGED)
    owner = acts.owner[begins]
    new = np.append(True, owner[1:] != owner[:-1]) if count else owner > 0
    began = acts.at[begins]
    return Visits(owner, began, acts.at[ends] - began, pages, bounced, new, acts, number)


def told(found: Visits, mask: Mask) -> Told:
    """Of the visits of which the mask is true."""
    count, new = int(mask.sum()), int((mask & found.new).sum())
    lengths = found.length[mask]
    return Told(
        count,
        len(distinct(found.owner[mask])),
        new,
        count - new,
        share(int((mask & found.bounced).sum()), count),
        float(lengths.mean()) if count else None,
        quantiles(lengths, (0.5,))[0],
        float(found.pages[mask].mean()) if count else None,
    )
