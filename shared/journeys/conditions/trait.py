"""`trait: {name: predicate, …}`: what the customer's identify touchpoints say by now (rule 15)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, steady
from shared.journeys.conditions.slots import LARGEST
from shared.journeys.predicates import Predicate
from shared.journeys.reading import Place, shown
from shared.journeys.touchpoint import Touchpoint
from shared.touch.text import fold

#: Brings the kept traits up to an identify touchpoint.
Keep = Callable[[dict[str, Any], Touchpoint], None]

#: Stands for an object or a list: it exists, and equals nothing.
SOMETHING: list[Any] = []


@dataclass(frozen=True, slots=True)
class Trait(Condition):
    asked: tuple[tuple[str, Predicate], ...]

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Trait | None":
        entries = place.entries() or {}
        asked = [(name, predicate) for name, inner in entries.items() if (predicate := Predicate.parse(inner))]
        if place.value == {}:
            place.problem("it is empty", "name a trait and what is asked of it")
        return cls(tuple(asked)) if entries and len(asked) == len(entries) else None

    def compile(self, moment: Moment) -> bool | Holds:
        tests = [(name, predicate.compile(folding=_folded)) for name, predicate in self.asked]
        if len(tests) == 1:
            ((only, test),) = tests
            return lambda state, touchpoint, now: test(state.traits.get(only))
        return lambda state, touchpoint, now: all(test(state.traits.get(name)) for name, test in tests)

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        return steady(self.compile(moment), truth)

    def say(self, view: View) -> str:
        return " and ".join(
            f"trait {name} is {shown(view.state.traits.get(name))} {view.asked(predicate.say())}"
            for name, predicate in self.asked
        )

    def evidence(self, view: View) -> list[Touchpoint]:
        names = [name for name, _ in self.asked]
        told = [t for t in view.history if t.type == "identify" and any(name in t.traits for name in names)]
        return told[-1:]


def keeper(traits: list[Trait]) -> Keep | None:
    """Keeps what these conditions read; None if that is nothing.

    Texts are kept folded and cut just beyond the longest that they are compared with, so that the state is bounded.
    """
    asked = [clause for trait in traits for clause in trait.asked]
    names = sorted({name for name, _ in asked})
    longest = max((len(text) for _, predicate in asked for text in predicate.texts()), default=0)
    cut = max(longest + 1, 64)

    def keep(kept: dict[str, Any], touchpoint: Touchpoint) -> None:
        given = touchpoint.traits
        for name in names:
            if name in given:
                if (value := given[name]) is None:
                    kept.pop(name, None)
                else:
                    kept[name] = _bounded(value, cut)

    return keep if names else None


def _bounded(value: Any, cut: int) -> Any:
    if isinstance(value, str):
        return fold(value)[:cut]
    if isinstance(value, dict | list):
        return SOMETHING
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value) if abs(value) < LARGEST else math.copysign(math.inf, value)
    return value


def _folded(text: str) -> str:
    return text
