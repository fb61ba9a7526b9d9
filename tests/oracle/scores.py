"""Rule 54: points, in fractions."""

from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any

from tests.oracle.aggregates import MILLION, compare
from tests.oracle.predicates import satisfies
from tests.oracle.reading import Reading
from tests.oracle.times import microseconds

STEPS = 40
QUARTERS = 4


def step(body: dict[str, Any]) -> int:
    """The length of a step, in µs, rounded up."""
    return -(-microseconds(body["half_life"]) // QUARTERS)


@cache
def faded(steps: int) -> Fraction:
    """D(k): `2^(−k/4)` in millionths. Only every fourth is a fraction, so that none but those could be a half."""
    if steps >= STEPS:
        return Fraction(0)
    if steps % QUARTERS == 0:
        return Fraction(round(Fraction(MILLION, 2 ** (steps // QUARTERS))), MILLION)
    # The fourth root of 10^24 / 2^k, doubled to be rounded: of 16 · 10^24 / 2^k, in whole numbers.
    doubled = isqrt(isqrt(16 * MILLION**4 // 2**steps))
    return Fraction((doubled + 1) // 2, MILLION)


def entry(reading: Reading, body: dict[str, Any], one: dict[str, Any]) -> Fraction:
    """What one entry of `of` adds."""
    total = Fraction(0)
    for touchpoint in reading.matching(one["touchpoint"]):
        points = Fraction(str(one["points"]))
        if "half_life" in body:
            points *= faded(reading.now // step(body) - touchpoint["t"] // step(body))
        total += points
    if "cap" in one:
        cap = Fraction(str(one["cap"]))
        total = max(-cap, min(cap, total))
    return total


def score(reading: Reading, body: dict[str, Any]) -> bool:
    """Whether the comparison holds of all points."""
    total = sum((entry(reading, body, one) for one in body.get("of", [])), Fraction(0))
    traits = reading.traits()
    for one in body.get("traits", []):
        if all(satisfies(traits.get(name), predicate) for name, predicate in one["trait"].items()):
            total += Fraction(str(one["points"]))
    return compare(total, body)
