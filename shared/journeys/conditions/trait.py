"""`trait: {name: predicate, …}`: what the customer's identify touchpoints say by now (rule 15)."""

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, steady
from shared.journeys.conditions.slots import LARGEST
from shared.journeys.predicates import Clause, Predicate, Test, clauses
from shared.journeys.reading import Place
from shared.journeys.telling.said import Said, Telling, Term, listed, value
from shared.journeys.touchpoint import Touchpoint
from shared.touch.text import fold

Traits = dict[str, Any]

#: Brings the kept traits up to an identify touchpoint.
Keep = Callable[[Traits, Touchpoint], None]

#: Stands for an object or a list: it exists, and equals nothing.
SOMETHING: list[Any] = []


@dataclass(frozen=True, slots=True)
class Trait(Condition):
    asked: tuple[Clause, ...]

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Trait | None":
        return cls(asked) if (asked := clauses(place, "name a trait and what is asked of it")) else None

    def compile(self, moment: Moment) -> bool | Holds:
        tests = [_reads(clause) for clause in self.asked]
        if len(tests) == 1:
            (only,) = tests
            return lambda state, touchpoint, now: only(state.traits)
        return lambda state, touchpoint, now: all(test(state.traits) for test in tests)

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        return steady(self.compile(moment), truth)

    def asks(self) -> Said:
        asked = [Telling("trait", {"name": Term(name), "is": predicate.asks()}) for name, predicate in self.asked]
        return listed(asked, "and")

    def finds(self, view: View) -> Said:
        return listed([value(trait(view.history, name)) for name, _ in self.asked], "and")

    def evidence(self, view: View) -> list[Touchpoint]:
        names = [name for name, _ in self.asked]
        told = [t for t in view.history if t.type == "identify" and any(name in t.traits for name in names)]
        return told[-1:]


def trait(history: Iterable[Touchpoint], name: str) -> Any:
    """A trait after a history in its order, as it was sent; None if there is none."""
    told = [t.traits[name] for t in history if t.type == "identify" and name in t.traits]
    return told[-1] if told else None


def keeper(traits: list[Trait]) -> Keep | None:
    """Keeps what these conditions read; None if that is nothing.

    Texts are kept folded and cut just beyond the longest that they are compared with, so that the state is bounded. Of
    a predicate that looks at the whole of a text its answer is kept, where it is not that for a missing trait.
    """
    asked = list(dict.fromkeys(clause for trait in traits for clause in trait.asked))
    plain = [(name, predicate) for name, predicate in asked if not predicate.whole]
    names = sorted({name for name, _ in plain})
    longest = max((len(text) for _, predicate in plain for text in predicate.texts()), default=0)
    cut = max(longest + 1, 64)
    whole = [clause for clause in asked if clause[1].whole]
    answers = [(name, _key((name, predicate)), *_answer(predicate)) for name, predicate in whole]

    def keep(kept: Traits, touchpoint: Touchpoint) -> None:
        given = touchpoint.traits
        for name in names:
            if name in given:
                if (value := given[name]) is None:
                    kept.pop(name, None)
                else:
                    kept[name] = _bounded(value, cut)
        for name, key, test, usual in answers:
            if name in given:
                if (answer := test(given[name])) is usual:
                    kept.pop(key, None)
                else:
                    kept[key] = answer

    return keep if asked else None


def _reads(clause: Clause) -> Callable[[Traits], bool]:
    name, predicate = clause
    if not predicate.whole:
        test = predicate.compile(folding=_folded)
        return lambda traits: test(traits.get(name))
    key, usual = _key(clause), _answer(predicate)[1]
    return lambda traits: traits.get(key, usual)


def _answer(predicate: Predicate) -> tuple[Test, bool]:
    """The predicate as a function, and its answer where nothing is given."""
    test = predicate.compile()
    return test, test(None)


def _key(clause: Clause) -> str:
    """Under which an answer is kept, beside the traits: their names begin with no NUL."""
    return "\0" + hashlib.blake2b(repr(clause).encode(), digest_size=8).hexdigest()


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
