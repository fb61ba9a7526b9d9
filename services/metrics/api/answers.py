"""What the answers have in common."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.errors import Refused, invalid
from services.metrics.service import Asker
from shared.store.rows import JourneyRow

Instant = Annotated[str, Field(examples=["2026-03-31T20:29:59.999999Z"], json_schema_extra={"format": "date-time"})]

#: A stage by its name, where a customer moved.
StageName = Annotated[
    str | None,
    Field(description="a stage, `none` for no stage, null for not known to the journey", examples=["engagement"]),
]

#: Which version of a journey is asked.
Version = Annotated[
    int | None,
    Query(alias="version", ge=1, description="the version's number; left out: the one that answers", examples=[2]),
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


def between(asker: Asker, since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """The two ends, inclusive, of the time asked about; None for one that was left out. Raises Refused."""
    start, end = instant(asker, "since", since, "start"), instant(asker, "until", until)
    if start is not None and end is not None and end < start:
        raise invalid("since", "it ends before it begins: let since be before until, or leave until out")
    return start, end


def while_folded(row: JourneyRow, field: str, at: int | None) -> int | None:
    """The instant as of which a version is asked: of a retired one none after its end, which is also its default.

    Raises Refused, naming the parameter.
    """
    if row.retired_at is None:
        return at
    if at is not None and at > row.retired_at:
        ended = f"{row.name} version {row.number} was retired at {instants.spell(row.retired_at)}"
        raise Refused(409, "version_retired", f"{ended}: ask with {field} up to then, or another version", field)
    return row.retired_at if at is None else at
