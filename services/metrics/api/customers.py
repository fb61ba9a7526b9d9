"""One customer: who it is, and where it stands in every journey."""

import time
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics import instants
from services.metrics.api.answers import Answer, By, Instant, spelt_clock
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND, Error
from services.metrics.language import titled
from services.metrics.lookup import find
from services.metrics.service import Asker, Service, stage_name
from services.metrics.standing import standing
from shared.events import Record
from shared.journeys.engine import NONE
from shared.store import people, reads
from shared.store.engine import reading
from shared.store.rows import ANONYMOUS, BEHIND, USER, JourneyRow, LedgerRow
from shared.store.versions import answering


class KnownAs(BaseModel):
    """What a customer is known by."""

    by: Annotated[By, Field(examples=["user"])]
    id: Annotated[str, Field(examples=["u-1042"])]
    shared: Annotated[bool, Field(description="others use this device too", examples=[False])] = False


class Place(BaseModel):
    """Where a customer stands in a journey."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    stage: Annotated[
        str | None, Field(description="`none`: in no stage; null: not known to the journey", examples=["engagement"])
    ]
    title: Annotated[str | None, Field(description="the stage's", examples=["Engagement"])]
    since: Annotated[Instant | None, Field(description="when they came there")]


class Customer(Answer):
    """A customer."""

    customer: Annotated[str, Field(description="its number in Milepost", examples=["4398046511105"])]
    merged_from: Annotated[
        str | None, Field(description="the number asked for, if that customer has become this one", examples=[None])
    ]
    identifiers: list[KnownAs]
    traits: Annotated[
        dict[str, Any],
        Field(description="of all identify touchpoints, the later winning", examples=[{"email": "ada@example.com"}]),
    ]
    first_seen: Annotated[Instant | None, Field(description="its first touchpoint")]
    last_seen: Annotated[Instant | None, Field(description="its last touchpoint")]
    touchpoints: Annotated[int, Field(description="how many it has", examples=[57])]
    behind: Annotated[bool, Field(description="being derived anew: shown where it stood until then", examples=[False])]
    journeys: list[Place]


class Candidate(BaseModel):
    """A customer that may be meant, and how to ask for it alone."""

    by: Annotated[By, Field(examples=["user"])]
    id: Annotated[str, Field(examples=["u-1042"])]
    customer: Annotated[str, Field(examples=["4398046511105"])]


class Ambiguous(Error):
    """An id of several customers."""

    candidates: list[Candidate]


#: What questions about one customer may be answered instead.
RESPONSES: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    409: {"model": Ambiguous, "description": "Several customers have this id; they are listed."},
}

Kind = Annotated[By | None, Query(description="what the id is; left out: user id, anonymous id or e-mail address")]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/customers/{id}."""
    routes = APIRouter(tags=["customers"])

    @routes.get("/v1/customers/{id:path}", summary="Who a customer is and where they stand", responses=RESPONSES)
    async def customer(id: str, asker: Annotated[Asker, Depends(asked)], by: Kind = None) -> Customer:
        """By any identifier that the customer was ever known by."""
        project = asker.project.project
        async with reading(service.database) as db:
            found = await find(db, project, id, by, service.secret)
            number = found.row.customer
            history = [record for _, record in await people.history(db, project, number)]
            ledger = await people.ledger(db, project, number)
            return Customer(
                freshness=spelt_clock(await reads.freshness(db)),
                customer=str(number),
                merged_from=found.merged_from,
                identifiers=await _identifiers(db, project, number, history),
                traits=traits(history),
                first_seen=instants.spell(history[0].at) if history else None,
                last_seen=instants.spell(history[-1].at) if history else None,
                touchpoints=len(history),
                behind=found.row.status == BEHIND,
                journeys=[
                    _place(service, row, asker.accept, [entry for entry in ledger if entry.version == row.version])
                    for row in answering(await reads.journeys(db, project))
                ],
            )

    return routes


_object = msgspec.json.Decoder(dict[str, Any]).decode


def traits(history: Iterable[Record]) -> dict[str, Any]:
    """The traits after a history (semantics 15): of all identify touchpoints, the later winning, null taking away."""
    held: dict[str, Any] = {}
    for record in history:
        if record.type == "identify":
            held |= _object(record.traits)
    return {name: value for name, value in held.items() if value is not None}


async def _identifiers(db: AsyncConnection, project: int, number: int, history: Iterable[Record]) -> list[KnownAs]:
    kinds: dict[int, By] = {USER: "user", ANONYMOUS: "anonymous"}
    found = [
        KnownAs(by=kinds[one.kind], id=one.value, shared=one.shared)
        for one in await people.identifiers(db, project, number)
    ]
    given = [_object(record.traits).get("email") for record in history if record.type == "identify"]
    emails = dict.fromkeys(email.strip().lower() for email in given if isinstance(email, str) and email.strip())
    return found + [KnownAs(by="email", id=email) for email in emails]


def _place(service: Service, row: JourneyRow, accept: str | None, entries: Iterable[LedgerRow]) -> Place:
    definition, now = service.definition(row), time.time_ns() // 1000
    moves = standing(entry for entry in entries if entry.at <= now)
    if not moves:
        return Place(journey=row.name, version=row.number, stage=None, title=None, since=None)
    last = moves[-1]
    title = None if last.target == NONE else titled(definition.stages[last.target].title, accept)
    return Place(
        journey=row.name,
        version=row.number,
        stage=stage_name(definition, last.target),
        title=title,
        since=instants.spell(last.at),
    )
