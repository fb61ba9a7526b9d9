"""A crowd that keeps identifiers changing hands: what several stagers have to agree on."""

import random
from typing import Any

from shared.events import SECOND
from tests.support.small import HOUR, START

PEOPLE = 60


def crowd(rng: random.Random, events: int, people: int = PEOPLE) -> list[dict[str, Any]]:
    """Touchpoints of so many people and devices, in order of arrival."""
    return [touchpoint(rng, number, people) for number in range(events)]


def touchpoint(rng: random.Random, number: int, people: int = PEOPLE) -> dict[str, Any]:
    """A touchpoint as the oracle writes them: mostly of known users, some of devices, some statements, some late."""
    person = rng.randrange(people)
    kind = rng.choices(["page", "track", "identify", "alias"], [8, 8, 2, 0.2])[0]
    known = kind in ("identify", "alias") or rng.random() < 0.6
    at = START + number * 3 * 60 * SECOND - (rng.randrange(5) * HOUR if rng.random() < 0.05 else 0)
    return {
        "id": f"message-{number}",
        "type": kind,
        "name": rng.choice(["Bought", "Other"]) if kind in ("page", "track") else None,
        "t": at,
        "user": f"user-{person}" if known else None,
        "anonymous": None if kind == "alias" or (known and kind != "identify") else f"device-{rng.randrange(people)}",
        "previous": f"user-{rng.randrange(people)}" if kind == "alias" else None,
        "properties": {"price": 10} if kind == "track" else {},
        "context": {},
        "traits": {"plan": "pro"} if kind == "identify" else {},
    }
