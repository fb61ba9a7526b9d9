"""Visits: who comes for the first time and who again, where they land, and how many leave at once."""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.analytics import breakdown, members
from services.metrics.analytics import visits as counting
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.feed import CODES
from services.metrics.analytics.members import within
from services.metrics.analytics.periods import labels
from services.metrics.api.answers import Instant, between
from services.metrics.api.formats import CSV, Counted, Format, Share, counted, send
from services.metrics.api.series import Months, Unit, Week
from services.metrics.auth import Asked
from services.metrics.errors import invalid
from services.metrics.service import Asker, Service
from shared.events import SECOND
from shared.journeys.calendar import Calendar, Period

#: What visits can be broken down by: `landing` is the path of the first page.
BY = ("landing", *(name for name in CODES if name not in ("type", "path")))


class Line(BaseModel):
    """Some visits."""

    value: Annotated[str | None, Field(description="of `by`; null: all", examples=["paid search"])] = None
    period: Annotated[
        str | None, Field(description="a month, or a day or week by its first day", examples=["2026-03-01"])
    ] = None
    visits: Annotated[int, Field(examples=[1200])]
    visitors: Annotated[int, Field(description="different customers", examples=[910])]
    new: Annotated[int, Field(description="the customer's first visit", examples=[640])]
    returning: Annotated[int, Field(examples=[560])]
    bounces: Annotated[Share, Field(description="one page, nothing else, under 10 engaged seconds")]
    mean_seconds: Annotated[float | None, Field(description="time on site", examples=[182.4])]
    median_seconds: Annotated[float | None, Field(examples=[64.0])]
    pages_per_visit: Annotated[float | None, Field(examples=[3.2])]


class Visits(Counted):
    """Visits of a period, of all and by value or calendar period."""

    since: Annotated[Instant | None, Field(description="visits that began then or later; null: from the beginning")]
    until: Annotated[Instant | None, Field(description="visits that began then or before; null: until now")]
    gap_seconds: Annotated[float, Field(description="a longer gap between two acts ends a visit", examples=[1800.0])]
    all: Line
    lines: Annotated[list[Line], Field(description="by `by` or `period`; they add up to all visits")]


def room(desk: Desk) -> Callable[[Service, Asked], APIRouter]:
    """The metrics service's room for GET /v1/visits."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"])

        @routes.get(
            "/v1/visits",
            summary="New and returning visits, bounces, time on site",
            response_model=Visits,
            responses=CSV,
        )
        async def visits(
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
            since: Annotated[
                str | None, Query(description="visits that began on or after", examples=["2026-03-01"])
            ] = None,
            until: Annotated[str | None, Query(description="… on or before", examples=["2026-03-31"])] = None,
            by: Annotated[str | None, Query(description=f"one of {', '.join(BY)}", examples=["landing"])] = None,
            period: Annotated[Unit | None, Query(description="a line for each, instead of `by`")] = None,
            calendar: Months = "gregorian",
            week: Week = "monday",
            form: Format = None,
        ) -> Response:
            """A run of acts without a long gap is a visit; docs/definitions.md, section 5, has every case."""
            if by is not None and by not in BY:
                raise invalid("by", f"{by[:60]!r} is no dimension of visits: take one of {', '.join(BY)}")
            if by is not None and period is not None:
                raise invalid("period", "visits are told by `by` or by `period`: give one of the two")
            start, end = between(asker, since, until)
            gap = round(service.settings.visit_gap * SECOND)
            unit = None if period is None else Period(period, Calendar(week, calendar))

            def answer(snapshot: Snapshot, turn: Turn) -> tuple[counting.Told, list[tuple[str, counting.Told]]]:
                found = counting.visits(snapshot.touchpoints, gap)
                turn.check()
                mask = within(found.began, start, end)
                all_ = counting.told(found, mask)
                if by is not None:
                    dimension = "path" if by == "landing" else by
                    codes, words = found.first(dimension)[mask], tuple(snapshot.touchpoints.words[dimension])
                    number, names = breakdown.groups(codes.astype(np.int64), words)
                elif unit is not None and mask.any():
                    spread = members.spread(unit, found.began[mask], asker.zone)
                    number, names = spread.of(found.began[mask]), labels(spread, unit, asker.zone)
                else:
                    return all_, []
                group = np.full(len(mask), -1, dtype=np.int64)
                group[mask] = number
                turn.check()
                return all_, [(name, counting.told(found, group == place)) for place, name in enumerate(names)]

            question = f"visits {start} {end} {by} {period} {calendar} {week} {gap}"
            snapshot, (all_, parts) = await desk.ask(asker.project.project, question, answer)
            lines = [_line(told, name if by else None, name if period else None) for name, told in parts]
            made = Visits(
                **counted(asker, snapshot),
                since=None if start is None else instants.spell(start),
                until=None if end is None else instants.spell(end),
                gap_seconds=gap / SECOND,
                all=_line(all_),
                lines=lines,
            )
            return send(request, made, [_flat(line) for line in lines or [made.all]], form)

        return routes

    return router


def _line(told: counting.Told, value: str | None = None, period: str | None = None) -> Line:
    return Line(
        value=value,
        period=period,
        visits=told.visits,
        visitors=told.visitors,
        new=told.new,
        returning=told.returning,
        bounces=Share(**told.bounces._asdict()),
        mean_seconds=None if told.mean_length is None else told.mean_length / SECOND,
        median_seconds=None if told.median_length is None else told.median_length / SECOND,
        pages_per_visit=told.pages,
    )


def _flat(line: Line) -> dict[str, Any]:
    fields = line.model_dump()
    bounces = fields.pop("bounces")
    return fields | {"bounces": bounces["part"], "bounce_rate": bounces["share"]}
