"""Why one customer stands where they do in one journey."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.api.answers import Answer, Instant, StageName, instant, spelt_clock
from services.metrics.api.customers import RESPONSES, Kind
from services.metrics.api.history import Seen, seen
from services.metrics.auth import Asked
from services.metrics.language import titled
from services.metrics.lookup import find
from services.metrics.service import Asker, Service, stage_name
from shared.events import Record
from shared.journeys.explain import why as explain
from shared.journeys.touchpoint import Touchpoint
from shared.store import people, reads
from shared.store.engine import reading


class Coming(BaseModel):
    """What time alone will do."""

    at: Instant
    stage: Annotated[str, Field(examples=["retention"])]
    title: Annotated[str | None, Field(examples=["Retention"])]


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
    reason: Annotated[
        str, Field(examples=["Entered engagement, because a purchase: this touchpoint is track “Order Completed”."])
    ]
    evidence: Annotated[list[Seen], Field(description="the touchpoints that the reason's values come from")]
    next: Annotated[Coming | None, Field(description="the next move if nothing else happens")]


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
    ) -> Why:
        """The journey is derived once more from the customer's whole history, as it is known now, and watched at it."""
        project, asked_at = asker.project.project, instant(asker, "at", at)
        now = time.time_ns() // 1000 if asked_at is None else asked_at
        async with reading(service.database) as db:
            row = await service.journey(db, project, journey)
            number = (await find(db, project, id, by, service.secret)).row.customer
            told = await people.history(db, project, number)
            clock = await reads.freshness(db)
        touchpoints = [Touchpoint.of(record, recorded) for recorded, record in told]
        # A long history takes a while, in which others are served.
        found = await asyncio.to_thread(explain, service.compiled(row, asker.zone), touchpoints, now)
        titles = {stage.name: titled(stage.title, asker.accept) for stage in service.definition(row).stages}
        return Why(
            freshness=spelt_clock(clock),
            customer=str(number),
            journey=row.name,
            version=row.number,
            at=instants.spell(now),
            stage=found.stage,
            title=titles.get(found.stage or ""),
            since=None if found.since is None else instants.spell(found.since),
            came_from=None if found.move is None else stage_name(service.definition(row), found.move.source),
            by_time=found.move is not None and found.move.timer,
            touchpoint=None if found.touchpoint is None else _records(told, [found.touchpoint])[0],
            reason=found.reason,
            evidence=_records(told, found.evidence),
            next=None
            if found.next is None
            else Coming(at=instants.spell(found.next.at), stage=found.next.stage, title=titles.get(found.next.stage)),
        )

    return routes


def _records(told: Sequence[tuple[int, Record]], touchpoints: Sequence[Touchpoint]) -> list[Seen]:
    by_id = {record.id: (record, recorded) for recorded, record in told}
    return [seen(*by_id[touchpoint.id]) for touchpoint in touchpoints]
