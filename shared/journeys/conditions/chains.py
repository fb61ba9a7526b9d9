"""What a sequence keeps: of each number of steps, only the latest start of a chain that has gone so far.

That is exact: of two chains of equal length the one that began later has the smaller span and less between its ends.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from shared.journeys.conditions.base import Slot
from shared.journeys.conditions.slots import Update, digest
from shared.journeys.matcher import Matcher, Reads, value_at
from shared.journeys.setting import Setting
from shared.journeys.touchpoint import Touchpoint
from shared.touch.text import fold
from shared.touch.told import Teller

#: So many values of the property are followed at once.
FOLLOWED = 100

#: By number of steps less one, when the latest chain of so many began; None for no such chain.
Starts = list[int | None]

#: Stands beside the values' digests, and before them all, for when a chain was last completed.
_LAST = b""

#: Stands for a step that no touchpoint of the kind at hand is.
_NOTHING = Matcher(types=())


@dataclass(frozen=True, slots=True)
class Chains(Slot):
    """Chains of touchpoints that match `steps`, one after the other; see rule 53 for what the rest asks.

    Kept is True once nothing more can change: a chain is complete, and it need not be known when (`again`) one was.
    Until then a list: the starts, and when a chain was last completed; with `by`, a mapping of the same by value, the
    value whose latest first step is the earliest first.
    """

    steps: tuple[Matcher, ...]
    within: int | None
    without: tuple[Matcher, ...]
    by: str | None
    since: bool
    again: bool

    @property
    def resets(self) -> bool:
        return self.since

    def empty(self) -> list[int | None] | dict[bytes, int | None]:
        return [None] * len(self.steps) if self.by is None else {_LAST: None}

    def numbers(self, bound: int) -> int:
        return len(self.steps) * bound

    def matchers(self) -> tuple[Matcher, ...]:
        return (*self.steps, *self.without)

    def may(self, type: str, name: str | None) -> bool:
        return any(matcher.may(type, name) for matcher in self.matchers())

    def of_kind(self, type: str, name: str | None) -> "Chains":
        steps = tuple(step if step.may(type, name) else _NOTHING for step in self.steps)
        return replace(self, steps=steps, without=tuple(one for one in self.without if one.may(type, name)))

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        begins = _test(self.steps[0], setting.teller)
        walk, by, again, length = self._walk(setting.teller), self.by, self.again, len(self.steps) - 1

        def one(slots: list[Any], touchpoint: Touchpoint) -> None:
            if (starts := slots[index]) is True:
                return
            complete = walk(starts, touchpoint)
            if begins(touchpoint):
                starts[0] = touchpoint.at
            if complete and again:
                starts[-1] = touchpoint.at
            elif complete:
                slots[index] = True

        def each(slots: list[Any], touchpoint: Touchpoint) -> None:
            if (kept := slots[index]) is True:
                return
            value = digest(value_at(touchpoint.properties, by or ""))
            first = value is not None and begins(touchpoint)
            if value is None or (value not in kept and not first):
                return
            # A copy of the state shares the lists: they are replaced, not changed.
            starts: Starts = kept[value].copy() if value in kept else [None] * length
            complete = walk(starts, touchpoint)
            if first:
                starts[0] = touchpoint.at
                kept.pop(value, None)
            kept[value] = starts
            if len(kept) > bound + 1:
                del kept[next(islice(kept, 1, None))]
            if complete and again:
                kept[_LAST] = touchpoint.at
            elif complete:
                slots[index] = True

        return one if by is None else each

    def _walk(self, teller: Teller) -> Callable[[Starts, Touchpoint], bool]:
        """Takes a touchpoint into all chains but as their first step; is one complete with it?

        It stands for one step only: the last is tried on the chains as they were, and the longest grow first.
        """
        last, within, length = _test(self.steps[-1], teller), self.within, len(self.steps) - 1
        tests = [(number, _test(self.steps[number], teller)) for number in range(length - 1, 0, -1)]
        middle = [(number, test) for number, test in tests if test is not _never]
        without = [_test(matcher, teller) for matcher in self.without]

        def walk(starts: Starts, touchpoint: Touchpoint) -> bool:
            start = starts[length - 1]
            complete = start is not None and (within is None or touchpoint.at - start <= within) and last(touchpoint)
            if without and any(breaks(touchpoint) for breaks in without):
                starts[:length] = [None] * length
                return complete
            for number, test in middle:
                if starts[number - 1] is not None and test(touchpoint):
                    starts[number] = starts[number - 1]
            return complete

        return walk


def latest(kept: Any) -> int | None:
    """When a chain was last completed, of what is kept `again`."""
    found: int | None = kept[-1] if isinstance(kept, list) else kept[_LAST]
    return found


def furthest(chains: Chains, kept: Any, now: int) -> tuple[int, int | None]:
    """The most steps that a chain has gone which may still be completed, and when it began."""
    followed = [kept] if isinstance(kept, list) else [starts for value, starts in kept.items() if value != _LAST]
    best: tuple[int, int | None] = (0, None)
    for starts in followed:
        for number, start in enumerate(starts[: len(chains.steps) - 1]):
            if start is not None and (chains.within is None or now - start <= chains.within):
                best = max(best, (number + 1, start))
    return best


def completed(chains: Chains, history: list[Touchpoint], setting: Setting) -> list[Touchpoint]:
    """The touchpoints of the chain that was completed last, of a history that begins where the chains do."""
    updates: dict[tuple[str, str | None], Update] = {}
    slots: list[Any] = [chains.empty()]
    end, before = -1, None
    for number, touchpoint in enumerate(history):
        kind = (touchpoint.type, None if touchpoint.name is None else fold(touchpoint.name))
        if kind not in updates:
            updates[kind] = chains.of_kind(*kind).update(0, FOLLOWED, setting)
        updates[kind](slots, touchpoint)
        done = slots[0] is True or latest(slots[0])
        if done != before:
            end, before = number, done
    return [] if end < 0 else _chain(chains, history[: end + 1], setting.teller)


def _chain(chains: Chains, history: list[Touchpoint], teller: Teller) -> list[Touchpoint]:
    """The chain that the last touchpoint of a history completes: the one that begins last."""
    if (by := chains.by) is not None:
        value = digest(value_at(history[-1].properties, by))
        history = [one for one in history if digest(value_at(one.properties, by)) == value]
    matching = [{id(one) for one in step.among(history, teller)} for step in chains.steps]
    chain = [history[-1]]
    for touchpoint in reversed(history[:-1]):
        if len(chain) < len(matching) and id(touchpoint) in matching[-1 - len(chain)]:
            chain.append(touchpoint)
    return chain[::-1]


def _test(matcher: Matcher, teller: Teller) -> Reads:
    return _never if matcher == _NOTHING else matcher.compile(teller) or _always


def _never(touchpoint: Touchpoint) -> bool:
    return False


def _always(touchpoint: Touchpoint) -> bool:
    return True
