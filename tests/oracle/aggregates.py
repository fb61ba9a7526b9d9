"""Rules 9 to 11 and 49 to 52: numbers of and in the touchpoints that match."""

from fractions import Fraction
from typing import Any

from tests.oracle.history import Touchpoint
from tests.oracle.periods import period_of
from tests.oracle.predicates import compared, find, identity, is_number
from tests.oracle.reading import Reading
from tests.oracle.times import microseconds

COMPARISONS = ("at_least", "at_most", "more_than", "fewer_than", "exactly")
COUNTED = ("count", "distinct")
MEASURED = ("sum", "average", "least", "greatest")
AGGREGATES = (*COUNTED, *MEASURED)
BUCKETS = 30
MILLION = 1_000_000


def compare(number: int | Fraction, body: dict[str, Any]) -> bool:
    """Whether the number satisfies the one comparison given in the body of a condition."""
    (comparison,) = [key for key in COMPARISONS if key in body]
    return compared(number, comparison, Fraction(str(body[comparison])))


def bucket(body: dict[str, Any]) -> int:
    """Rule 11: the length of a window's buckets, in µs, rounded up."""
    return -(-microseconds(body["within"]) // BUCKETS)


def age(reading: Reading, body: dict[str, Any], touchpoint: Touchpoint) -> int:
    """How many buckets ago a touchpoint was."""
    length = bucket(body)
    return int(reading.now // length - touchpoint["t"] // length)


def period(definition: dict[str, Any], zone: str, body: dict[str, Any], instant: int) -> tuple[int, int]:
    """Rule 50: the first instant of the period of an instant, and of the one after."""
    calendar = definition.get("calendar", {})
    week, months = calendar.get("week", "monday"), calendar.get("months", "gregorian")
    return period_of(instant, body["during"], week, months, zone)


def counts(reading: Reading, kind: str, body: dict[str, Any], touchpoint: Touchpoint) -> bool:
    """Whether an aggregate looks at this touchpoint now, if it matches."""
    if "during" in body:
        return bool(touchpoint["t"] >= period(reading.definition, reading.zone, body, reading.now)[0])
    if "since" in body:
        return reading.since_entry(touchpoint)
    if "within" not in body:
        return True
    if kind in COUNTED:
        return bool(touchpoint["t"] >= reading.now - microseconds(body["within"]))
    return age(reading, body, touchpoint) < BUCKETS


def aggregate(reading: Reading, kind: str, body: dict[str, Any]) -> bool:
    """Whether the comparison holds of what the touchpoints come to."""
    counted = [one for one in reading.matching(body["of"]) if counts(reading, kind, body, one)]
    if kind == "count":
        return compare(len(counted), body)
    given = [find(one["properties"], body["property"]) for one in counted]
    if kind == "distinct":
        return compare(len({identity(value) for value in given} - {None}), body)
    numbers = [millionths(value) for value in given if is_number(value)]
    if kind == "sum":
        return compare(Fraction(sum(numbers), MILLION), body)
    if not numbers:
        return False
    if kind == "average":
        return compare(Fraction(sum(numbers), len(numbers) * MILLION), body)
    return compare(Fraction(min(numbers) if kind == "least" else max(numbers), MILLION), body)


def millionths(value: Any) -> int:
    """A number as written, rounded half-even to millionths."""
    return round(Fraction(str(value)) * MILLION)


def trend(reading: Reading, body: dict[str, Any]) -> bool:
    """Rule 52: this window's amount divided by that of the one before."""
    this, last = 0, 0
    for touchpoint in reading.matching(body["of"]):
        value = find(touchpoint["properties"], body["property"]) if "property" in body else 1
        amount = millionths(value) if is_number(value) else 0
        old = age(reading, body, touchpoint)
        if old < BUCKETS:
            this += amount
        elif old < 2 * BUCKETS:
            last += amount
    return last > 0 and compare(Fraction(this, last), body)
