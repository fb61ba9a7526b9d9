"""Placements: a customer set in a stage of a journey by hand (rule 56), as records that Milepost alone writes."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec

from shared.events import PLACEMENT, Record


class Placement(msgspec.Struct, frozen=True):
    """Into which stage (or `none`) of a journey, who placed and why."""

    journey: str
    stage: str
    by: str = ""
    why: str = ""


def placed(properties: Mapping[str, Any]) -> Placement | None:
    """What a placement's properties say; None if they say nothing of the kind."""
    try:
        return msgspec.convert(properties, Placement)
    except msgspec.ValidationError:
        return None


def record(project: int, user: str | None, anonymous: str | None, placement: Placement, now: int) -> Record:
    """A new placement of the customer with this identifier: it happens now, an instant in microseconds."""
    properties = msgspec.Raw(msgspec.json.encode(placement))
    return Record(
        project, f"placement-{uuid4()}", PLACEMENT, now, now, user=user, anonymous=anonymous, properties=properties
    )
