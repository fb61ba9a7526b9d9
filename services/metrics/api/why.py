"""Why one customer stands where they do in one journey."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.api.answers import Answer, Instant, StageName, Version, instant, spelt_clock
from services.metrics.api.customers import RESPONSES, Kind
from services.metrics.api.history import Seen, seen
from services.metrics.auth import Asked
from services.metrics.definitions import version
from services.metrics.language import preferred, titled
from services.metrics.lookup import find
from services.metrics.service import Asker, Service, stage_name
from shared.events import Record
from shared.journeys.explain import why as explain
from shared.journeys.telling import LANGUAGES, Speaker, language
from shared.journeys.touchpoint import Touchpoint
from shared.store import people, reads
from shared.store.engine import reading


class Coming(BaseModel):
    """What time alone will do."""

    at: Instant
    stage: Annotated[str, Field(examples=["retention"])]
    title: Annotated[str | None, Field(examples=["Retention"])]
    sentence: Annotated[
        str,
        Field(
            examples=[
                "On Friday, 27 November 2026, 14:05 time alone leads to “Retention”: "
                "by then there has been no activity for 30 days."
            ]
        ),
    ]


class Ahead(BaseModel):
    """A stage that the customer may enter from where they are."""

    stage: Annotated[str, Field(examples=["loyalty"])]
    title: Annotated[str | None, Field(examples=["Loyalty"])]
    missing: Annotated[
        str,
        Field(
            description="what is missing for it as things stand, with what is found of it and when time matters",
            examples=["A page view: 3 of 5 times within 7 days; 2 more by Friday, 27 November 2026, 14:05."],
        ),
    ]


class Why(Answer):
    """Why a customer stood where they did at an instant."""

    customer: Annotated[str, Field(examples=["4398046511105"])]
    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    at: Instant
    stage: StageName
    title: Annotated[str | None, Field(description="the stage's", examples=["Engagement"])]
    since: Annotated[Instant | None, Field(description="when they came there")]
    came_from: StageName
    by_time: Annotated[bool, Field(description="time alone led there", examples=[False])]
    touchpoint: Annotated[Seen | None, Field(description="the one that led there")]
    language: Annotated[
        str, Field(description="of the sentences: the first of Accept-Language that is spoken here", examples=["en"])
    ]
    reason: Annotated[
        str, Field(examples=["Entered “Onboarding”, because a purchase happens (an event “Order Completed”)."])
    ]
    evidence: Annotated[list[Seen], Field(description="the touchpoints that the reason's values come from")]
    next: Annotated[Coming | None, Field(description="the next move if nothing else happens")]
    ahead: Annotated[list[Ahead], Field(description="the stages that may come next, the nearest first")]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/customers/{id}/journeys/{journey}/why."""
    routes = APIRouter(tags=["customers"])

    @routes.get(
        "/v1/customers/{id:path}/journeys/{journey}/why",
        summary="Why a customer stands where they do",
        responses=RESPONSES,
    )
    async def why(
        id: str,
        journey: str,
        asker: Annotated[Asker, Depends(asked)],
        by: Kind = None,
        at: Annotated[
            str | None,
            Query(description="as of this instant, inclusive; a date means the end of that day; left out: now"),
        ] = None,
        number: Version = None,
    ) -> Why:
        """The journey is derived once more from the customer's whole history, as it is known now, and watched at it."""
        project, asked_at = asker.project.project, instant(asker, "at", at)
        now = time.time_ns() // 1000 if asked_at is None else asked_at
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
            who = (await find(db, project, id, by, service.secret)).row.customer
            told = await people.history(db, project, who)
            clock = await reads.freshness(db)
        touchpoints = [Touchpoint.of(record, recorded) for recorded, record in told]
        # A long history takes a while, in which others are served.
        found = await asyncio.to_thread(explain, service.compiled(row, asker.zone), touchpoints, now)
        definition = service.definition(row)
        titles = {stage.name: titled(stage.title, asker.accept) for stage in definition.stages}
        spoken = preferred(asker.accept, LANGUAGES)
        says = Speaker(language(spoken), titles, asker.zone).sentence
        return Why(
            freshness=spelt_clock(clock),
            customer=str(who),
            journey=row.name,
            version=row.number,
            at=instants.spell(now),
            stage=found.stage,
            title=titles.get(found.stage or ""),
            since=None if found.since is None else instants.spell(found.since),
            came_from=None if found.move is None else stage_name(definition, found.move.source),
            by_time=found.move is not None and found.move.timer,
            touchpoint=None if found.touchpoint is None else _records(told, [found.touchpoint])[0],
            language=spoken,
            reason=says(found.reason),
            evidence=_records(told, found.evidence),
            next=None
            if found.next is None
            else Coming(
                at=instants.spell(found.next.at),
                stage=found.next.stage,
                title=titles.get(found.next.stage),
                sentence=says(found.next.reason),
            ),
            ahead=[
                Ahead(stage=one.stage, title=titles.get(one.stage), missing=says(one.lacks)) for one in found.toward
            ],
        )

    return routes


def _records(told: Sequence[tuple[int, Record]], touchpoints: Sequence[Touchpoint]) -> list[Seen]:
    by_id = {record.id: (record, recorded) for recorded, record in told}
    return [seen(*by_id[touchpoint.id]) for touchpoint in touchpoints]
