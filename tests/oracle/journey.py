"""Rules 19 to 29, 44 and 56: the moves of one customer in one journey."""

from dataclasses import replace
from typing import Any

from tests.oracle.conditions import enter_of, holds
from tests.oracle.history import Touchpoint, in_order, place
from tests.oracle.matching import is_activity
from tests.oracle.reading import Move, Reading
from tests.oracle.timers import enters, instants, is_timed

NONE = "none"


def derive(definition: dict[str, Any], touchpoints: list[Touchpoint], now: int, zone: str = "UTC") -> list[Move]:
    """Every move up to and including now, of the one customer whose touchpoints these are, in any order."""
    history = [one for one in in_order(touchpoints) if one["t"] <= now and not one.get("excluded")]  # rule 44
    stamps = sorted({touchpoint["t"] for touchpoint in history})
    moves: list[Move] = []
    for number, start in enumerate(stamps, 1):
        end = stamps[number] if number < len(stamps) else now + 1
        for position, touchpoint in enumerate(history):
            if touchpoint["t"] == start:
                reading = Reading(definition, zone, history[: position + 1], list(moves), start, touchpoint)
                moves += move(reading)
        seen = [touchpoint for touchpoint in history if touchpoint["t"] <= start]
        moves += timer_moves(Reading(definition, zone, seen, moves, start, None), end)
    return moves


def stage(definition: dict[str, Any], touchpoints: list[Touchpoint], now: int, zone: str = "UTC") -> str | None:
    """The stage held at an instant; None for absent."""
    moves = derive(definition, touchpoints, now, zone)
    return moves[-1].target if moves else None


def timer_moves(after: Reading, end: int) -> list[Move]:
    """Rule 27: what time alone does after the touchpoints of an instant, until just before `end`."""
    made: list[Move] = []
    start = after.now
    while True:
        reading = replace(after, moves=after.moves + made, now=start)
        for instant in instants(reading, end):
            found = move(replace(reading, now=instant))
            if found:
                break
        else:
            return made
        made += found
        start = found[0].at
        if len([one for one in made if one.at == start]) > len(enters(after.definition)):
            raise ValueError("time alone goes round in this definition, which rule 28 refuses")


def move(reading: Reading) -> list[Move]:
    """The one move that is made now, if any."""
    target = choose(reading)
    if target is None:
        return []
    by = place(reading.touchpoint) if reading.touchpoint else None
    return [Move(reading.now, reading.stage, target, by is None, by)]


def choose(reading: Reading) -> str | None:
    """Rules 20, 21, 24, 26 and 56: where the move goes; None for no move."""
    if is_placement(reading):
        return placed(reading)
    here = reading.stage or NONE
    if here in side_stages(reading.definition):
        return aside(reading, here) or called(reading, here) or returned(reading) or out(reading, here)
    target = up(reading, here) or aside(reading, here) or down(reading, here) or out(reading, here)
    if target is None and reading.stage is None and is_act(reading):
        return NONE
    return target


def is_placement(reading: Reading) -> bool:
    """Whether what happens now is a placement in this journey."""
    now = reading.touchpoint
    return now is not None and now["type"] == "placement" and now["journey"] == reading.definition["journey"]


def placed(reading: Reading) -> str | None:
    """Rule 56: where a placement leads."""
    assert reading.touchpoint is not None
    target: str = reading.touchpoint["stage"]
    known = [NONE, *ordered_stages(reading.definition), *side_stages(reading.definition)]
    return target if target in known and target != reading.stage else None


def ordered_stages(definition: dict[str, Any]) -> list[str]:
    """The names of the ordered stages, lowest first."""
    return [one["stage"] for one in definition["stages"]]


def side_stages(definition: dict[str, Any]) -> list[str]:
    """The names of the side stages, in the order in which they are listed."""
    return [one["stage"] for one in definition.get("side", [])]


def is_act(reading: Reading) -> bool:
    """Whether what happens now is the customer's own act."""
    return reading.touchpoint is not None and is_activity(reading.definition, reading.touchpoint)


def opens(reading: Reading, one: dict[str, Any]) -> bool:
    """Whether an `enter` (a stage's or the exit's) may be read now, and holds: time alone opens only the timed."""
    enter = enter_of(one)
    return (reading.touchpoint is not None or is_timed(enter)) and holds(enter, reading)


def up(reading: Reading, base: str) -> str | None:
    """20 a: the highest open stage above the base."""
    above = reading.definition["stages"]
    if base != NONE:
        above = above[ordered_stages(reading.definition).index(base) + 1 :]
    for one in reversed(above):
        if ("from" not in one or base in one["from"]) and opens(reading, one):
            return str(one["stage"])
    return None


def aside(reading: Reading, here: str) -> str | None:
    """20 b and 21 a: the last listed open side stage that names the current stage."""
    for one in reversed(reading.definition.get("side", [])):
        if one["stage"] != here and here in one["from"] and opens(reading, one):
            return str(one["stage"])
    return None


def down(reading: Reading, here: str) -> str | None:
    """20 c: the highest open stage below the current one that names it."""
    if here == NONE:
        return None
    below = reading.definition["stages"][: ordered_stages(reading.definition).index(here)]
    for one in reversed(below):
        if here in one.get("from", []) and opens(reading, one):
            return str(one["stage"])
    return None


def called(reading: Reading, here: str) -> str | None:
    """21 b: the highest open ordered stage that names the current side stage."""
    for one in reversed(reading.definition["stages"]):
        if here in one.get("from", []) and opens(reading, one):
            return str(one["stage"])
    return None


def returned(reading: Reading) -> str | None:
    """21 c: where an act of the customer leads back to."""
    (here,) = [one for one in reading.definition["side"] if one["stage"] == reading.stage]
    if "return" not in here or not is_act(reading):
        return None
    base = previous(reading) if here["return"]["to"] == "previous" else highest(reading)
    return up(reading, base) or base


def previous(reading: Reading) -> str:
    """The last stage held that was not a side stage."""
    for made in reversed(reading.moves):
        if made.source not in side_stages(reading.definition):
            return made.source or NONE
    raise AssertionError("nobody begins in a side stage")


def highest(reading: Reading) -> str:
    """The highest ordered stage entered since the customer was last absent or moved out."""
    order = ordered_stages(reading.definition)
    found = NONE
    for made in reading.moves:
        if made.target == NONE:
            found = NONE
        elif made.target in order and (found == NONE or order.index(made.target) > order.index(found)):
            found = made.target
    return found


def out(reading: Reading, here: str) -> str | None:
    """20 d and 21 d: out of the journey's stages."""
    leaving = reading.definition.get("exit")
    if leaving is None or here == NONE or here not in leaving["from"] or not opens(reading, leaving):
        return None
    return NONE
