"""Who is active in each period: new, still there, back again; and how often they come."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.analytics import active
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.selecting import matcher
from services.metrics.api.answers import Instant
from services.metrics.api.formats import CSV, Format, send
from services.metrics.api.questions import Answered, Asking, InJourney, Scope, Understood, scope_of
from services.metrics.auth import Asked
from services.metrics.body import Bounded
from services.metrics.errors import NOT_FOUND
from services.metrics.service import Asker, Service


class ActiveAsked(Asking, InJourney):
    """Who counts as active in which periods: those of which a part lies between `since` and `until`, each whole."""

    acts: Annotated[
        dict[str, Any] | None,
        Field(
            description="a matcher; left out: any act of theirs (by the rules of `journey`, if there is one)",
            examples=[{"type": "page"}],
        ),
    ] = None
    period: Annotated[Literal["day", "week", "month"], Field(description="of what is counted")] = "month"


class ActiveLine(BaseModel):
    """A period."""

    period: Annotated[str, Field(description="its first day, or its month", examples=["2026-03"])]
    start: Instant
    ended: Annotated[bool, Field(description="false: it goes on, and its numbers will rise", examples=[True])]
    active: Annotated[int, Field(description="who came; the sum of the next three", examples=[910])]
    new: Annotated[int, Field(description="who had never come before", examples=[640])]
    kept: Annotated[int, Field(description="who had come in the period before, too", examples=[210])]
    resurrected: Annotated[
        int, Field(description="who had come before that, and not in the period before", examples=[60])
    ]
    days_active: Annotated[
        float | None, Field(description="mean number of days on which they came; null: nobody came", examples=[2.4])
    ]
    daily: Annotated[
        float | None, Field(description="mean number who came on one of its days so far (DAU)", examples=[70.4])
    ]
    stickiness: Annotated[
        float | None, Field(description="daily over active (DAU/MAU where it is a month)", examples=[0.077])
    ]


class ActiveGroup(BaseModel):
    """Those with one value."""

    value: Annotated[str, Field(examples=["paid search"])]
    periods: list[ActiveLine]


class Active(Answered):
    """Who was active, of all and by group."""

    period: Annotated[str, Field(examples=["month"])]
    periods: list[ActiveLine]
    groups: Annotated[list[ActiveGroup], Field(description="they add up to all; empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for POST /v1/active."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"], route_class=Bounded)

        @routes.post(
            "/v1/active", summary="Who is active in each period", response_model=Active, responses=CSV | NOT_FOUND
        )
        async def counted(
            question: ActiveAsked, request: Request, asker: Annotated[Asker, Depends(asked)], form: Format = None
        ) -> Response:
            """New, kept, resurrected, and stickiness; see docs/definitions.md, 24."""
            plan = Plan(asker, question, await scope_of(service, asker, question))
            snapshot, (all_, groups) = await desk.ask(
                asker.project.project, plan.understood.text("active"), plan.answer
            )
            answer = Active(
                **plan.understood.answered(asker, snapshot),
                period=question.period,
                periods=[_line(one) for one in all_],
                groups=[ActiveGroup(value=name, periods=[_line(one) for one in told]) for name, told in groups],
            )
            return send(request, answer, _lines(answer, question.by), form)

        return routes

    return router


class Plan:
    """What was asked, understood before it is computed. Raises Refused, naming the field."""

    def __init__(self, asker: Asker, question: ActiveAsked, about: Scope | None) -> None:
        self.understood = Understood(asker, question, about)
        self._by, self._period = question.by, self.understood.period(question.period)
        self._acts = None if question.acts is None else matcher(question.acts, "acts")
        if self._acts is None:
            self.understood.can_act("acts")

    def answer(
        self, snapshot: Snapshot, turn: Turn
    ) -> tuple[list[active.Active], list[tuple[str, list[active.Active]]]]:
        """All customers, and each group."""
        columns, now, understood = snapshot.touchpoints, snapshot.freshness, self.understood
        rows = np.flatnonzero(understood.acts(columns, self._acts))
        if not len(rows):
            return [], []
        turn.check()
        found = active.presence(columns.owner[rows], columns.at[rows], self._period, understood.zone, now)
        ends = understood.since, understood.until, now
        turn.check()
        told = active.told(found, None, *ends)
        if self._by is None:
            return told, []
        owner, first = np.unique(columns.owner[rows], return_index=True)
        of = understood.groups(columns, owner, columns.at[rows[first]], self._period.unit)
        numbers = np.full(len(columns.customers), -1, dtype=np.int64)
        numbers[owner] = of.group
        mine = numbers[found.owner]
        return told, [(name, active.told(found, mine == number, *ends)) for number, name in enumerate(of.names)]


def _line(one: active.Active) -> ActiveLine:
    return ActiveLine(
        period=one.label,
        start=instants.spell(one.start),
        ended=one.ended,
        active=one.active,
        new=one.new,
        kept=one.kept,
        resurrected=one.resurrected,
        days_active=one.days,
        daily=one.daily,
        stickiness=None if one.daily is None or not one.active else one.daily / one.active,
    )


def _lines(answer: Active, by: str | None) -> list[dict[str, Any]]:
    parts = [(group.value, group.periods) for group in answer.groups] if by else [("", answer.periods)]
    return [{**({by: value} if by else {}), **line.model_dump()} for value, lines in parts for line in lines]
