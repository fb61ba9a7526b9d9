"""Conditions joined: when all, one or some of several hold, and when they turn so."""

from shared.journeys.conditions.base import Holds, Turns
from shared.journeys.state import State
from shared.journeys.touchpoint import Touchpoint


def all_hold(tests: list[bool | Holds]) -> bool | Holds:
    """True where every one of `tests` is."""
    if any(test is False for test in tests):
        return False
    left = [test for test in tests if not isinstance(test, bool)]
    if len(left) <= 1:
        return left[0] if left else True
    if len(left) == 2:
        one, two = left
        return lambda state, touchpoint, now: one(state, touchpoint, now) and two(state, touchpoint, now)

    def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
        for test in left:  # noqa: SIM110 — all() would make a generator each time
            if not test(state, touchpoint, now):
                return False
        return True

    return holds


def any_holds(tests: list[bool | Holds]) -> bool | Holds:
    """True where one of `tests` is."""
    if any(test is True for test in tests):
        return True
    left = [test for test in tests if not isinstance(test, bool)]
    if len(left) <= 1:
        return left[0] if left else False
    if len(left) == 2:
        one, two = left
        return lambda state, touchpoint, now: one(state, touchpoint, now) or two(state, touchpoint, now)

    def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
        for test in left:  # noqa: SIM110 — any() would make a generator each time
            if test(state, touchpoint, now):
                return True
        return False

    return holds


def some_hold(tests: list[bool | Holds], least: int) -> bool | Holds:
    """True where at least so many of `tests` are."""
    left = [test for test in tests if not isinstance(test, bool)]
    needed = least - sum(test is True for test in tests)
    if needed <= 0 or needed > len(left):
        return needed <= 0
    if needed == 1:
        return any_holds(list(left))
    if needed == len(left):
        return all_hold(list(left))
    spare = len(left) - needed

    def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
        found = missed = 0
        for test in left:
            if test(state, touchpoint, now):
                if (found := found + 1) == needed:
                    return True
            elif (missed := missed + 1) > spare:
                return False
        return False

    return holds


def first_turn(turns: list[bool | Turns]) -> bool | Turns:
    """The earliest instant at which one has turned."""
    if any(turn is True for turn in turns):
        return True
    left = [turn for turn in turns if not isinstance(turn, bool)]
    if len(left) <= 1:
        return left[0] if left else False

    def first(state: State, start: int) -> int | None:
        earliest = None
        for turn in left:
            at = turn(state, start)
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    return first


def last_turn(turns: list[bool | Turns]) -> bool | Turns:
    """The earliest instant at which all have turned: each may turn back, so go on until all agree on it."""
    if any(turn is False for turn in turns):
        return False
    left = [turn for turn in turns if not isinstance(turn, bool)]
    if len(left) <= 1:
        return left[0] if left else True

    def last(state: State, start: int) -> int | None:
        agreed, at = 0, start
        while True:
            for turn in left:
                if (next := turn(state, at)) is None:
                    return None
                agreed = agreed + 1 if next == at else 1
                at = next
                if agreed >= len(left):
                    return at

    return last


def nth_turn(turns: list[bool | Turns], number: int) -> bool | Turns:
    """The earliest instant at which so many have turned.

    More have turned than just before only where one that had not turns: so go from each such instant to the next.
    """
    left = [turn for turn in turns if not isinstance(turn, bool)]
    needed = number - sum(turn is True for turn in turns)
    if needed <= 0 or needed > len(left):
        return needed <= 0
    if needed == 1:
        return first_turn(list(left))
    if needed == len(left):
        return last_turn(list(left))

    def nth(state: State, start: int) -> int | None:
        at: int | None = start
        while at is not None:
            turned = [turn(state, at) for turn in left]
            if turned.count(at) >= needed:
                return at
            at = min((when for when in turned if when is not None and when > at), default=None)
        return None

    return nth
