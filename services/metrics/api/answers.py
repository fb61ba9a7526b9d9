"""What the answers have in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.errors import invalid
from services.metrics.service import Asker

Instant = Annotated[str, Field(examples=["2026-03-31T20:29:59.999999Z"], json_schema_extra={"format": "date-time"})]

#: A stage by its name, where a customer moved.
StageName = Annotated[
    str | None,
    Field(description="a stage, `none` for no stage, null for not known to the journey", examples=["engagement"]),
]

#: What an id may be.
By = Literal["user", "anonymous", "email", "customer"]


class Answer(BaseModel):
    """Every answer says how fresh it is."""

    freshness: Annotated[
        Instant | None,
        Field(description="everything received before this instant is counted; null until a stager has run"),
    ]


def spelt_clock(clock: int) -> str | None:
    """The store's clock as `freshness`."""
    return instants.spell(clock) if clock else None


def instant(asker: Asker, field: str, text: str | None, day: Literal["start", "end"] = "end") -> int | None:
    """The instant that a parameter names, None if it was left out. Raises Refused, naming the parameter."""
    if text is None:
        return None
    try:
        return instants.parse(text, asker.zone, day)
    except ValueError as error:
        raise invalid(field, str(error)) from None
