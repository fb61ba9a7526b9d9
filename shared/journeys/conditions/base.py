"""What every condition is: something true or false at an instant, compiled to a function of the state.

A condition is compiled for a *moment*: the stage held and what is known beforehand of the touchpoint. What the moment
decides is decided once, as a plain True or False; only the rest becomes a function.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.journeys.matcher import Matcher
from shared.journeys.reading import Place
from shared.journeys.setting import Setting
from shared.journeys.state import State
from shared.journeys.telling.said import Instant, Said, Telling
from shared.journeys.touchpoint import Touchpoint
from shared.touch.told import Teller

#: Is it true at the instant `now`, that of the touchpoint if there is one?
Holds = Callable[[State, Touchpoint | None, int], bool]
#: The earliest instant, not before the one given, at which it turns so while nothing but time happens; or None.
Turns = Callable[[State, int], int | None]


class Slot(ABC):
    """What the state keeps of some touchpoints. Slots that are equal are kept once, at the largest bound asked."""

    @abstractmethod
    def empty(self) -> Any:
        """What stands in the slot before the first touchpoint: something that msgpack carries."""

    @abstractmethod
    def may(self, type: str, name: str | None) -> bool:
        """False if no touchpoint of this type and folded name changes the slot."""

    @abstractmethod
    def matchers(self) -> tuple[Matcher, ...]:
        """What tells the touchpoints apart that change it."""

    def of_kind(self, type: str, name: str | None) -> "Slot":
        """The slot with what this type and folded name decide of its touchpoints decided once."""
        return self

    @abstractmethod
    def update(self, index: int, bound: int, setting: Setting) -> Callable[[list[Any], Touchpoint], None]:
        """Adds a touchpoint of which `may` is true to `slots[index]`, keeping no more than `bound` items."""

    def numbers(self, bound: int) -> int:
        """How many numbers are kept of one customer at most."""
        return bound

    @property
    def resets(self) -> bool:
        """Does every move empty it? (Rule 51.)"""
        return False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a definition's stages and slots stand in the state, the bound of each slot, and what it is read in."""

    stages: Mapping[str, int]
    slots: Mapping[Slot, int]
    bounds: tuple[int, ...]
    setting: Setting


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of an instant beforehand; `type` is None at an instant without a touchpoint."""

    layout: Layout
    stage: int
    type: str | None = None
    name: str | None = None
    active: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One instant looked back on, for telling why: the state as it was read, and all touchpoints until then.

    `since` is how many of these came before the move to the stage held; `negated` inside a `not`, where what is told
    decided by being false.
    """

    moment: Moment
    state: State
    touchpoint: Touchpoint | None
    now: int
    history: list[Touchpoint]
    negated: bool = False
    since: int = 0

    @property
    def teller(self) -> Teller:
        """What tells what the touchpoints are."""
        return self.moment.layout.setting.teller

    def negation(self) -> "View":
        return replace(self, negated=not self.negated)

    def sought(self, asked: Said) -> Said:
        """What was asked for: not so, if negated."""
        return Telling("not", {"it": asked}) if self.negated else asked

    def holds(self, condition: "Condition") -> bool:
        holds = condition.compile(self.moment)
        return holds if isinstance(holds, bool) else holds(self.state, self.touchpoint, self.now)


class Condition(ABC):
    """A condition is immutable and compares by what it says."""

    @classmethod
    @abstractmethod
    def parse(cls, place: Place, read: "Read") -> "Condition | None":
        """From what stands under its key; `read` reads a condition inside it. None if a problem was noted."""

    @abstractmethod
    def compile(self, moment: Moment) -> bool | Holds:
        """Rules 8 to 16."""

    @abstractmethod
    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        """When it reads `truth` while only time passes: False for never, True for at once."""

    @abstractmethod
    def asks(self) -> Said:
        """What it asks, as its definition says."""

    def finds(self, view: View) -> Said:
        """The value found at an instant, told beside what is asked; None if that says it all."""
        return None

    def tell(self, view: View) -> Said:
        """What it asks and what was found, of what decided by being true (false, if `view.negated`)."""
        return beside(view.sought(self.asks()), self.finds(view))

    def lacks(self, view: View) -> Said:
        """The same of what is not yet so, and when time alone will make it so."""
        turns = self.turns(view.moment, not view.negated)
        due = None if isinstance(turns, bool) else turns(view.state, view.now)
        return beside(view.sought(self.asks()), self.finds(view), due)

    def timed(self, negated: bool = False) -> bool:
        """Can time alone make it true; false, if `negated`? (Rule 25.)"""
        return False

    def parts(self) -> "tuple[Condition, ...]":
        return ()

    def slot(self) -> tuple[Slot, int] | None:
        """What it keeps, and how many items of it."""
        return None

    def slots(self) -> "tuple[tuple[Slot, int], ...]":
        """The same where it is more than one thing."""
        return () if (slot := self.slot()) is None else (slot,)

    def evidence(self, view: View) -> list[Touchpoint]:
        """The touchpoints that it was read from."""
        return []


Read = Callable[[Place], Condition | None]


def beside(asked: Said, found: Said, due: int | None = None) -> Said:
    """What is asked with what was found, and when time alone makes it so."""
    if due is None:
        return asked if found is None else Telling("beside", {"asked": asked, "found": found})
    if found is None:
        return Telling("due.only", {"asked": asked, "at": Instant(due)})
    return Telling("due", {"asked": asked, "found": found, "at": Instant(due)})


def inside(condition: Condition) -> Iterator[Condition]:
    """A condition and all conditions inside it."""
    yield condition
    for part in condition.parts():
        yield from inside(part)


def steady(holds: bool | Holds, truth: bool) -> bool | Turns:
    """`turns` of a condition that time alone never changes."""
    if isinstance(holds, bool):
        return holds is truth
    return lambda state, start: start if holds(state, None, start) is truth else None
