"""Predicates: what a definition asks of one JSON value (rules 7, 45 and 46)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.journeys import instant
from shared.journeys.reading import Place, nearest, shown
from shared.journeys.telling import said as telling
from shared.journeys.telling.said import Quoted, Telling
from shared.touch.text import fold

#: Takes a JSON value, None where there is none.
Test = Callable[[Any], bool]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "at_least": lambda value, bound: value >= bound,
    "at_most": lambda value, bound: value <= bound,
    "more_than": lambda value, bound: value > bound,
    "fewer_than": lambda value, bound: value < bound,
}
_PARTS: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": lambda text, parts: any(part in text for part in parts),
}
KEYS = ("equals", "in", "exists", *_COMPARISONS, *_PARTS, "not")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number or flag. Its kind is part of it, since 1 and true are two values here and one in Python."""

    kind: type
    value: Any

    @classmethod
    def parse(cls, place: Place) -> "Scalar | None":
        value = place.value
        if isinstance(value, bool | str):
            return cls(type(value), value)
        if isinstance(value, int | float):
            return None if place.number() is None else cls(float, value)
        remedy = "write exists: false" if value is None else "write a text, a number, true or false"
        place.problem(f"{shown(value)} is nothing that a value can equal", remedy)
        return None

    def __str__(self) -> str:
        return f"“{self.value}”" if self.kind is str else str(self.value).lower()


@dataclass(frozen=True, slots=True)
class Instant:
    """A date or an instant to compare with: in microseconds, and as it was written."""

    at: int
    written: str


@dataclass(frozen=True, slots=True)
class Predicate:
    """All of its clauses must hold: a key of the mapping and what stands under it."""

    clauses: tuple[tuple[str, Any], ...]

    @classmethod
    def parse(cls, place: Place) -> "Predicate | None":
        if not isinstance(place.value, dict):
            scalars = _scalars(place)
            return None if scalars is None else cls((("in", scalars),))
        clauses = [_parse(place, key, operand) for key, operand in (place.entries() or {}).items()]
        if not place.value:
            place.problem("the predicate is empty", f"give one of {', '.join(KEYS)}")
        found = tuple(clause for clause in clauses if clause is not None)
        return cls(found) if found and len(found) == len(clauses) else None

    def compile(self, folding: Callable[[str], str] = fold) -> Test:
        """The predicate as a function; `folding` brings the values' texts into the form that texts compare in."""
        tests = [_clause(key, operand, folding) for key, operand in self.clauses]
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def scalars(self) -> Iterator[Scalar]:
        """All that it asks values to equal, or not to."""
        for key, operand in self.clauses:
            if key == "in":
                yield from operand
            elif key == "not":
                yield from operand.scalars()

    def texts(self) -> Iterator[str]:
        """The texts it compares with, folded."""
        for key, operand in self.clauses:
            if key == "in":
                yield from (fold(scalar.value) for scalar in operand if scalar.kind is str)
            elif key in _PARTS:
                yield from map(fold, operand)
            elif key == "not":
                yield from operand.texts()

    @property
    def whole(self) -> bool:
        """Whether it looks further into a text than the beginning of its folded form."""
        return any(
            key in ("ends_with", "contains") or isinstance(operand, Instant) or (key == "not" and operand.whole)
            for key, operand in self.clauses
        )

    def asks(self) -> telling.Said:
        """Such as `is “pro”`, or `is at least 5 and is at most 9`."""
        return telling.listed([_asks(key, operand) for key, operand in self.clauses], "and")


#: A path or a name, and what is asked of what stands there.
Clause = tuple[str, Predicate]


def clauses(place: Place, remedy: str) -> tuple[Clause, ...] | None:
    """What a mapping asks of each of its keys; None if a problem was noted, as of an empty one, with this remedy."""
    if (entries := place.entries()) is None:
        return None
    if not entries:
        place.problem("it is empty", remedy)
    found = [(key, predicate) for key, asked in entries.items() if (predicate := Predicate.parse(asked))]
    return tuple(found) if found and len(found) == len(entries) else None


def _parse(place: Place, key: str, operand: Place) -> tuple[str, Any] | None:
    """What stands under one key of a predicate; None if a problem was noted."""
    parsed: Any
    if key == "in":
        parsed = _scalars(operand) if operand.members("values") else None
    elif key == "equals":
        key, parsed = "in", (scalar := Scalar.parse(operand)) and (scalar,)
    elif key == "exists":
        parsed = _flag(operand)
    elif key in _COMPARISONS:
        parsed = _bound(operand)
    elif key in _PARTS:
        parsed = _texts(operand)
    elif key == "not":
        parsed = Predicate.parse(operand)
    else:
        place.problem(f"unknown key {key!r}", nearest(key, KEYS), key)
        return None
    return None if parsed is None else (key, parsed)


def _scalars(place: Place) -> tuple[Scalar, ...] | None:
    places = place.one_or_more("values") or []
    scalars = [scalar for member in places if (scalar := Scalar.parse(member))]
    return tuple(scalars) or None


def _flag(place: Place) -> bool | None:
    if isinstance(place.value, bool):
        return place.value
    place.problem(f"{shown(place.value)} is neither true nor false", "write true or false")
    return None


def _bound(place: Place) -> int | float | Instant | None:
    if not isinstance(place.value, str):
        return place.number()
    if (at := instant.parse(place.value)) is None:
        remedy = "write a number without quotes, a date (2026-03-21) or an instant (2026-03-21T18:30:00Z, or +03:30)"
        place.problem(f"{shown(place.value)} is neither a number nor an instant", remedy)
        return None
    return Instant(at, place.value)


def _texts(place: Place) -> tuple[str, ...] | None:
    texts: list[str] = []
    for member in place.one_or_more("texts") or []:
        if (text := member.text()) is not None:
            texts.append(text)
            if not fold(text):
                member.problem(f"nothing of {shown(text)} counts when texts are compared", "write some letters")
    return tuple(texts) or None


def _clause(key: str, operand: Any, folding: Callable[[str], str]) -> Test:
    if key == "exists":
        return (lambda value: value is not None) if operand else (lambda value: value is None)
    if key == "in":
        return _equal_to_any(operand, folding)
    if key == "not":
        asked = operand.compile(folding)
        return lambda value: not asked(value)
    if key in _PARTS:
        has, parts = _PARTS[key], tuple(map(fold, operand))
        return lambda value: type(value) is str and has(folding(value), parts)
    compare = _COMPARISONS[key]
    if isinstance(operand, Instant):
        bound = operand.at
        return lambda value: type(value) is str and (at := instant.parse(value)) is not None and compare(at, bound)
    return lambda value: type(value) in (int, float) and compare(value, operand)


def _equal_to_any(scalars: tuple[Scalar, ...], folding: Callable[[str], str]) -> Test:
    texts = frozenset(fold(scalar.value) for scalar in scalars if scalar.kind is str)
    numbers = frozenset(scalar.value for scalar in scalars if scalar.kind is float)
    flags = frozenset(scalar.value for scalar in scalars if scalar.kind is bool)

    def test(value: Any) -> bool:
        kind = type(value)
        if kind is str:
            return folding(value) in texts
        if kind is bool:
            return value in flags
        return (kind is int or kind is float) and value in numbers

    return test


#: How comparisons read of instants.
_OF_INSTANTS = {"at_least": "from", "at_most": "until", "more_than": "after", "fewer_than": "before"}


def _asks(key: str, operand: Any) -> telling.Said:
    if key == "exists":
        return Telling("given" if operand else "given.not")
    if key == "in":
        return Telling("is", {"values": telling.listed([telling.value(scalar.value) for scalar in operand], "or")})
    if key == "not":
        asked = operand.asks()
        return Telling("not", {"it": asked}) if len(operand.clauses) == 1 else Telling("otherwise", {"it": asked})
    if key in _PARTS:
        return Telling(key.replace("_", "-"), {"values": telling.listed([Quoted(text) for text in operand], "or")})
    if isinstance(operand, Instant):
        return Telling(_OF_INSTANTS[key], {"at": telling.Term(operand.written)})
    amount = Telling("less-than" if key == "fewer_than" else key.replace("_", "-"), {"it": operand})
    return Telling("compared", {"amount": amount})
