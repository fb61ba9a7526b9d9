"""Moves between stages: how many, and each of them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.metrics.api.answers import Answer, Instant, StageName

By = Literal["user", "anonymous", "email", "customer"]


class Flow(BaseModel):
    """How many moves from one stage to another stand."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[StageName, Field(alias="from")]
    target: Annotated[StageName, Field(alias="to")]
    n: Annotated[int, Field(examples=[112])]


class Transition(BaseModel):
    """A move that stands."""

    model_config = ConfigDict(populate_by_name=True)

    customer: Annotated[str, Field(description="Milepost's own number of the customer", examples=["4398046511105"])]
    by: Annotated[By, Field(description="what `id` is")]
    id: Annotated[str, Field(description="an identifier to ask for the customer by", examples=["u-1042"])]
    source: Annotated[StageName, Field(alias="from")]
    target: Annotated[StageName, Field(alias="to")]
    at: Annotated[Instant, Field(description="when it happened")]
    cause: Annotated[str, Field(description="live, timer, late, merge, import or backfill", examples=["live"])]
    recorded_at: Annotated[Instant, Field(description="when it was known")]


class Transitions(Answer):
    """The moves of a journey in a period: `counts` are of the whole period, `items` one page, the newest first."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(examples=[1])]
    since: Annotated[Instant | None, Field(description="null: from the beginning")]
    until: Instant
    counts: list[Flow]
    items: list[Transition]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last", examples=[None])]
