"""A journey's definition: what is left of its YAML once everything in it has been understood."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.journeys.conditions.base import Condition
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


@dataclass(frozen=True, slots=True)
class Stage:
    """`origins` is its `from`, None if left out; `back` is where `return` leads: `previous`, `highest` or None."""

    name: str
    title: Title
    enter: Condition
    origins: frozenset[str] | None
    side: bool
    means: str | None = None
    back: str | None = None
    description: str = ""


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

    def conditions(self) -> Iterator[Condition]:
        """Every `enter`."""
        yield from (stage.enter for stage in self.stages)
        if self.exit is not None:
            yield self.exit.enter

    def numbers(self) -> dict[str, int]:
        """A stage's number by its name, `none` included."""
        return {**{stage.name: number for number, stage in enumerate(self.stages)}, "none": NONE}
