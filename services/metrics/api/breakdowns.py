"""Stage counts by what customers differ in, now, at an instant or over time; and the customers behind each count."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.analytics import counts
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.breakdown import Moment
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.counts import PERSONA, TRAIT, Cell, Dimension
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.feed import DIMENSIONS
from services.metrics.analytics.movements import People
from services.metrics.api.answers import Instant, Version, instant, while_folded
from services.metrics.api.behind import Behind, Cursor, Limit, Pager
from services.metrics.api.formats import CSV, Counted, Format, counted, send
from services.metrics.api.questions import Scope, scope
from services.metrics.api.series import Months, Unit, Week, first_of, spread
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND, RETIRED, invalid
from services.metrics.service import Asker, Service
from shared.journeys.calendar import Calendar, Period

#: Points of a breakdown over time, and dimensions of one.
MOST, WIDEST = 100, 2

#: Told of the first touchpoint that has one, where nobody says otherwise: how somebody was won.
WON = ("channel", "campaign", "source", "medium", "term")

_KNOWN = f"one of {', '.join(DIMENSIONS)}, {PERSONA}, or {TRAIT} and a trait's name"
By = Annotated[list[str], Query(max_length=WIDEST, description=_KNOWN, examples=[["channel", "country"]])]
At = Annotated[
    str | None,
    Query(description="as of this instant, inclusive; left out: as the copy has read", examples=["2026-03-31"]),
]
Of = Annotated[
    Moment | None,
    Query(
        description="of which touchpoint the value is: the first that has one, the last until the entry into the "
        f"stage, or the last. Left out: acquired for {', '.join(WON)}, else latest. Personas and traits are as of `at`",
    ),
]


class Group(BaseModel):
    """Those with one value of each dimension."""

    values: Annotated[list[str], Field(description="in the order of `by`", examples=[["paid search", "IR"]])]
    stages: Annotated[dict[str, int], Field(examples=[{"visitor": 81, "buyer": 20, "churned": 4}])]
    none: Annotated[int, Field(description="active, but in no stage", examples=[3])]
    total: Annotated[int, Field(examples=[108])]


class Point(BaseModel):
    """Who stood where at an instant."""

    period: Annotated[str | None, Field(description="null: of an instant alone", examples=["2026-03"])]
    at: Instant
    total: Annotated[int, Field(description="of all groups: what GET …/stages answers with this `at`", examples=[5120])]
    groups: Annotated[list[Group], Field(description="they add up to all; those of nobody are left out")]


class Breakdown(Counted):
    """A journey's population by what customers differ in."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    by: Annotated[list[str], Field(examples=[["channel", "country"]])]
    moments: Annotated[list[str], Field(description="of each `by`", examples=[["acquired", "latest"]])]
    values: Annotated[
        list[list[str]],
        Field(
            description="of each `by`, the most frequent first; beyond 50 they are `other`, who has none is `unknown`",
            examples=[[["paid search", "unknown"], ["IR", "unknown"]]],
        ),
    ]
    points: Annotated[list[Point], Field(description="one, or with `period` one for each, the oldest first")]


class Counting(NamedTuple):
    """What is made of the copy: instants, the names of each dimension's groups, and for each instant the cells."""

    at: list[int]
    periods: Sequence[str | None]
    names: list[tuple[str, ...]]
    cells: list[list[Cell]]


def room(desk: Desk) -> Callable[[Service, Asked], APIRouter]:
    """The metrics service's room for …/stages/breakdown, and for the customers who stand in a stage."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["journeys"])

        @routes.get(
            "/v1/journeys/{journey}/stages/breakdown",
            summary="How many customers stand in each stage, by what they differ in",
            response_model=Breakdown,
            responses=CSV | NOT_FOUND | RETIRED,
        )
        async def told(
            journey: str,
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
            by: Annotated[
                list[str], Query(min_length=1, max_length=WIDEST, description=_KNOWN, examples=[["channel"]])
            ],
            moment: Of = None,
            at: At = None,
            period: Annotated[
                Unit | None, Query(description="at the end of each period from since to until, instead of `at`")
            ] = None,
            since: Annotated[str | None, Query(description="in the first period", examples=["2026-01-01"])] = None,
            until: Annotated[str | None, Query(description="in the last period", examples=["2026-03-31"])] = None,
            calendar: Months = "gregorian",
            week: Week = "monday",
            number: Version = None,
            form: Format = None,
        ) -> Response:
            """By one dimension or, as a table, by two. As known now: each touchpoint under whom it belongs to now."""
            about = await scope(service, asker, journey, number)
            of = dimensions(about, by, moment)
            if period is None and (since or until):
                raise invalid("period", "since and until are of a series: give its period, or ask with at alone")
            if period is not None and at is not None:
                raise invalid("at", "a series has an instant for each period: give since and until instead")
            field = "at" if period is None else "until"
            end = while_folded(about.row, field, instant(asker, field, at if period is None else until))
            start = instant(asker, "since", since, "start")
            unit = None if period is None else Period(period, Calendar(week, calendar))

            def answer(snapshot: Snapshot, turn: Turn) -> Counting:
                last = snapshot.freshness if end is None else min(end, snapshot.freshness)
                ends, names = _instants(asker, unit, start, last)
                return _counting(about, of, snapshot, turn, (ends, names))

            question = f"breakdown {about.row.version} {of} {start} {end} {period} {calendar} {week}"
            snapshot, found = await desk.ask(asker.project.project, question, answer)
            made = Breakdown(
                **counted(asker, snapshot),
                journey=about.row.name,
                version=about.row.number,
                by=by,
                moments=[one.moment for one in of],
                values=[list(names) for names in found.names],
                points=[
                    _point(about, name, when, cells)
                    for name, when, cells in zip(found.periods, found.at, found.cells, strict=True)
                ],
            )
            return send(request, made, _lines(made), form)

        _standing(routes, service, desk, asked)
        return routes

    return router


def _standing(routes: APIRouter, service: Service, desk: Desk, asked: Asked) -> None:
    @routes.get(
        "/v1/journeys/{journey}/stages/{stage}/customers",
        summary="The customers who stand in a stage",
        response_model=Behind,
        responses=CSV | NOT_FOUND | RETIRED,
    )
    async def standing(
        journey: str,
        stage: str,
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        at: At = None,
        by: By = [],  # noqa: B006 - FastAPI copies it; None would be a third meaning in the OpenAPI document
        value: Annotated[
            list[str], Query(max_length=WIDEST, description="of each `by`", examples=[["paid search", "IR"]])
        ] = [],  # noqa: B006 - as above
        moment: Of = None,
        cursor: Cursor = None,
        limit: Limit = 100,
        number: Version = None,
        form: Format = None,
    ) -> Response:
        """Those behind one count of GET …/stages or …/stages/breakdown, `stage` being one's name or `none`."""
        pager = Pager(request, cursor, limit, form)
        about = await scope(service, asker, journey, number)
        wanted, of = about.stage(stage, "stage"), dimensions(about, by, moment)
        if len(by) != len(value):
            raise invalid("value", f"there are {len(by)} by and {len(value)} values: give a value for each by")
        end = while_folded(about.row, "at", instant(asker, "at", at))

        def answer(snapshot: Snapshot, _: Turn) -> People:
            until = snapshot.freshness if end is None else min(end, snapshot.freshness)
            who = counts.standing(about.moves(snapshot), until)
            mask = who.stage == wanted
            for dimension, word in zip(of, value, strict=True):
                mask &= counts.having(counts.valued(snapshot.touchpoints, dimension, who, until), word)
            return People(who.owner[mask], who.since[mask], np.ones(int(mask.sum()), dtype=np.int64))

        question = f"standing {wanted} {end} {of} {value}"
        return await pager.page(service, desk, asker, about.row, question, answer)


def dimensions(about: Scope, by: Sequence[str], moment: Moment | None) -> list[Dimension]:
    """What is asked by, each with its moment. Raises Refused, naming the field."""
    found = list[Dimension]()
    for name in by:
        if name == PERSONA:
            if not about.definition.personas:
                remedy = "list them under personas:, or ask by a trait"
                raise invalid("by", f"the journey {about.row.name} has no personas: {remedy}")
            found.append(Dimension(name, "latest", about.definition.personas))
        elif name.startswith(TRAIT) and name != TRAIT:
            found.append(Dimension(name, "latest"))
        elif name in DIMENSIONS:
            found.append(Dimension(name, moment or ("acquired" if name in WON else "latest")))
        else:
            raise invalid("by", f"{name[:60]!r} is no dimension: take {_KNOWN}")
    if len(set(by)) < len(by):
        raise invalid("by", "it is named twice: name two different dimensions")
    return found


def _instants(
    asker: Asker, unit: Period | None, start: int | None, last: int
) -> tuple[list[int], Sequence[str | None]]:
    if unit is None:
        return [last], [None]
    found, names = spread(asker, unit, first_of(asker, unit, last) if start is None else start, last, MOST)
    return [min(end - 1, last) for end in found.starts[1:].tolist()], names


def _counting(
    about: Scope, of: list[Dimension], snapshot: Snapshot, turn: Turn, at: tuple[list[int], Sequence[str | None]]
) -> Counting:
    moves, instants_ = about.moves(snapshot), at[0]
    who = [counts.standing(moves, one) for one in instants_]
    groups, names = list[list[Any]](), list[tuple[str, ...]]()
    for dimension in of:
        found = []
        for standing, one in zip(who, instants_, strict=True):
            found.append(counts.valued(snapshot.touchpoints, dimension, standing, one))
            turn.check()
        codes, words = counts.named(found)
        groups.append(codes)
        names.append(words)
    stages = len(about.definition.stages)
    cells = [counts.cells(one, parts, names, stages) for one, *parts in zip(who, *groups, strict=True)]
    return Counting(instants_, at[1], names, cells)


def _point(about: Scope, period: str | None, at: int, cells: list[Cell]) -> Point:
    names = [stage.name for stage in about.definition.stages]
    groups = [
        Group(
            values=list(cell.values),
            stages=dict(zip(names, cell.stages[:-1], strict=True)),
            none=cell.stages[-1],
            total=sum(cell.stages),
        )
        for cell in cells
    ]
    return Point(period=period, at=instants.spell(at), total=sum(one.total for one in groups), groups=groups)


def _lines(made: Breakdown) -> list[dict[str, Any]]:
    return [
        {"period": point.period, "at": point.at, **dict(zip(made.by, group.values, strict=True))}
        | {"stage": stage, "customers": customers}
        for point in made.points
        for group in point.groups
        for stage, customers in (group.stages | {"none": group.none}).items()
    ]
