"""What one customer did, and where that led them in one journey."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.metrics import cursor as cursors
from services.metrics import instants
from services.metrics.api.answers import Answer, By, Instant, StageName, Version, spelt_clock
from services.metrics.api.customers import RESPONSES, Kind
from services.metrics.auth import Asked
from services.metrics.definitions import version
from services.metrics.errors import invalid
from services.metrics.lookup import find
from services.metrics.service import Asker, Service, stage_name
from services.metrics.standing import standing
from shared.events import Record
from shared.store import people, reads
from shared.store.engine import reading
from shared.store.rows import CAUSES


class Seen(BaseModel):
    """A touchpoint."""

    id: Annotated[str, Field(description="its message id", examples=["ajs-next-1712-4f"])]
    at: Annotated[Instant, Field(description="when it happened")]
    recorded_at: Annotated[Instant, Field(description="when it was known")]
    type: Annotated[str, Field(examples=["track"])]
    name: Annotated[str | None, Field(examples=["Order Completed"])]
    excluded: Annotated[bool, Field(description="it counts for nothing, as a bot did it", examples=[False])]
    by: Annotated[By, Field(description="what it was sent with", examples=["user"])]
    sent_with: Annotated[str, Field(examples=["u-1042"])]
    properties: Annotated[dict[str, Any], Field(examples=[{"revenue": 49.9}])]
    traits: Annotated[dict[str, Any], Field(examples=[{}])]
    context: Annotated[dict[str, Any], Field(examples=[{"campaign": {"source": "newsletter"}}])]


class Step(BaseModel):
    """A move that stands."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[StageName, Field(alias="from")]
    target: Annotated[StageName, Field(alias="to")]
    at: Annotated[Instant, Field(description="when it happened")]
    cause: Annotated[str, Field(description=f"one of {', '.join(CAUSES)}", examples=["live"])]
    recorded_at: Annotated[Instant, Field(description="when it was known")]


class History(Answer):
    """What a customer did and where that led: all moves that stand, and one page of touchpoints, the newest first."""

    customer: Annotated[str, Field(examples=["4398046511105"])]
    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    moves: Annotated[list[Step], Field(description="the oldest first")]
    touchpoints: list[Seen]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last", examples=[None])]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/customers/{id}/journeys/{journey}/history."""
    routes = APIRouter(tags=["customers"])

    @routes.get(
        "/v1/customers/{id:path}/journeys/{journey}/history",
        summary="What a customer did in a journey",
        responses=RESPONSES,
    )
    async def history(
        id: str,
        journey: str,
        asker: Annotated[Asker, Depends(asked)],
        by: Kind = None,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="touchpoints of a page")] = 100,
        number: Version = None,
    ) -> History:
        """The moves as they stand now, after every correction, and the touchpoints of the whole history in pages."""
        project, before = asker.project.project, None if cursor is None else _before(cursor)
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
            who = (await find(db, project, id, by, service.secret)).row.customer
            moves = standing(await people.ledger(db, project, who, row.version))
            told = await people.history(db, project, who)
            clock = await reads.freshness(db)
        if before is not None:
            told = [one for one in told if (one[1].at, one[1].id.encode()) < before]
        page = told[-limit:]
        first = page[0][1] if len(page) < len(told) else None
        definition = service.definition(row)
        return History(
            freshness=spelt_clock(clock),
            customer=str(who),
            journey=row.name,
            version=row.number,
            moves=[
                Step(
                    source=stage_name(definition, move.source),
                    target=stage_name(definition, move.target),
                    at=instants.spell(move.at),
                    cause=CAUSES[move.cause],
                    recorded_at=instants.spell(move.recorded),
                )
                for move in moves
            ],
            touchpoints=[seen(record, recorded) for recorded, record in reversed(page)],
            next=None if first is None else cursors.write((first.at, first.id.encode())),
        )

    return routes


_object = msgspec.json.Decoder(dict[str, Any]).decode


def _before(cursor: str) -> tuple[int, bytes]:
    try:
        return cursors.read(cursor, tuple[int, bytes])
    except ValueError as error:
        raise invalid("cursor", str(error)) from None


def seen(record: Record, recorded: int) -> Seen:
    """A touchpoint as it is shown."""
    return Seen(
        id=record.id,
        at=instants.spell(record.at),
        recorded_at=instants.spell(recorded),
        type=record.type,
        name=record.name,
        excluded=record.excluded,
        by="user" if record.user is not None else "anonymous",
        sent_with=record.source,
        properties=_object(record.properties),
        traits=_object(record.traits),
        context=_object(record.context),
    )
