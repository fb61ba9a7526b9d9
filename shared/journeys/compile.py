"""From a definition to a journey: for every kind of touchpoint, what it changes and which moves it can make."""

from collections.abc import Iterable

from shared.events import PLACEMENT
from shared.journeys.conditions.base import Holds, Layout, Moment, inside
from shared.journeys.conditions.joined import first_turn
from shared.journeys.conditions.touchpoint import Match
from shared.journeys.conditions.trait import Trait, keeper
from shared.journeys.engine import Journey, Plan, Row, Timers
from shared.journeys.layout import lay_out
from shared.journeys.matcher import Reads
from shared.journeys.model import Definition
from shared.journeys.order import Candidate, candidates, moves, upward
from shared.journeys.setting import Setting
from shared.journeys.state import ABSENT, NONE, State
from shared.journeys.touchpoint import Touchpoint
from shared.placement import placed
from shared.touch.text import fold

#: Rules 17 and 56: these are never the customer's own act.
PASSIVE = ("identify", "alias", "group", PLACEMENT)


def compile_journey(definition: Definition, setting: Setting) -> Journey:
    """The journey that a definition says, as it is read in this setting."""
    layout = lay_out(definition, setting)
    timers = [_timers(definition, layout, stage) for stage in _stages(definition)]
    return Journey(definition, layout, Planner(definition, layout).plan, timers)


class Planner:
    """Plans what a touchpoint does from its type and name alone: kinds that no matcher tells apart share a plan."""

    def __init__(self, definition: Definition, layout: Layout) -> None:
        self.definition = definition
        self.layout = layout
        found = [part for enter in definition.conditions() for part in inside(enter)]
        self.keep = keeper([part for part in found if isinstance(part, Trait)])
        matchers = [*definition.activity, *definition.excepted]
        matchers += [part.matcher for part in found if isinstance(part, Match)]
        matchers += [matcher for slot in layout.slots for matcher in slot.matchers()]
        self.matchers = list(dict.fromkeys(matchers))
        self.plans: dict[tuple[str | bool, ...], Plan] = {}

    def plan(self, type: str, name: str | None) -> Plan:
        """The plan for touchpoints of a type and a name as it was sent."""
        folded = None if name is None else fold(name)
        kind: tuple[str | bool, ...] = (type, *(matcher.may(type, folded) for matcher in self.matchers))
        if kind not in self.plans:
            self.plans[kind] = self._plan(type, folded)
        return self.plans[kind]

    def _plan(self, type: str, name: str | None) -> Plan:
        acts = self._acts(type, name)
        slots, setting = zip(self.layout.slots.items(), self.layout.bounds, strict=True), self.layout.setting
        return Plan(
            acts,
            tuple(
                slot.of_kind(type, name).update(index, bound, setting)
                for (slot, index), bound in slots
                if slot.may(type, name)
            ),
            self.keep if type == "identify" else None,
            self._rows(type, name, active=True) if acts else [],
            self._rows(type, name, active=False) if acts is not True else [],
            self._landing(type, name) if acts else {},
        )

    def _acts(self, type: str, name: str | None) -> bool | Reads:
        if type in PASSIVE:
            return False
        teller = self.layout.setting.teller
        wanted = _any([matcher.compile(teller) for matcher in self.definition.activity if matcher.may(type, name)])
        excepted = _any([matcher.compile(teller) for matcher in self.definition.excepted if matcher.may(type, name)])
        if wanted is False or excepted is False:
            return wanted
        if excepted is True:
            return False
        unless = excepted
        if wanted is True:
            return lambda touchpoint: not unless(touchpoint)
        when = wanted
        return lambda touchpoint: when(touchpoint) and not unless(touchpoint)

    def _rows(self, type: str, name: str | None, *, active: bool) -> list[Row]:
        rows = [
            _row(moves(self.definition, stage, active), Moment(self.layout, stage, type, name, active))
            for stage in _stages(self.definition)
        ]
        return self._placing(rows) if type == PLACEMENT else rows

    def _placing(self, rows: list[Row]) -> list[Row]:
        """Rule 56: a placement in this journey leads to its stage; the rows are for one in another."""
        journey, stages = self.definition.name, self.definition.numbers().items()
        return [
            (
                *((target, _placed(journey, name)) for name, target in stages if target != stage),
                *((target, _elsewhere(journey, holds)) for target, holds in row),
            )
            for stage, row in zip(_stages(self.definition), rows, strict=True)
        ]

    def _landing(self, type: str, name: str | None) -> dict[int, list[Row]]:
        definition = self.definition
        bases = [*range(definition.ordered), NONE]
        return {
            stage: [
                _row(upward(definition, base), Moment(self.layout, stage, type, name, active=True)) for base in bases
            ]
            for stage in range(definition.ordered, len(definition.stages))
            if definition.stages[stage].back is not None
        }


def _stages(definition: Definition) -> list[int]:
    """Every stage's number, in the order of a table that is indexed by it."""
    return [*range(len(definition.stages)), ABSENT, NONE]


def _row(tried: Iterable[Candidate], moment: Moment) -> Row:
    row: list[tuple[int, Holds | None]] = []
    for target, enter in tried:
        holds = enter.compile(moment)
        if holds is True:
            row.append((target, None))
            break
        if holds is not False:
            row.append((target, holds))
    return tuple(row)


def _placed(journey: str, stage: str) -> Holds:
    def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
        said = None if touchpoint is None else placed(touchpoint.properties)
        return said is not None and said.journey == journey and said.stage == stage

    return holds


def _elsewhere(journey: str, holds: Holds | None) -> Holds:
    def also(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
        said = None if touchpoint is None else placed(touchpoint.properties)
        if said is not None and said.journey == journey:
            return False
        return holds is None or holds(state, touchpoint, now)

    return also


def _timers(definition: Definition, layout: Layout, stage: int) -> Timers:
    moment = Moment(layout, stage)
    timed = [(target, enter) for target, enter in candidates(definition, stage) if enter.timed()]
    due = first_turn([enter.turns(moment, True) for _, enter in timed])
    if isinstance(due, bool):
        return Timers(_row(timed, moment), _at_once if due else None)
    return Timers(_row(timed, moment), due)


def _at_once(state: State, start: int) -> int:
    return start


def _any(tests: list[Reads | None]) -> bool | Reads:
    """True if one of the tests is: a test that is None always is."""
    if any(test is None for test in tests):
        return True
    left = [test for test in tests if test is not None]
    if len(left) <= 1:
        return left[0] if left else False
    return lambda touchpoint: any(test(touchpoint) for test in left)
