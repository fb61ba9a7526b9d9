"""Rule 47: what a touchpoint is told to be, by our own tables. How they are read has golden cases of its own."""

from functools import cache
from typing import Any

import msgspec

from shared.events import Record
from shared.journeys.roles import known
from shared.touch.agent import Bots, Devices
from shared.touch.tables import Tables, load
from shared.touch.told import Teller
from tests.oracle.history import Touchpoint

TOLD = ("channel", "kind", "direction", "content")
ORIGIN = ("campaign", "source", "medium", "term")
PLACE = ("country", "region", "city")
DEVICE = ("device", "system", "browser")
FACTS = (*TOLD, *ORIGIN, *PLACE, *DEVICE)


@cache
def tables() -> Tables:
    """The tables that Milepost comes with."""
    return load(None, known())


@cache
def readers() -> tuple[Teller, Devices]:
    """What reads with them."""
    return Teller(tables()), Devices(Bots(tables()))


def values(fact: str) -> set[str]:
    """The values that the tables know of a channel, kind, direction or content."""
    rows = getattr(tables(), f"{fact}s")
    return {row.value for row in rows} | ({"unassigned", "direct"} if fact == "channel" else set())


def fact(touchpoint: Touchpoint, name: str) -> str | None:
    """One fact of a touchpoint; None where nothing is told of it."""
    parts = [touchpoint["properties"], touchpoint["traits"], touchpoint["context"], touchpoint.get("seen") or {}]
    return facts(touchpoint["type"], touchpoint["name"], *map(msgspec.json.encode, parts))[name]


@cache
def facts(
    type_: str, name: str | None, properties: bytes, traits: bytes, context: bytes, seen: bytes
) -> dict[str, str | None]:
    """All facts of a touchpoint with these parts."""
    teller, devices = readers()
    raw = [msgspec.Raw(part) for part in (properties, traits, context)]
    told = teller.tell(Record(1, "m", type_, 0, 0, "u", name=name, properties=raw[0], traits=raw[1], context=raw[2]))
    at_the_door: dict[str, Any] = msgspec.json.decode(seen)
    device = devices.device(msgspec.json.decode(context), at_the_door.get("agent"))
    found = {
        **{key: getattr(told, key) for key in TOLD},
        **{key: getattr(told.origin, key, None) for key in ORIGIN},
        **{key: at_the_door.get(key) for key in PLACE},
        "device": device.type,
        "system": device.os,
        "browser": device.browser,
    }
    return {key: value or None for key, value in found.items()}
