"""How many customers stand in each stage."""

from typing import Annotated

from pydantic import BaseModel, Field

from services.metrics.api.answers import Answer, Instant


class StageCount(BaseModel):
    """A stage and those in it."""

    stage: Annotated[str, Field(examples=["engagement"])]
    title: Annotated[str, Field(description="in the language that Accept-Language asks for", examples=["Engagement"])]
    means: Annotated[str | None, Field(description="converted, at-risk, churned or lapsed", examples=["converted"])]
    side: Annotated[bool, Field(description="stands beside the order of the stages", examples=[False])]
    customers: Annotated[int, Field(examples=[1284])]


class Stages(Answer):
    """A journey's population at an instant, as known at another."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    title: Annotated[str, Field(examples=["Customer lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    at: Annotated[Instant, Field(description="who stood where at this instant")]
    known_at: Annotated[Instant, Field(description="by what had been recorded up to this instant")]
    stages: list[StageCount]
    none: Annotated[int, Field(description="active, but in no stage", examples=[31])]
    total: Annotated[int, Field(description="all of them", examples=[5120])]
    behind: Annotated[
        int, Field(description="customers being derived anew, counted where they stood until then", examples=[0])
    ]
