"""How long stages are held (docs/definitions.md, section 7): completed stays, and Kaplan–Meier with the open ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.analytics.columns import Ints, Mask

Floats = NDArray[np.float64]

#: The normal distribution's quantile for 95%.
Z = 1.959963984540054


@dataclass(frozen=True)
class Moves:
    """Moves in one journey's version, sorted by customer and then in the order in which they were made.

    What a correction took back is not among them. −1 is `none`, −2 absent.
    """

    owner: Ints
    at: Ints
    source: Ints
    target: Ints


@dataclass(frozen=True)
class Stays:
    """Every time that a stage was held: whose, which, from when, for how long so far (µs), and whether it has ended."""

    owner: Ints
    stage: Ints
    began: Ints
    length: Ints
    ended: Mask
    to: Ints  #: where it was left to; meaningless while it has not


@dataclass(frozen=True)
class Survival:
    """The share still there after each time (µs) at which somebody left, with a 95% interval."""

    time: Ints
    at_risk: Ints
    left: Ints
    share: Floats
    low: Floats
    high: Floats

    @property
    def median(self) -> int | None:
        """The first time at which half or fewer are left; None if that is not reached."""
        below = np.flatnonzero(self.share <= 0.5 + 1e-12)
        return int(self.time[below[0]]) if len(below) else None


def stays(moves: Moves, now: int) -> Stays:
    """The stays that moves make up; the last of each customer is open at `now`."""
    last = np.ones(len(moves.owner), dtype=np.bool_)
    last[:-1] = moves.owner[1:] != moves.owner[:-1]
    until = np.where(last, now, np.append(moves.at[1:], now))
    to = np.where(last, moves.target, np.append(moves.target[1:], 0))
    return Stays(moves.owner, moves.target, moves.at, until - moves.at, ~last, to)


def quantiles(lengths: Ints, shares: tuple[float, ...] = (0.5, 0.75, 0.9)) -> list[float | None]:
    """Of completed stays, by linear interpolation (type 7 of Hyndman and Fan 1996)."""
    if not len(lengths):
        return [None] * len(shares)
    return [float(one) for one in np.quantile(lengths, shares)]


def survival(length: Ints, ended: Mask) -> Survival:
    """Kaplan and Meier's estimate (1958); events come before censorings of the same length.

    The interval is Greenwood's variance on the scale of log(−log S) (Kalbfleisch and Prentice 2002, section 1.4).
    """
    order = np.argsort(length, kind="stable")
    sorted_length, sorted_ended = length[order], ended[order]
    time, first = np.unique(sorted_length, return_index=True)
    at_risk = len(length) - first
    left = np.add.reduceat(sorted_ended.astype(np.int64), first) if len(time) else np.zeros(0, dtype=np.int64)
    time, at_risk, left = time[left > 0], at_risk[left > 0], left[left > 0]
    share: Floats = np.cumprod(1 - left / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(left / (at_risk * (at_risk - left)))
        spread = Z * np.sqrt(variance) / np.log(share)
        low, high = share ** np.exp(-spread), share ** np.exp(spread)
    certain = share <= 0
    low, high = np.where(certain, 0.0, low), np.where(certain, 0.0, high)
    return Survival(time, at_risk, left, share, np.minimum(low, high), np.maximum(low, high))
