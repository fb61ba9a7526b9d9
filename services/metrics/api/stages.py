"""How many customers stand in each stage."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics import instants
from services.metrics.api.answers import Answer, Instant, Version, instant, spelt_clock, while_folded
from services.metrics.api.formats import CSV, Format, send
from services.metrics.auth import Asked
from services.metrics.definitions import version
from services.metrics.errors import NOT_FOUND, RETIRED
from services.metrics.language import titled
from services.metrics.service import Asker, Service
from shared.journeys.engine import NONE
from shared.store import reads
from shared.store.engine import reading
from shared.store.rows import JourneyRow
from shared.store.versions import left


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
    stages: Annotated[list[StageCount], Field(description="in their order, those beside it last")]
    none: Annotated[int, Field(description="active, but in no stage", examples=[31])]
    total: Annotated[int, Field(description="all of them", examples=[5120])]
    behind: Annotated[
        int,
        Field(description="customers not derived by this version yet, or anew: counted where they stood", examples=[0]),
    ]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/{journey}/stages."""
    routes = APIRouter(tags=["journeys"])

    @routes.get(
        "/v1/journeys/{journey}/stages",
        summary="How many customers stand in each stage",
        response_model=Stages,
        responses=CSV | NOT_FOUND | RETIRED,
    )
    async def stages(
        journey: str,
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        at: Annotated[
            str | None,
            Query(
                description="as of this instant, inclusive; a date: to the end of that day in the project's time zone",
                examples=["2026-03-31", "2026-03-31T18:00:00+03:30"],
            ),
        ] = None,
        known_at: Annotated[
            str | None,
            Query(description="by what was known at this instant, inclusive; written as `at`", examples=["2026-04-07"]),
        ] = None,
        number: Version = None,
        form: Format = None,
    ) -> Response:
        """Now, on any past date, and as it was known on any past date: two questions with two answers."""
        as_of, known = instant(asker, "at", at), instant(asker, "known_at", known_at)
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
            as_of = while_folded(row, "at", as_of)
            counted = await count(service, db, row, asker.accept, as_of, known)
        now = {name for name, given in (("at", as_of), ("known_at", known)) if given is None}
        return send(request, counted, _lines(counted), form, now)

    return routes


def _lines(counted: Stages) -> list[dict[str, Any]]:
    none = StageCount(stage="none", title="", means=None, side=False, customers=counted.none)
    return [one.model_dump() for one in (*counted.stages, none)]


async def count(
    service: Service,
    db: AsyncConnection,
    row: JourneyRow,
    accept: str | None,
    at: int | None = None,
    known_at: int | None = None,
) -> Stages:
    """The population of a journey's version."""
    now = time.time_ns() // 1000
    population = await reads.population(db, row.project, row.version, at, known_at)
    definition = service.definition(row)
    return Stages(
        freshness=spelt_clock(await reads.freshness(db)),
        journey=row.name,
        title=titled(definition.title, accept),
        version=row.number,
        at=instants.spell(now if at is None else at),
        known_at=instants.spell(now if known_at is None else known_at),
        stages=[
            StageCount(
                stage=stage.name,
                title=titled(stage.title, accept),
                means=stage.means,
                side=stage.side,
                customers=population.get(number, 0),
            )
            for number, stage in enumerate(definition.stages)
        ],
        none=population.get(NONE, 0),
        total=sum(population.values()),
        behind=await reads.behind(db, row.project) + await left(db, row),
    )
