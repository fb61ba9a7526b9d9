"""Comparing an amount with a number: `at_least`, `at_most`, `more_than`, `fewer_than`, `exactly`."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from shared.journeys.reading import Place

COMPARISONS = ("at_least", "at_most", "more_than", "fewer_than", "exactly")


@dataclass(frozen=True, slots=True)
class Comparison:
    """True of a whole amount from `low` to just under `below`; either is None where there is no bound."""

    low: int | None
    below: int | None
    said: str

    @classmethod
    def parse(cls, place: Place, fields: dict[str, Place], unit: int = 1) -> "Comparison | None":
        """The one comparison among a condition's fields; amounts are in 1/`unit`."""
        given = [key for key in COMPARISONS if key in fields]
        if len(given) != 1:
            message = f"{' and '.join(given)} stand side by side" if given else "the comparison is missing"
            place.problem(message, f"give exactly one of {', '.join(COMPARISONS)}")
            return None
        key = given[0]
        number = fields[key].whole() if unit == 1 else fields[key].number()
        if number is None:
            return None
        exact = Decimal(str(number)) * unit
        up = int(exact.to_integral_value(ROUND_CEILING))
        down = int(exact.to_integral_value(ROUND_FLOOR))
        low = {"at_least": up, "more_than": down + 1, "exactly": up}.get(key)
        below = {"at_most": down + 1, "fewer_than": up, "exactly": down + 1}.get(key)
        return cls(low, below, f"{key.replace('_', ' ')} {number}")

    def holds(self, amount: int) -> bool:
        return (self.low is None or amount >= self.low) and (self.below is None or amount < self.below)

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
