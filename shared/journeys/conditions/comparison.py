"""Comparing an amount with a number: `at_least`, `at_most`, `more_than`, `fewer_than`, `exactly`."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from shared.journeys.reading import Place
from shared.journeys.telling.said import Telling

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "more_than": operator.gt,
    "fewer_than": operator.lt,
    "exactly": operator.eq,
}
COMPARISONS = tuple(_COMPARE)
#: Of what is never meant to the last digit.
INEXACT = COMPARISONS[:-1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """By `key`, with `number`. True of a whole amount, in its unit, from `low` to just under `below`."""

    key: str
    number: Fraction
    low: int | None
    below: int | None

    @classmethod
    def parse(
        cls, place: Place, fields: dict[str, Place], unit: int = 1, keys: Sequence[str] = COMPARISONS
    ) -> "Comparison | None":
        """The one comparison among a condition's fields; amounts are in 1/`unit`."""
        given = [key for key in keys if key in fields]
        if len(given) != 1:
            message = f"{' and '.join(given)} stand side by side" if given else "the comparison is missing"
            place.problem(message, f"give exactly one of {', '.join(keys)}")
            return None
        key = given[0]
        number = fields[key].whole() if unit == 1 else fields[key].number()
        if number is None:
            return None
        exact = Fraction(Decimal(str(number)))
        up, down = ceil(exact * unit), floor(exact * unit)
        low = {"at_least": up, "more_than": down + 1, "exactly": up}.get(key)
        below = {"at_most": down + 1, "fewer_than": up, "exactly": down + 1}.get(key)
        return cls(key, exact, low, below)

    def holds(self, amount: int) -> bool:
        return (self.low is None or amount >= self.low) and (self.below is None or amount < self.below)

    def whole(self) -> Callable[[int], bool]:
        """The same as a function."""
        low, below = self.low, self.below
        if low is None:
            return lambda amount: below is None or amount < below
        if below is None:
            return lambda amount: amount >= low
        return lambda amount: low <= amount < below

    def divided(self) -> Callable[[int, int], bool]:
        """The same of one amount divided by another, which is more than 0: exactly, and in no unit."""
        compare, number, by = _COMPARE[self.key], self.number.numerator, self.number.denominator
        return lambda amount, divisor: compare(amount * by, number * divisor)

    def times(self) -> Telling:
        """How it reads of something that happens so many times."""
        return Telling(self.key.replace("_", "-"), {"it": Telling("times", {"n": int(self.number)})})

    def amount(self) -> Telling:
        """How it reads of an amount."""
        key = "less_than" if self.key == "fewer_than" else self.key
        return Telling(key.replace("_", "-"), {"it": Decimal(self.number.numerator) / self.number.denominator})

    @property
    def settled(self) -> bool | None:
        """What it says of any number of things, of which there are never fewer than 0; None if that depends."""
        if self.below == 0:
            return False
        return None if self.low or self.below is not None else True

    @property
    def bound(self) -> int:
        """Amounts from this on need not be told apart."""
        return max(self.low or 0, self.below or 0, 1)
