"""How a language writes numbers, durations, days and quotations, and which plural form a number takes (by CLDR)."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

_RIGHT_TO_LEFT = ("R", "AL")
#: What would turn a line round, or break it.
_TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B", "S")

#: First strong isolate and its end: what stands between turns nothing around it.
_ISOLATE, _END = "\u2068", "\u2069"


def _two(number: int | Decimal) -> str:
    return "one" if number == 1 else "other"


def _persian(number: int | Decimal) -> str:
    return "one" if 0 <= number <= 1 else "other"


def _arabic(number: int | Decimal) -> str:
    if number != int(number):
        return "other"
    if number in (0, 1, 2):
        return ("zero", "one", "two")[int(number)]
    rest = int(number) % 100
    if 3 <= rest <= 10:
        return "few"
    return "many" if rest >= 11 else "other"


#: The plural form of a number that is not negative, by language, and the forms that there are.
PLURALS: Mapping[str, tuple[Callable[[int | Decimal], str], tuple[str, ...]]] = {
    "en": (_two, ("one", "other")),
    "fa": (_persian, ("one", "other")),
    "ar": (_arabic, ("zero", "one", "two", "few", "many", "other")),
}


@dataclass(frozen=True, slots=True)
class Writing:
    """One language's: `digits` are ten, the separator of thousands and that of decimals."""

    direction: Literal["ltr", "rtl"]
    digits: str
    quotes: str

    def number(self, number: int | float | Decimal) -> str:
        """In this language's digits, with thousands set apart; six places of what is not exact."""
        exact = round(Decimal(str(number)), 6) if isinstance(number, float) else number
        text = f"{exact:,}" if isinstance(exact, int) else f"{exact:,f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return self.digital(text)

    def digital(self, text: str) -> str:
        """A text of western digits and separators in this language's."""
        return text.translate(str.maketrans("0123456789,.", self.digits))

    def quoted(self, text: str) -> str:
        return f"{self.quotes[0]}{self.isolated(text)}{self.quotes[-1]}"

    def isolated(self, text: str) -> str:
        """A text of others: on one line, and set apart where it runs the other way, so that nothing around it turns."""
        told = [(char, unicodedata.bidirectional(char)) for char in text if unicodedata.category(char) != "Cc"]
        told = [(char, turn) for char, turn in told if turn not in _TURNS]
        against = _RIGHT_TO_LEFT if self.direction == "ltr" else ("L",)
        plain = "".join(char for char, _ in told)
        return f"{_ISOLATE}{plain}{_END}" if any(turn in against for _, turn in told) else plain
