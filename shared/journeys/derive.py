"""A customer's ledger as a pure function of their touchpoints."""

from collections.abc import Iterable

from shared.journeys.engine import Journey
from shared.journeys.state import Move
from shared.journeys.touchpoint import Touchpoint


def history(touchpoints: Iterable[Touchpoint], until: int) -> list[Touchpoint]:
    """The history by rules 3, 4 and 44 up to `until`, inclusive: in order, each id once, the first recorded one of it.

    Of what was sent under one identifier, a staged history has each id once already.
    """
    first: dict[str, Touchpoint] = {}
    for touchpoint in touchpoints:
        known = first.setdefault(touchpoint.id, touchpoint)
        if (touchpoint.recorded, touchpoint.at) < (known.recorded, known.at):
            first[touchpoint.id] = touchpoint
    # Texts order by code point, and so do their UTF-8 bytes.
    return sorted((t for t in first.values() if t.at <= until and not t.excluded), key=lambda t: (t.at, t.id))


def derive(journey: Journey, touchpoints: Iterable[Touchpoint], now: int) -> list[Move]:
    """Every move that the touchpoints, in any order and with duplicates, and the time until `now` make."""
    state = journey.start()
    moves: list[Move] = []
    for touchpoint in history(touchpoints, now):
        moves += journey.advance(state, touchpoint.at - 1)
        if (move := journey.touch(state, touchpoint)) is not None:
            moves.append(move)
    return moves + journey.advance(state, now)
