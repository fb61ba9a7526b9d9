"""Who came to each stage and who left it, period by period, and the customers behind these numbers."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.analytics import movements
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.columns import Ints, Mask
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.members import within
from services.metrics.analytics.movements import Kind, People
from services.metrics.api.answers import Instant, Version, between, while_folded
from services.metrics.api.behind import Behind, Cursor, Limit, Pager
from services.metrics.api.formats import CSV, Counted, Format, counted, send
from services.metrics.api.questions import Scope, scope
from services.metrics.api.series import Months, Unit, Week, spread
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND, RETIRED, invalid
from services.metrics.service import Asker, Service
from shared.journeys.calendar import Calendar, Period
from shared.journeys.engine import ABSENT

Since = Annotated[str | None, Query(description="from this instant on, inclusive", examples=["2026-03-01"])]
Until = Annotated[str | None, Query(description="up to this instant, inclusive", examples=["2026-03-31"])]


class StageMovements(BaseModel):
    """The movements of a stage."""

    stage: Annotated[str, Field(examples=["engagement"])]
    new: Annotated[int, Field(description="customers who entered it for the first time", examples=[120])]
    leaving: Annotated[int, Field(description="customers who left it, wherever to", examples=[80])]
    back: Annotated[int, Field(description="entries of customers who had been in it before", examples=[14])]
    skipped: Annotated[
        int, Field(description="entries upward into it, past a stage in which they had never been", examples=[9])
    ]
    looped: Annotated[int, Field(description="customers who came back to it twice or more", examples=[2])]


class Span(BaseModel):
    """A period, cut off at `since` and `until`."""

    period: Annotated[str | None, Field(description="null: the whole time asked about", examples=["2026-03-01"])]
    joined: Annotated[int, Field(description="customers who entered any stage for the first time", examples=[131])]
    stages: list[StageMovements]


class Movements(Counted):
    """Movements by period and stage."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    calendar: Annotated[str, Field(examples=["gregorian"])]
    since: Annotated[Instant | None, Field(description="null: from the beginning")]
    until: Annotated[Instant | None, Field(description="null: until now")]
    periods: Annotated[list[Span], Field(description="the oldest first")]


def room(desk: Desk) -> Callable[[Service, Asked], APIRouter]:
    """The metrics service's room for GET /v1/journeys/{journey}/movements, and for who is behind them."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["journeys"])

        @routes.get(
            "/v1/journeys/{journey}/movements",
            summary="Who came to each stage, and who left it",
            response_model=Movements,
            responses=CSV | NOT_FOUND | RETIRED,
        )
        async def told(
            journey: str,
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
            since: Since = None,
            until: Until = None,
            period: Annotated[Unit | None, Query(description="a line for each; left out: the whole time")] = None,
            calendar: Months = "gregorian",
            week: Week = "monday",
            number: Version = None,
            form: Format = None,
        ) -> Response:
            """New, leaving, back, skipped and looped, as docs/definitions.md has them (9); as known now."""
            about = await scope(service, asker, journey, number)
            start, end = _time(asker, about, since, until)
            unit = None if period is None else Period(period, Calendar(week, calendar))
            stages = [stage.name for stage in about.definition.stages]

            def answer(snapshot: Snapshot, _: Turn) -> tuple[movements.Told, tuple[str | None, ...]]:
                moves = about.moves(snapshot)
                inside = within(moves.at, start, end)
                place, names = _places(asker, unit, moves.at, inside, (start, end))
                found = movements.told(moves, about.definition.ordered, len(stages), place, len(names))
                return found, names

            question = f"movements {about.row.version} {start} {end} {period} {calendar} {week}"
            snapshot, (found, names) = await desk.ask(asker.project.project, question, answer)
            spans = [
                Span(
                    period=name,
                    joined=int(found.joined[line]),
                    stages=[
                        StageMovements(stage=stage, **{kind: int(n[line, i]) for kind, n in found.of.items()})
                        for i, stage in enumerate(stages)
                    ],
                )
                for line, name in enumerate(names)
            ]
            made = Movements(
                **counted(asker, snapshot),
                journey=about.row.name,
                version=about.row.number,
                calendar=calendar,
                since=None if start is None else instants.spell(start),
                until=None if end is None else instants.spell(end),
                periods=spans,
            )
            lines = [{"period": span.period, **one.model_dump()} for span in spans for one in span.stages]
            return send(request, made, lines, form)

        _behind(routes, service, desk, asked)
        return routes

    return router


def _behind(routes: APIRouter, service: Service, desk: Desk, asked: Asked) -> None:
    @routes.get(
        "/v1/journeys/{journey}/movements/customers",
        summary="The customers behind a movement",
        response_model=Behind,
        responses=CSV | NOT_FOUND | RETIRED,
    )
    async def moved(
        journey: str,
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        kind: Annotated[Kind, Query(description="of the numbers of GET …/movements", examples=["back"])],
        stage: Annotated[str, Query(description="of this stage", examples=["engagement"])],
        since: Since = None,
        until: Until = None,
        cursor: Cursor = None,
        limit: Limit = 100,
        number: Version = None,
        form: Format = None,
    ) -> Response:
        """Those of `since` to `until` together: for one period of a series, give its first and its last day."""
        pager = Pager(request, cursor, limit, form)
        about = await scope(service, asker, journey, number)
        wanted, (start, end) = _stage(about, stage, "stage"), _time(asker, about, since, until)

        def answer(snapshot: Snapshot, _: Turn) -> People:
            moves = about.moves(snapshot)
            inside = within(moves.at, start, end)
            return movements.behind(moves, about.definition.ordered, kind, wanted, inside)

        question = f"movement {kind} {wanted} {start} {end}"
        return await pager.page(service, desk, asker, about.row, question, answer)

    @routes.get(
        "/v1/journeys/{journey}/transitions/customers",
        summary="The customers behind the moves from one stage to another",
        response_model=Behind,
        responses=CSV | NOT_FOUND | RETIRED,
    )
    async def went(
        journey: str,
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        source: Annotated[
            str,
            Query(alias="from", description="a stage, `none`, or `absent` for who was not there", examples=["buyer"]),
        ],
        target: Annotated[str, Query(alias="to", description="a stage, or `none`", examples=["churned"])],
        since: Since = None,
        until: Until = None,
        cursor: Cursor = None,
        limit: Limit = 100,
        number: Version = None,
        form: Format = None,
    ) -> Response:
        """Each customer once, though they may have moved so several `times`."""
        pager = Pager(request, cursor, limit, form)
        about = await scope(service, asker, journey, number)
        start, end = _time(asker, about, since, until)
        left = ABSENT if source == "absent" else about.stage(source, "from")
        entered = about.stage(target, "to")

        def answer(snapshot: Snapshot, _: Turn) -> People:
            moves = about.moves(snapshot)
            inside = within(moves.at, start, end)
            return movements.people(moves, inside & (moves.source == left) & (moves.target == entered))

        question = f"transition {left} {entered} {start} {end}"
        return await pager.page(service, desk, asker, about.row, question, answer)


def _time(asker: Asker, about: Scope, since: str | None, until: str | None) -> tuple[int | None, int | None]:
    start, end = between(asker, since, until)
    return start, while_folded(about.row, "until", end)


def _stage(about: Scope, name: str, field: str) -> int:
    if (number := about.stage(name, field)) < 0:
        raise invalid(field, "`none` is no stage: name one of the journey's stages")
    return number


def _places(
    asker: Asker, unit: Period | None, at: Ints, inside: Mask, ends: tuple[int | None, int | None]
) -> tuple[Ints, tuple[str | None, ...]]:
    """The number of the period that each move lies in, −1 for none, and what the periods are called."""
    if unit is None:
        return np.where(inside, 0, -1), (None,)
    start, end = ends
    if not inside.any() and (start is None or end is None):
        return np.where(inside, 0, -1), ()
    first, last = int(at[inside].min()) if start is None else start, int(at[inside].max()) if end is None else end
    found, names = spread(asker, unit, first, last)
    return np.where(inside, found.of(at), -1), names
