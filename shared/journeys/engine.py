"""A journey at work: folding touchpoints and the passing of time into a customer's state. See docs/semantics.md."""

from collections.abc import Callable
from typing import Any, NamedTuple

from shared.events import PLACEMENT, TYPES
from shared.journeys.conditions.base import Holds, Layout, Turns
from shared.journeys.conditions.slots import Update
from shared.journeys.conditions.trait import Keep
from shared.journeys.matcher import Reads
from shared.journeys.model import Definition
from shared.journeys.order import RETURN
from shared.journeys.state import ABSENT, NONE, Move, State
from shared.journeys.touchpoint import Touchpoint

__all__ = ["ABSENT", "NONE", "Journey", "Move", "State"]

#: The moves out of one stage, the first to apply first: where to, and if what holds (None for always).
Row = tuple[tuple[int, Holds | None], ...]

#: So many names, none longer than this, are remembered with their plans.
NAMES, LENGTH = 10_000, 200


class Plan(NamedTuple):
    """What a touchpoint of one kind does. The rows are by stage, for when it is an activity and for when it is not."""

    acts: bool | Reads
    updates: tuple[Update, ...]
    keep: Keep | None
    acting: list[Row]
    idle: list[Row]
    landing: dict[int, list[Row]]  #: by side stage and base: where a return goes on to


class Timers(NamedTuple):
    """The timed moves out of one stage, and when the first of them is due."""

    row: Row
    due: Turns | None


class Journey:
    """A compiled definition. It keeps nothing of any customer: all that is in the state."""

    def __init__(
        self,
        definition: Definition,
        layout: Layout,
        plan: Callable[[str, str | None], Plan],
        timers: list[Timers],
    ) -> None:
        self.definition = definition
        self.layout = layout
        self.name = definition.name
        self.stages = tuple(stage.name for stage in definition.stages)
        self._ordered = definition.ordered
        self._to_highest = [stage.back == "highest" for stage in definition.stages]
        self._plan = plan
        self._timers = timers
        self._resets = tuple((index, slot.empty) for slot, index in layout.slots.items() if slot.resets)
        self._plans: dict[str, dict[str | None, Plan]] = {type: {} for type in (*TYPES, PLACEMENT)}

    def start(self) -> State:
        """Of a customer of whom nothing is known."""
        slots = [slot.empty() for slot in self.layout.slots]
        visits = [0] * (len(self.stages) + 1)
        return State(ABSENT, 0, ABSENT, NONE, NONE, visits, None, 0, slots, {}, None)

    def copy(self, state: State) -> State:
        """A state that changes on its own."""
        slots = [kept.copy() if isinstance(kept, list | dict) else kept for kept in state.slots]
        return State(
            state.stage,
            state.entered,
            state.before,
            state.base,
            state.highest,
            state.visits.copy(),
            state.active,
            state.at,
            slots,
            state.traits.copy(),
            state.due,
        )

    def due(self, state: State) -> int | None:
        """When the next timer move is due, as things stand; None for never."""
        return state.due

    def touch(self, state: State, touchpoint: Touchpoint) -> Move | None:
        """Folds in the next touchpoint by (at, id). The timers due before it must have been made: see `advance`."""
        if touchpoint.excluded:
            return None  # rule 44
        plan = self._plans[touchpoint.type].get(touchpoint.name) or self._planned(touchpoint)
        now = state.at = touchpoint.at
        for update in plan.updates:
            update(state.slots, touchpoint)
        if plan.keep is not None:
            plan.keep(state.traits, touchpoint)
        acts = plan.acts
        if acts is True or (acts is not False and acts(touchpoint)):
            state.active = now
            row = plan.acting[state.stage]
        else:
            row = plan.idle[state.stage]
        for target, holds in row:
            if holds is None or holds(state, touchpoint, now):
                landed = self._landing(plan, state, touchpoint) if target == RETURN else target
                return self._move(state, landed, now, False)
        due = self._timers[state.stage].due
        state.due = None if due is None else due(state, now)
        return None

    def advance(self, state: State, until: int) -> list[Move]:
        """Makes all timer moves due at or before `until`, in their order."""
        moves = []
        while (move := self.step(state, until)) is not None:
            moves.append(move)
        return moves

    def step(self, state: State, until: int) -> Move | None:
        """Makes the next timer move if it is due at or before `until`."""
        if (due := state.due) is None or due > until:
            return None
        row = self._timers[state.stage].row
        target = next(target for target, holds in row if holds is None or holds(state, None, due))
        state.at = due
        return self._move(state, target, due, True)

    def active(self, touchpoint: Touchpoint) -> bool:
        """Is it the customer's own act? (Rule 17.)"""
        acts = (self._plans[touchpoint.type].get(touchpoint.name) or self._planned(touchpoint)).acts
        return acts if isinstance(acts, bool) else acts(touchpoint)

    def add(self, slots: list[Any], touchpoint: Touchpoint) -> None:
        """Only what a touchpoint adds to the slots, as the conditions read them before its move empties some."""
        for update in (self._plans[touchpoint.type].get(touchpoint.name) or self._planned(touchpoint)).updates:
            update(slots, touchpoint)

    def _planned(self, touchpoint: Touchpoint) -> Plan:
        plan = self._plan(touchpoint.type, touchpoint.name)
        if touchpoint.name is None or len(touchpoint.name) <= LENGTH:
            if sum(map(len, self._plans.values())) >= NAMES:
                for plans in self._plans.values():
                    plans.clear()
            self._plans[touchpoint.type][touchpoint.name] = plan
        return plan

    def _landing(self, plan: Plan, state: State, touchpoint: Touchpoint) -> int:
        base = state.highest if self._to_highest[state.stage] else state.base
        for target, holds in plan.landing[state.stage][base]:
            if holds is None or holds(state, touchpoint, touchpoint.at):
                return target
        return base

    def _move(self, state: State, target: int, now: int, timer: bool) -> Move:
        source = state.stage
        state.before, state.stage, state.entered = source, target, now
        state.visits[target] += 1
        if target < self._ordered:
            state.base = target
            # Whoever is in `none` has no highest stage: they were absent before, or were led out (rule 23).
            state.highest = NONE if target == NONE else max(target, state.highest)
        for index, empty in self._resets:
            state.slots[index] = empty()
        due = self._timers[target].due
        state.due = None if due is None else due(state, now)
        return Move(now, source, target, timer)
