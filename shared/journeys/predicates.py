"""Predicates: what a definition asks of one JSON value (rule 7)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.journeys.reading import Place, nearest, shown
from shared.touch.text import fold

#: Takes a JSON value, None where there is none.
Test = Callable[[Any], bool]

_COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "at_least": ("at least", lambda value, bound: value >= bound),
    "at_most": ("at most", lambda value, bound: value <= bound),
    "more_than": ("more than", lambda value, bound: value > bound),
    "fewer_than": ("fewer than", lambda value, bound: value < bound),
}
_KEYS = ("equals", "in", "exists", *_COMPARISONS)


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
class Predicate:
    """All of its clauses must hold: a key of the mapping and what stands under it."""

    clauses: tuple[tuple[str, Any], ...]

    @classmethod
    def parse(cls, place: Place) -> "Predicate | None":
        if not isinstance(place.value, dict):
            scalars = _scalars(place)
            return None if scalars is None else cls((("in", scalars),))
        clauses: list[tuple[str, Any]] = []
        for key, operand in (place.entries() or {}).items():
            parsed: Any
            if key == "in":
                parsed = _scalars(operand) if operand.members("values") else None
            elif key == "equals":
                parsed = (scalar := Scalar.parse(operand)) and (scalar,)
            elif key == "exists":
                parsed = _flag(operand)
            elif key in _COMPARISONS:
                parsed = operand.number()
            else:
                place.problem(f"unknown key {key!r}", nearest(key, _KEYS), key)
                continue
            if parsed is not None:
                clauses.append(("in" if key == "equals" else key, parsed))
        if not place.value:
            place.problem("the predicate is empty", f"give one of {', '.join(_KEYS)}")
        return cls(tuple(clauses)) if clauses else None

    def compile(self, folding: Callable[[str], str] = fold) -> Test:
        """The predicate as a function; `folding` brings the values' texts into the form that texts compare in."""
        tests = [_clause(key, operand, folding) for key, operand in self.clauses]
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def texts(self) -> list[str]:
        """The texts it compares with, folded."""
        scalars = [scalar for key, operand in self.clauses if key == "in" for scalar in operand]
        return [fold(scalar.value) for scalar in scalars if scalar.kind is str]

    def say(self) -> str:
        """Such as `“pro”`, or `at least 5 and at most 9`."""
        return " and ".join(_say(key, operand) for key, operand in self.clauses)


def _scalars(place: Place) -> tuple[Scalar, ...] | None:
    places = place.one_or_more("values") or []
    scalars = [scalar for member in places if (scalar := Scalar.parse(member))]
    return tuple(scalars) or None


def _flag(place: Place) -> bool | None:
    if isinstance(place.value, bool):
        return place.value
    place.problem(f"{shown(place.value)} is neither true nor false", "write true or false")
    return None


def _clause(key: str, operand: Any, folding: Callable[[str], str]) -> Test:
    if key == "exists":
        return (lambda value: value is not None) if operand else (lambda value: value is None)
    if key == "in":
        return _equal_to_any(operand, folding)
    compare = _COMPARISONS[key][1]
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


def _say(key: str, operand: Any) -> str:
    if key == "exists":
        return "given" if operand else "not given"
    if key == "in":
        return " or ".join(str(scalar) for scalar in operand)
    return f"{_COMPARISONS[key][0]} {operand}"
