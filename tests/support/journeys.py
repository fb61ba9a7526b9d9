"""Short ways to write journeys and histories in tests."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shared.events import DAY, Record, Seen
from shared.journeys import roles
from shared.journeys.compile import compile_journey
from shared.journeys.definition import load
from shared.journeys.engine import ABSENT, Journey, Move
from shared.journeys.setting import Setting
from shared.journeys.touchpoint import Touchpoint
from shared.touch.tables import load as load_tables
from shared.touch.told import Teller

#: 2026-01-01 UTC.
START = 20_454 * DAY

#: What a golden touchpoint may have beside its time, id, type and name.
PARTS = ("recorded", "excluded", "properties", "context", "traits", "seen")

NamedMove = tuple[int, str | None, str | None, bool]


@cache
def teller() -> Teller:
    """What tells by our own tables what touchpoints are."""
    return Teller(load_tables(None, roles.known()))


def setting(zone: str = "UTC") -> Setting:
    """What journeys are read in unless a test is about it."""
    return Setting(ZoneInfo(zone), teller())


def journey(text: str, zone: str = "UTC") -> Journey:
    """The journey of a YAML text; `journey:` may be left out."""
    return compile_journey(load(text if "journey:" in text else f"journey: test\n{text}"), setting(zone))


def touchpoint(at: int, id: str, type: str = "track", name: str | None = None, **parts: Any) -> Touchpoint:
    """A touchpoint at an instant, recorded then; `parts` are its record's other fields, as plain values."""
    for part in {"properties", "context", "traits"} & parts.keys():
        parts[part] = msgspec.Raw(msgspec.json.encode(parts[part]))
    if "seen" in parts:
        parts["seen"] = Seen(**parts["seen"])
    received = parts.pop("recorded", at)
    return Touchpoint.of(Record(1, id, type, at, received, user="u", name=name, **parts))


def from_golden(given: Mapping[str, Any]) -> Touchpoint:
    """A touchpoint of the golden cases."""
    parts = {key: given[key] for key in PARTS if key in given}
    if given["type"] == "placement":
        parts["properties"] = {"journey": given["journey"], "stage": given["stage"]}
    return touchpoint(given["t"], given["id"], given["type"], given["name"], **parts)


def named(journey: Journey, moves: Iterable[Move]) -> list[NamedMove]:
    """Moves with the names of their stages, None for absent."""
    return [(move.at, stage(journey, move.source), stage(journey, move.target), move.timer) for move in moves]


def stage(journey: Journey, number: int) -> str | None:
    """A stage's name by its number; None for absent."""
    if number == ABSENT:
        return None
    return journey.stages[number] if number >= 0 else "none"
