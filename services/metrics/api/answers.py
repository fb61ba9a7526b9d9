"""What the answers have in common."""

from typing import Annotated

from pydantic import BaseModel, Field

Instant = Annotated[str, Field(examples=["2026-03-31T20:29:59.999999Z"], json_schema_extra={"format": "date-time"})]

#: A stage by its name in an answer about one customer's moves.
StageName = Annotated[
    str | None,
    Field(description="a stage, `none` for no stage, null for not known to the journey", examples=["engagement"]),
]


class Answer(BaseModel):
    """Every answer says how fresh it is."""

    freshness: Annotated[
        Instant | None,
        Field(description="everything received before this instant is counted; null until a stager has run"),
    ]
