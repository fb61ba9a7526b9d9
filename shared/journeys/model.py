"""A journey's definition: what is left of its YAML once everything in it has been understood."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from shared.journeys.conditions.base import Condition
from shared.journeys.conditions.trait import Trait
from shared.journeys.examples import Example
from shared.journeys.matcher import Matcher
from shared.journeys.state import NONE

#: What a stage may mean; the signals of who converted, who is leaving and who has left are read from it.
MEANINGS = ("converted", "at-risk", "churned", "lapsed")


@dataclass(frozen=True, slots=True)
class Title:
    """A name for people: one for all languages (under ""), or one by language code."""

    texts: Mapping[str, str]

    def text(self, language: str = "en") -> str:
        """In this language, else in English, else in the first one given."""
        return self.texts.get(language) or self.texts.get("en") or next(iter(self.texts.values()))


class Cost(NamedTuple):
    """An amount of money; `currency` by its three letters."""

    amount: Decimal
    currency: str


class Planned(NamedTuple):
    """A touchpoint that a team means to use in a stage: what it is (rule 47), whose it is, what it costs."""

    kind: str
    channel: str | None
    content: str | None
    owner: str
    cost: Cost | None


class Conversion(NamedTuple):
    """Two stages, the first maybe `none`: of those who were in the first, how many came to the second?"""

    source: str
    target: str
    title: Title


@dataclass(frozen=True, slots=True)
class Persona:
    """Customers of one sort: those with these traits. What moves them is told in words."""

    name: str
    title: Title
    when: Trait
    goals: str = ""
    frustrations: str = ""
    decides: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """`origins` is its `from`, None if left out; `back` is where `return` leads: `previous`, `highest` or None.

    What a team says of it changes nothing: who answers for it (`owner`), the touchpoints `planned`, and how few and how
    many are `expected`.
    """

    name: str
    title: Title
    enter: Condition
    origins: frozenset[str] | None
    side: bool
    means: str | None = None
    back: str | None = None
    description: str = ""
    owner: str = ""
    notes: str = ""
    planned: tuple[Planned, ...] = ()
    expected: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """What leads out of the journey, and from which stages."""

    enter: Condition
    origins: frozenset[str]


@dataclass(frozen=True, slots=True)
class Definition:
    """A journey. `stages` holds the ordered stages and after them the side stages, as they are numbered in a state."""

    name: str
    title: Title
    stages: tuple[Stage, ...]
    ordered: int  #: how many of the stages are ordered
    exit: Exit | None
    activity: tuple[Matcher, ...]
    excepted: tuple[Matcher, ...]
    description: str = ""
    examples: tuple[Example, ...] = ()
    personas: tuple[Persona, ...] = ()
    conversions: tuple[Conversion, ...] = ()

    def conditions(self) -> Iterator[Condition]:
        """Every `enter`."""
        yield from (stage.enter for stage in self.stages)
        if self.exit is not None:
            yield self.exit.enter

    def numbers(self) -> dict[str, int]:
        """A stage's number by its name, `none` included."""
        return {**{stage.name: number for number, stage in enumerate(self.stages)}, "none": NONE}
