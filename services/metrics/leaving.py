"""Who is about to leave: time alone will soon lead them to a stage that customers are lost to. Pure."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from shared.events import DAY
from shared.journeys.derive import history
from shared.journeys.engine import Journey
from shared.journeys.touchpoint import Touchpoint

#: What somebody did lately is compared with what they did in as long a time before.
LATELY = 30 * DAY


class Leaving(NamedTuple):
    """Where a customer stands and since when; when and where time leads them; what they did lately, and before that."""

    stage: int
    since: int
    due: int
    target: int
    lately: int
    before: int
    last: Touchpoint | None  #: their last act


def leaving(
    journey: Journey, touchpoints: Iterable[Touchpoint], now: int, until: int, stages: Collection[int]
) -> Leaving | None:
    """The customer's next move by time alone, if it is due by `until` and leads to one of these stages."""
    told, state = history(touchpoints, now), journey.start()
    for touchpoint in told:
        journey.advance(state, touchpoint.at - 1)
        journey.touch(state, touchpoint)
    journey.advance(state, now)
    stage, since = state.stage, state.entered
    if (move := journey.step(state, until)) is None or move.target not in stages:
        return None
    acts = [touchpoint for touchpoint in told if journey.active(touchpoint)]
    lately = sum(act.at > now - LATELY for act in acts)
    before = sum(act.at > now - 2 * LATELY for act in acts) - lately
    return Leaving(stage, since, move.at, move.target, lately, before, acts[-1] if acts else None)
