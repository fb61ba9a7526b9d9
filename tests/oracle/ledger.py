"""Rules 30 to 36: what was true then, as it was known at some time."""

from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.history import Touchpoint
from tests.oracle.journey import derive
from tests.oracle.reading import Move
from tests.oracle.times import SECOND


def recorded(received: list[int]) -> list[int]:
    """Rule 31: the recorded times of one customer's records, from the received times in order of arrival."""
    return list(accumulate(received, max))


def known_moves(
    definition: dict[str, Any], touchpoints: list[Touchpoint], known_at: int, zone: str = "UTC"
) -> list[Move]:
    """Every move in the ledger of one customer as known at an instant, reversed ones left out.

    A touchpoint may be stamped later than it was recorded; its move is known from then on, while a timer is
    recorded no earlier than it is due (rule 32).
    """
    taken = [touchpoint for touchpoint in touchpoints if touchpoint["recorded"] <= known_at]
    horizon = max([known_at, *[touchpoint["t"] for touchpoint in taken]])
    moves = derive(definition, taken, horizon, zone)
    return [move for move in moves if not (move.timer and move.at > known_at)]


def known(
    definition: dict[str, Any], touchpoints: list[Touchpoint], at: int, known_at: int, zone: str = "UTC"
) -> str | None:
    """Rules 33 and 34: the stage held at `at` as known at `known_at`, both inclusive; None for absent."""
    moves = [move for move in known_moves(definition, touchpoints, known_at, zone) if move.at <= at]
    return moves[-1].target if moves else None


def ledger(definition: dict[str, Any], touchpoints: list[Touchpoint], now: int) -> list[tuple[int, list[Move]]]:
    """Every instant up to now at which what is known of one customer changed, with the moves known then."""
    instants = {touchpoint["recorded"] for touchpoint in touchpoints}
    for known_at in sorted(instants):
        taken = [touchpoint for touchpoint in touchpoints if touchpoint["recorded"] <= known_at]
        instants |= {move.at for move in derive(definition, taken, now) if move.timer}
    pages: list[tuple[int, list[Move]]] = []
    for instant in sorted(instant for instant in instants if instant <= now):
        moves = known_moves(definition, touchpoints, instant)
        if moves != (pages[-1][1] if pages else []):
            pages.append((instant, moves))
    return pages


def end_of_day(day: date, zone: str) -> int:
    """Rule 33: the last microsecond of a day in a time zone."""
    after = day + timedelta(days=1)
    midnight = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone))
    return int(midnight.timestamp()) * SECOND - 1
