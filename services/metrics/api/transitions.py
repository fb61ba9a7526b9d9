"""Moves between stages: how many, and each of them."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.metrics import cursor as cursors
from services.metrics import instants
from services.metrics.api.answers import Answer, By, Instant, StageName, Version, between, spelt_clock, while_folded
from services.metrics.api.formats import CSV, Format, send
from services.metrics.auth import Asked
from services.metrics.definitions import version
from services.metrics.errors import NOT_FOUND, RETIRED, invalid
from services.metrics.service import Asker, Service, stage_name
from shared.journeys.definition import Definition
from shared.store import people, reads
from shared.store.engine import reading
from shared.store.rows import CAUSES, USER, LedgerRow


class Flow(BaseModel):
    """How many moves from one stage to another stand."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[StageName, Field(alias="from")]
    target: Annotated[StageName, Field(alias="to")]
    n: Annotated[int, Field(examples=[112])]


class Transition(BaseModel):
    """A move that stands."""

    model_config = ConfigDict(populate_by_name=True)

    customer: Annotated[str, Field(description="the customer's number in Milepost", examples=["4398046511105"])]
    by: Annotated[By, Field(description="what `id` is", examples=["user"])]
    id: Annotated[str, Field(description="an identifier to ask for the customer by", examples=["u-1042"])]
    source: Annotated[StageName, Field(alias="from")]
    target: Annotated[StageName, Field(alias="to")]
    at: Annotated[Instant, Field(description="when it happened")]
    cause: Annotated[str, Field(description=f"one of {', '.join(CAUSES)}", examples=["live"])]
    recorded_at: Annotated[Instant, Field(description="when it was known")]


class Transitions(Answer):
    """The moves of a journey in a period: `counts` are of the whole period, `items` one page, the newest first."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    since: Annotated[Instant | None, Field(description="null: from the beginning")]
    until: Instant
    counts: Annotated[list[Flow], Field(description="net: what was reversed does not count")]
    items: list[Transition]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last", examples=[None])]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/{journey}/transitions."""
    routes = APIRouter(tags=["journeys"])

    @routes.get(
        "/v1/journeys/{journey}/transitions",
        summary="Who moved from where to where",
        response_model=Transitions,
        responses=CSV | NOT_FOUND | RETIRED,
    )
    async def transitions(
        journey: str,
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        since: Annotated[
            str | None,
            Query(description="from this instant on, inclusive; a date means its beginning", examples=["2026-03-01"]),
        ] = None,
        until: Annotated[
            str | None,
            Query(description="up to this instant, inclusive; a date means its end", examples=["2026-03-31"]),
        ] = None,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[
            int, Query(ge=1, le=1000, description="items of a page, about: the moves of one instant are not torn apart")
        ] = 100,
        number: Version = None,
        form: Format = None,
    ) -> Response:
        """Only moves that stand: one that turned out not to have happened is left out, and so is its reversal.

        Pages go back in time. A move that is recorded meanwhile appears if it lies before the page that you are at.
        As CSV it is the items; the Link header leads to the next page.
        """
        start, end = between(asker, since, until)
        before = None if cursor is None else _place(cursor)
        project = asker.project.project
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
            end = while_folded(row, "until", end)
            definition = service.definition(row)
            counts = await reads.moves(db, project, row.version, start, end)
            rows, following = await reads.transitions(db, project, row.version, start, end, before, limit)
            names = await people.names(db, project, [row.customer for row in rows])
            clock = await reads.freshness(db)
        answer = Transitions(
            freshness=spelt_clock(clock),
            journey=row.name,
            version=row.number,
            since=None if start is None else instants.spell(start),
            until=instants.spell(time.time_ns() // 1000 if end is None else end),
            counts=[
                Flow(source=stage_name(definition, source), target=stage_name(definition, target), n=n)
                for (source, target), n in sorted(counts.items())
            ],
            items=[told(definition, row, names.get(row.customer)) for row in rows],
            next=None if following is None else cursors.write(following),
        )
        lines = [one.model_dump(by_alias=True) for one in answer.items]
        return send(request, answer, lines, form, {"until"} if end is None else None, answer.next)

    return routes


def _place(cursor: str) -> tuple[int, int]:
    try:
        return cursors.read(cursor, tuple[cursors.Number, cursors.Number])
    except ValueError as error:
        raise invalid("cursor", str(error)) from None


def told(definition: Definition, row: LedgerRow, name: tuple[int, str] | None) -> Transition:
    """A move as it is shown; `name` is the kind and value of one of the customer's identifiers."""
    by: By = "customer" if name is None else "user" if name[0] == USER else "anonymous"
    return Transition(
        customer=str(row.customer),
        by=by,
        id=str(row.customer) if name is None else name[1],
        source=stage_name(definition, row.source),
        target=stage_name(definition, row.target),
        at=instants.spell(row.at),
        cause=CAUSES[row.cause],
        recorded_at=instants.spell(row.recorded),
    )
