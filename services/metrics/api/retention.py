"""Retention: who comes back, by when they began."""

from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.metrics import instants
from services.metrics.analytics import retention
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.columns import Columns, Ints
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.members import entries, firsts
from services.metrics.analytics.periods import MOST
from services.metrics.analytics.selecting import matcher, selected
from services.metrics.api.answers import Instant
from services.metrics.api.formats import CSV, Format, Share, send
from services.metrics.api.questions import Answered, Asking, InJourney, Scope, Understood, scope_of
from services.metrics.auth import Asked
from services.metrics.body import Bounded
from services.metrics.errors import NOT_FOUND, invalid
from services.metrics.service import Asker, Service

_MATCHER = {"role": "purchase"}

#: Edges that brackets may have.
EDGES = 32


class Start(BaseModel):
    """What begins a cohort: the first entry into a stage, or the first touchpoint that matches."""

    model_config = ConfigDict(extra="forbid")

    stage: Annotated[str | None, Field(description="a stage of `journey`", examples=[None])] = None
    touchpoint: Annotated[
        dict[str, Any] | None,
        Field(description="a matcher as journeys write it: type, name, role, channel, …", examples=[_MATCHER]),
    ] = None


class RetentionAsked(Asking, InJourney):
    """Who is looked at, and what is a return. `since` and `until` are of the start."""

    start: Annotated[Start | None, Field(description="left out: the first touchpoint of all")] = None
    back: Annotated[
        dict[str, Any] | None,
        Field(
            alias="return",
            description="a matcher; left out: any act of theirs (by the rules of `journey`, if there is one)",
            examples=[None],
        ),
    ] = None
    period: Annotated[Literal["day", "week", "month"], Field(description="of cohorts, and of returns")] = "week"
    mode: Annotated[
        Literal["calendar", "rolling"],
        Field(description="local days, weeks, months; or 24 h, 7 and 30 times 24 h from each one's own start"),
    ] = "calendar"
    measure: Annotated[
        Literal["n-day", "unbounded", "bracket"],
        Field(description="came in the period; then or later; in one of the periods of a bracket"),
    ] = "n-day"
    count: Annotated[int, Field(ge=1, le=366, description="periods, the first of them number 0", examples=[12])] = 12
    brackets: Annotated[
        list[Annotated[int, Field(ge=0, le=MOST)]],
        Field(
            default_factory=list,
            max_length=EDGES,
            description="with `bracket`: the numbers of the periods where brackets begin, and where the last one ends",
            examples=[[0, 1, 4, 13]],
        ),
    ]


class Cell(BaseModel):
    """A period of a cohort."""

    period: Annotated[int, Field(description="its number; of a bracket that of its first", examples=[1])]
    came: Annotated[
        Share, Field(description="of those whose period has ended; `share` null: not reached yet; 0: nobody came")
    ]
    partial: Annotated[bool, Field(description="it has not ended for every member", examples=[False])]


class Cohort(BaseModel):
    """Who began in one period."""

    cohort: Annotated[str, Field(description="its first day, or its month", examples=["2026-03-02"])]
    start: Instant
    customers: Annotated[int, Field(examples=[410])]
    cells: list[Cell]


class RetentionGroup(BaseModel):
    """The cohorts of those with one value."""

    value: Annotated[str, Field(examples=["paid search"])]
    customers: Annotated[int, Field(examples=[410])]
    cells: Annotated[list[Cell], Field(description="all of its cohorts together")]
    cohorts: list[Cohort]


class Retention(Answered):
    """Who came back, of all and by group."""

    period: Annotated[str, Field(examples=["week"])]
    mode: Annotated[str, Field(examples=["calendar"])]
    measure: Annotated[str, Field(examples=["n-day"])]
    members: Annotated[int, Field(description="of all cohorts", examples=[4210])]
    cells: Annotated[list[Cell], Field(description="all cohorts together")]
    cohorts: list[Cohort]
    groups: Annotated[list[RetentionGroup], Field(description="they add up to all; empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for POST /v1/retention."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"], route_class=Bounded)

        @routes.post("/v1/retention", summary="Who comes back", response_model=Retention, responses=CSV | NOT_FOUND)
        async def retained(
            question: RetentionAsked, request: Request, asker: Annotated[Asker, Depends(asked)], form: Format = None
        ) -> Response:
            """Cohorts by when they began, and how many of each came again; see docs/definitions.md, section 4."""
            plan = Plan(asker, question, await scope_of(service, asker, question))
            snapshot, (all_, groups) = await desk.ask(
                asker.project.project, plan.understood.text("retention"), plan.answer
            )
            answer = Retention(
                **plan.understood.answered(asker, snapshot),
                period=question.period,
                mode=question.mode,
                measure=question.measure,
                members=all_.size,
                cells=plan.cells(all_.cells),
                cohorts=plan.cohorts(all_),
                groups=[
                    RetentionGroup(
                        value=name, customers=told.size, cells=plan.cells(told.cells), cohorts=plan.cohorts(told)
                    )
                    for name, told in groups
                ],
            )
            return send(request, answer, _lines(answer, question.by), form)

        return routes

    return router


class Plan:
    """Retention that was asked, understood before it is computed. Raises Refused, naming the field."""

    def __init__(self, asker: Asker, question: RetentionAsked, about: Scope | None) -> None:
        self.understood = Understood(asker, question, about)
        self._by, self._start = question.by, start(question.start, about)
        edges = question.brackets
        if (question.measure == "bracket") != bool(edges):
            raise invalid("brackets", "brackets go with measure: bracket; write where each begins, and where they end")
        if edges and (len(edges) < 2 or any(a >= b for a, b in pairwise(edges))):
            raise invalid("brackets", "write rising numbers from 0 on, at least two, such as [0, 1, 4, 13]")
        self._back = None if question.back is None else matcher(question.back, "return")
        if self._back is None:
            self.understood.can_act("return")
        period = self.understood.period(question.period)
        self._asked = retention.Asked(period, asker.zone, question.mode, question.measure, question.count, tuple(edges))

    def answer(self, snapshot: Snapshot, turn: Turn) -> tuple[retention.Told, list[tuple[str, retention.Told]]]:
        """All customers, and each group."""
        columns, now = snapshot.touchpoints, snapshot.freshness
        owner, at = starts(columns, snapshot, self._start, self.understood.about)
        mine = self.understood.within(at)
        owner, at = owner[mine], at[mine]
        back = self.understood.acts(columns, self._back)
        turn.check()
        found = retention.found(columns, owner, at, back, self._asked, now)
        told = retention.told(found, self._asked)
        groups = []
        if self._by is not None:
            of = self.understood.groups(columns, owner, at, self._asked.period.unit)
            for number, name in enumerate(of.names):
                turn.check()
                groups.append((name, retention.told(retention.part(found, of, number), self._asked)))
        return told, groups

    def cells(self, cells: list[retention.Cell]) -> list[Cell]:
        """As they are sent."""
        numbers = self._asked.edges or range(self._asked.count)
        return [
            Cell(period=number, came=Share(**cell.came._asdict()), partial=cell.partial)
            for number, cell in zip(numbers, cells, strict=False)
        ]

    def cohorts(self, told: retention.Told) -> list[Cohort]:
        """As they are sent."""
        return [
            Cohort(cohort=one.label, start=instants.spell(one.start), customers=one.size, cells=self.cells(one.cells))
            for one in told.cohorts
        ]


def start(asked: Start | None, about: Scope | None) -> Any:
    """A stage's number, a matcher, or None for the first touchpoint of all. Raises Refused."""
    if asked is None:
        return None
    if (asked.stage is None) == (asked.touchpoint is None):
        raise invalid("start", "a start is a stage or a touchpoint: give one of the two, or leave start out")
    if asked.touchpoint is not None:
        return matcher(asked.touchpoint, "start.touchpoint")
    if about is None:
        raise invalid("journey", "the start is a stage: say of which journey")
    return about.stage(asked.stage or "", "start.stage")


def starts(columns: Columns, snapshot: Snapshot, begin: Any, about: Scope | None) -> tuple[Ints, Ints]:
    """Whose and when the first starts are."""
    if begin is None:
        owner, at = columns.owner, columns.at
    elif isinstance(begin, int) and about is not None:
        owner, at = entries(about.moves(snapshot), begin)
    else:
        rows = np.flatnonzero(selected(columns, begin))
        owner, at = columns.owner[rows], columns.at[rows]
    return firsts(owner, at)


def _lines(answer: Retention, by: str | None) -> list[dict[str, Any]]:
    parts = [(group.value, group.cohorts) for group in answer.groups] if by else [("", answer.cohorts)]
    return [
        {
            **({by: value} if by else {}),
            "cohort": cohort.cohort,
            "customers": cohort.customers,
            "period": cell.period,
            "came": cell.came.part if cell.came.whole else None,
            "of": cell.came.whole,
            "share": cell.came.share,
            "partial": cell.partial,
        }
        for value, cohorts in parts
        for cohort in cohorts
        for cell in cohort.cells
    ]
