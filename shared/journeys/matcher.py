"""Matchers: which touchpoints a definition means (rule 6)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.events import PLACEMENT, TYPES
from shared.journeys.facts import FACTS
from shared.journeys.predicates import Clause, Predicate, Test, clauses
from shared.journeys.reading import Place, nearest, shown
from shared.journeys.telling.said import Quoted, Role, Said, Telling, Term, listed
from shared.journeys.touchpoint import Touchpoint
from shared.touch.text import fold
from shared.touch.told import Teller

Reads = Callable[[Touchpoint], bool]

#: The parts of a touchpoint that paths lead into.
PARTS = ("properties", "context", "traits")


@dataclass(frozen=True, slots=True)
class Matcher:
    """Everything given must hold; what is None or empty asks nothing.

    `names` and `bound` (the names of its roles) are folded, `named` and `roles` are as they were written.
    """

    types: tuple[str, ...] | None = None
    names: frozenset[str] | None = None
    bound: frozenset[str] | None = None
    properties: tuple[Clause, ...] = ()
    context: tuple[Clause, ...] = ()
    traits: tuple[Clause, ...] = ()
    facts: tuple[Clause, ...] = ()
    roles: tuple[str, ...] = field(default=(), compare=False)
    named: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, place: Place) -> "Matcher | None":
        found = len(place.reading.problems)
        if (fields := place.fields(optional=("type", "name", "role", *PARTS, *FACTS))) is None:
            return None
        types = _types(fields["type"]) if "type" in fields else None
        names = _texts(fields["name"], "names") if "name" in fields else None
        roles = _texts(fields["role"], "roles") if "role" in fields else None
        bound = _bound(fields["role"], roles) if roles else None
        remedy = "leave it out, or name what it asks for"
        asked = {part: clauses(fields[part], remedy) or () for part in PARTS if part in fields}
        facts = tuple((key, fact) for key in FACTS if key in fields and (fact := _fact_asked(key, fields[key])))
        if len(place.reading.problems) > found:
            return None
        folded = None if names is None else frozenset(map(fold, names))
        return cls(types, folded, bound, **asked, facts=facts, roles=tuple(roles or ()), named=tuple(names or ()))

    def asks(self) -> Said:
        """The touchpoints that it means, such as `a purchase or a sign-up whose plan is “pro”`."""
        kinds: list[Said] = [Role(role) for role in self.roles]
        kinds = kinds or [Telling(f"type.{kind}") for kind in self.types or ()]
        names = listed([Quoted(name) for name in self.named], "or")
        what = listed(kinds, "or") or names or Telling("anything")
        if kinds and names:
            what = Telling("named", {"what": what, "names": names})
        if not (clauses := self._clauses()):
            return what
        return Telling("whose", {"what": what, "clauses": listed(clauses, "and")})

    def _clauses(self) -> list[Said]:
        parts = (("of.property", self.properties), ("of.context", self.context), ("of.trait", self.traits))
        asked: list[Said] = []
        if self.roles and self.types:
            kinds = listed([Telling(f"type.{kind}") for kind in self.types], "or")
            asked.append(Telling("of.type", {"kinds": kinds}))
        for key, paths in parts:
            asked += [Telling(key, {"path": Term(path), "is": predicate.asks()}) for path, predicate in paths]
        for key, predicate in self.facts:
            asked.append(Telling("of.fact", {"fact": Telling(f"fact.{key}"), "is": predicate.asks()}))
        return asked

    def may(self, type: str, name: str | None) -> bool:
        """False if no touchpoint of this type and folded name matches."""
        return (
            (type != PLACEMENT if self.types is None else type in self.types)
            and (self.names is None or name in self.names)
            and (self.bound is None or name in self.bound)
        )

    def compile(self, teller: Teller) -> Reads | None:
        """What remains to be read of a touchpoint of which `may` is true; None if nothing does."""
        tests = [
            *(_reads("properties", path, predicate.compile()) for path, predicate in self.properties),
            *(_reads("context", path, predicate.compile()) for path, predicate in self.context),
            *(_trait(name, predicate.compile()) for name, predicate in self.traits),
            *(_fact(key, predicate.compile(), teller) for key, predicate in self.facts),
        ]
        if len(tests) <= 1:
            return tests[0] if tests else None
        return lambda touchpoint: all(test(touchpoint) for test in tests)

    def among(self, touchpoints: Iterable[Touchpoint], teller: Teller) -> list[Touchpoint]:
        """Those that match."""
        test, matching = self.compile(teller), []
        for touchpoint in touchpoints:
            name = None if touchpoint.name is None else fold(touchpoint.name)
            if self.may(touchpoint.type, name) and (test is None or test(touchpoint)):
                matching.append(touchpoint)
        return matching


def value_at(found: Any, path: str) -> Any:
    """The value under a path of keys and dots; None where there is none."""
    for step in path.split("."):
        if type(found) is not dict:
            return None
        found = found.get(step)
    return found


def _reads(part: str, path: str, test: Test) -> Reads:
    if part == "context":
        return lambda touchpoint: test(value_at(touchpoint.context, path))
    if "." in path:
        return lambda touchpoint: test(value_at(touchpoint.properties, path))
    return lambda touchpoint: test(touchpoint.properties.get(path))


def _trait(name: str, test: Test) -> Reads:
    return lambda touchpoint: test(touchpoint.traits.get(name))


def _fact(key: str, test: Test, teller: Teller) -> Reads:
    fact = FACTS[key]
    if key not in ("kind", "direction", "content"):
        return lambda touchpoint: test(fact(touchpoint, teller))
    decided: dict[frozenset[str | None], bool | None] = {}

    def reads(touchpoint: Touchpoint) -> bool:
        """Mostly the type and the name leave one answer: then nothing more is read."""
        possible = teller.rows(touchpoint.type, touchpoint.name).possible[key]
        if possible not in decided:
            answers = {test(value) for value in possible}
            decided[possible] = answers.pop() if len(answers) == 1 else None
        answer = decided[possible]
        return test(fact(touchpoint, teller)) if answer is None else answer

    return reads


def _types(place: Place) -> tuple[str, ...] | None:
    types = _texts(place, "types")
    for name in types or ():
        if name not in TYPES:
            place.problem(f"there is no type {name!r}", nearest(name, TYPES))
    return None if types is None else tuple(types)


def _texts(place: Place, what: str) -> list[str] | None:
    texts = [member.text() for member in place.one_or_more(what) or []]
    return [text for text in texts if text is not None] or None


def _bound(place: Place, roles: list[str]) -> frozenset[str]:
    bound = place.reading.roles
    for role in roles:
        if role not in bound:
            place.problem(f"there is no role {shown(role)}", f"{nearest(role, bound)} Or bind it under roles:")
    return frozenset(fold(name) for role in roles for name in bound.get(role, ()))


def _fact_asked(key: str, place: Place) -> Predicate | None:
    """What is asked of a fact. Of one that tables tell, what is named must be something that they may tell."""
    if (predicate := Predicate.parse(place)) is not None:
        for scalar in predicate.scalars():
            known(place, key, scalar.value)
    return predicate


def known(place: Place, key: str, value: Any) -> None:
    """Notes it if a fact can never be told to be this; of facts that no table tells, nothing is known."""
    if (values := place.reading.known.get(key)) is None:
        return
    if not isinstance(value, str) or fold(value) not in map(fold, values):
        place.problem(f"there is no {key} {shown(value)}", nearest(str(value), sorted(values)))
