"""Shares with what their size is worth (docs/definitions.md, 6)."""

from math import sqrt
from typing import NamedTuple

from services.metrics.analytics.kernels.stays import Z

#: From so many on, a share needs no interval.
ENOUGH = 1_000


class Share(NamedTuple):
    """`part` of `whole`; `share` is None of nothing; `low` and `high` only where `whole` is under ENOUGH."""

    part: int
    whole: int
    share: float | None
    low: float | None = None
    high: float | None = None


def share(part: int, whole: int) -> Share:
    """A share with its 95% score interval (Wilson 1927)."""
    if whole == 0:
        return Share(part, whole, None)
    p = part / whole
    if whole >= ENOUGH:
        return Share(part, whole, p)
    middle = (p + Z * Z / (2 * whole)) / (1 + Z * Z / whole)
    spread = Z / (1 + Z * Z / whole) * sqrt(p * (1 - p) / whole + Z * Z / (4 * whole * whole))
    return Share(part, whole, p, max(0.0, middle - spread), min(1.0, middle + spread))
