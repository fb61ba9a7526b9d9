"""How a journey fits the names that a site sends."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.api.answers import Answer, Instant, Version, spelt_clock
from services.metrics.auth import Asked
from services.metrics.definitions import INVALID, UNKNOWN, YAML_BODY, sent, version
from services.metrics.language import preferred
from services.metrics.service import Asker, Service
from shared.events import DAY
from shared.journeys.fit import Silent, Unread, fit
from shared.journeys.telling import LANGUAGES
from shared.store import naming, reads
from shared.store.engine import reading

Days = Annotated[
    int, Query(ge=1, le=36_500, description="silent is what was met, but not in so many days", examples=[30])
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="unread names to list, the most frequent", examples=[100])]


class Likeness(BaseModel):
    """The role that a name probably means."""

    role: Annotated[str, Field(examples=["purchase"])]
    known: Annotated[str, Field(description="the name of the role that it is like", examples=["Order Completed"])]
    alike: Annotated[float, Field(description="how much, from 0 to 1", examples=[0.97])]


class UnreadName(BaseModel):
    """A name that no rule of the journey reads."""

    type: Annotated[str, Field(examples=["track"])]
    name: Annotated[str, Field(examples=["orderComplete"])]
    touchpoints: Annotated[int, Field(examples=[1284])]
    first_at: Instant
    last_at: Instant
    probably: Annotated[Likeness | None, Field(description="looked for among the 100 most frequent")]


class SilentOne(BaseModel):
    """A role or a rule that nothing meets, or nothing any more."""

    said: Annotated[str, Field(description="a role by its name, a rule in words", examples=["a purchase"])]
    touchpoints: Annotated[int, Field(description="that met it, by type and name", examples=[0])]
    last_at: Annotated[Instant | None, Field(description="null: never")]


class JourneyFit(Answer):
    """How a journey fits. Names are counted from the first touchpoint on that this version of Milepost staged."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int | None, Field(description="null: the definition sent", examples=[1])]
    touchpoints: Annotated[int, Field(description="counted by name, bots left out", examples=[120_430])]
    others: Annotated[int, Field(description="of names beyond those that are counted one by one", examples=[0])]
    unread: Annotated[int, Field(description="names that no rule reads", examples=[14])]
    names: Annotated[list[UnreadName], Field(description="of these the most frequent")]
    roles: Annotated[list[SilentOne], Field(description="roles that nothing meets")]
    rules: Annotated[list[SilentOne], Field(description="what rules ask for and nothing meets")]
    bindings: Annotated[
        str,
        Field(
            description="YAML to paste into the journey; nothing is applied",
            examples=["roles:\n  purchase: {also: [orderComplete]}\n"],
        ),
    ]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/{journey}/fit and POST /v1/journeys/fit."""
    routes = APIRouter(tags=["definitions"])

    @routes.get(
        "/v1/journeys/{journey}/fit", summary="How a journey fits the names that a site sends", responses=UNKNOWN
    )
    async def published(
        journey: str,
        asker: Annotated[Asker, Depends(asked)],
        number: Version = None,
        days: Days = 30,
        limit: Limit = 100,
    ) -> JourneyFit:
        """Names that no rule reads, roles and rules that nothing meets, and what to bind. Nothing is applied."""
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
        return await _fit(service, asker, row.definition, (row.name, row.number), days, limit)

    @routes.post(
        "/v1/journeys/fit",
        summary="How a definition fits the names that a site sends",
        openapi_extra=YAML_BODY,
        responses=INVALID,
    )
    async def unpublished(
        request: Request, asker: Annotated[Asker, Depends(asked)], days: Days = 30, limit: Limit = 100
    ) -> JourneyFit:
        """The same of a definition that is not published."""
        text, definition = await sent(request, service)
        return await _fit(service, asker, text, (definition.name, None), days, limit)

    return routes


async def _fit(
    service: Service, asker: Asker, text: str, of: tuple[str, int | None], days: int, limit: int
) -> JourneyFit:
    async with reading(service.database) as db:
        met = await naming.met(db, asker.project.project)
        clock = await reads.freshness(db)
    since, language = time.time_ns() // 1000 - days * DAY, preferred(asker.accept, LANGUAGES)
    found = await asyncio.to_thread(fit, text, met, since, language)
    return JourneyFit(
        freshness=spelt_clock(clock),
        journey=of[0],
        version=of[1],
        touchpoints=found.events,
        others=found.others,
        unread=len(found.unread),
        names=[_unread(one) for one in found.unread[:limit]],
        roles=[_silent(one) for one in found.roles],
        rules=[_silent(one) for one in found.conditions],
        bindings=found.bindings,
    )


def _unread(one: Unread) -> UnreadName:
    return UnreadName(
        type=one.met.type,
        name=one.met.name,
        touchpoints=one.met.n,
        first_at=instants.spell(one.met.first_at),
        last_at=instants.spell(one.met.last_at),
        probably=None if one.guess is None else Likeness(**one.guess._asdict()),
    )


def _silent(one: Silent) -> SilentOne:
    last = None if one.last_at is None else instants.spell(one.last_at)
    return SilentOne(said=one.said, touchpoints=one.n, last_at=last)
