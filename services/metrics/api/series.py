"""How many customers stood in each stage at the end of each day, week or month."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.analytics.periods import Periods, labels, periods
from services.metrics.api.answers import Answer, Instant, Version, between, instant, spelt_clock, while_folded
from services.metrics.api.formats import CSV, Format, send
from services.metrics.auth import Asked
from services.metrics.definitions import version
from services.metrics.errors import NOT_FOUND, RETIRED, invalid
from services.metrics.service import Asker, Service
from shared.journeys.calendar import Calendar, Period
from shared.journeys.engine import NONE
from shared.store import reads
from shared.store.engine import reading
from shared.store.series import series

#: Periods that one series may have, and has where nobody says since when.
MOST, USUAL = 400, 30

#: What of an answer until now only says when it was asked.
_ASKED_NOW: Any = {"until": True, "points": {-1: {"at"}}}

Unit = Literal["day", "week", "month"]
Months = Annotated[Literal["gregorian", "jalali"], Query(description="whose months are counted")]
Week = Annotated[
    Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    Query(description="the day on which weeks begin"),
]


class Point(BaseModel):
    """Who stood where when a period ended."""

    period: Annotated[str, Field(description="a month, or a day or week by its first day", examples=["2026-03-01"])]
    at: Annotated[Instant, Field(description="the period's last microsecond, or `until` if it is not over by then")]
    stages: Annotated[dict[str, int], Field(examples=[{"visitor": 810, "buyer": 212, "churned": 40}])]
    none: Annotated[int, Field(description="active, but in no stage", examples=[31])]
    total: Annotated[int, Field(examples=[1093])]


class Series(Answer):
    """A journey's population over time."""

    journey: Annotated[str, Field(examples=["lifecycle"])]
    version: Annotated[int, Field(description="the definition's, counted from 1", examples=[1])]
    time_zone: Annotated[str, Field(examples=["Asia/Tehran"])]
    calendar: Annotated[str, Field(examples=["gregorian"])]
    until: Instant
    known_at: Annotated[Instant | None, Field(description="null: as it is known now")]
    points: Annotated[list[Point], Field(description="the oldest first")]


def router(service: Service, asked: Asked) -> APIRouter:
    """GET /v1/journeys/{journey}/stages/series."""
    routes = APIRouter(tags=["journeys"])

    @routes.get(
        "/v1/journeys/{journey}/stages/series",
        summary="How many customers stood in each stage over time",
        response_model=Series,
        responses=CSV | NOT_FOUND | RETIRED,
    )
    async def told(
        journey: str,
        request: Request,
        asker: Annotated[Asker, Depends(asked)],
        since: Annotated[
            str | None,
            Query(description=f"in the first period; left out: {USUAL} periods", examples=["2026-03-01"]),
        ] = None,
        until: Annotated[
            str | None, Query(description="in the last period, inclusive; left out: now", examples=["2026-03-31"])
        ] = None,
        period: Annotated[Unit, Query(description="one count at the end of each")] = "day",
        calendar: Months = "gregorian",
        week: Week = "monday",
        known_at: Annotated[
            str | None, Query(description="by what was known at this instant, inclusive", examples=["2026-04-07"])
        ] = None,
        number: Version = None,
        form: Format = None,
    ) -> Response:
        """Sums of the ledger: each count is what GET …/stages answers with that point's `at`, and the same `known_at`.

        Days, weeks and months are local to the project's time zone. The last point is of `until` itself.
        """
        first, end = between(asker, since, until)
        known = instant(asker, "known_at", known_at)
        async with reading(service.database) as db:
            row = await version(service, db, asker, journey, number)
            end = while_folded(row, "until", end)
            last = time.time_ns() // 1000 if end is None else end
            unit = Period(period, Calendar(week, calendar))
            found, names = spread(asker, unit, first_of(asker, unit, last) if first is None else first, last)
            at = [min(start - 1, last) for start in found.starts[1:].tolist()]
            counts = await series(db, row.project, row.version, at, known)
            clock = await reads.freshness(db)
        stages = service.definition(row).stages
        points = [
            Point(
                period=name,
                at=instants.spell(one),
                stages={stage.name: count.get(place, 0) for place, stage in enumerate(stages)},
                none=count.get(NONE, 0),
                total=sum(count.values()),
            )
            for name, one, count in zip(names, at, counts, strict=True)
        ]
        answer = Series(
            freshness=spelt_clock(clock),
            journey=row.name,
            version=row.number,
            time_zone=asker.project.time_zone,
            calendar=calendar,
            until=instants.spell(last),
            known_at=None if known is None else instants.spell(known),
            points=points,
        )
        return send(request, answer, _lines(points), form, _ASKED_NOW if end is None else None)

    return routes


def first_of(asker: Asker, unit: Period, last: int) -> int:
    """An instant in the first of the usual number of periods up to that of `last`."""
    for _ in range(USUAL - 1):
        last = unit.bounds(last, asker.zone)[0] - 1
    return last


def spread(asker: Asker, unit: Period, first: int, last: int, most: int = MOST) -> tuple[Periods, tuple[str, ...]]:
    """The periods from that of `first` to that of `last`, and what each is called. Raises Refused."""
    if first > last:
        raise invalid("since", "it ends before it begins: let since be before until, or leave until out")
    try:
        found = periods(unit, first, last, asker.zone, most)
    except ValueError as error:
        raise invalid("since", str(error)) from None
    try:
        return found, labels(found, unit, asker.zone)
    except OverflowError:
        raise invalid("until", "that is beyond what calendars can tell: name a year from 100 to 9990") from None


def _lines(points: list[Point]) -> list[dict[str, Any]]:
    return [
        {"period": point.period, "at": point.at, "stage": stage, "customers": customers}
        for point in points
        for stage, customers in (point.stages | {"none": point.none}).items()
    ]
