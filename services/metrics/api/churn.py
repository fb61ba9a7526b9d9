"""Churn: how many are lost to the stages that mean so, and how many come back."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.analytics import churn
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.members import firsts, spread
from services.metrics.analytics.periods import Periods, labels
from services.metrics.api.answers import Instant
from services.metrics.api.formats import CSV, Share, send
from services.metrics.api.questions import Answered, Fetched, Scope, Understood, scope, seconds
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND, invalid
from services.metrics.service import Asker, Service


class ChurnAsked(Fetched):
    """In which periods: those of which a part lies between `since` and `until`, each whole."""

    version: Annotated[int | None, Field(ge=1, description="left out: the one that answers", examples=[2])] = None
    period: Annotated[Literal["day", "week", "month"], Field(description="of what is counted")] = "month"


class ChurnLine(BaseModel):
    """A stage and a period."""

    stage: Annotated[str, Field(examples=["churned"])]
    means: Annotated[str, Field(description="at-risk, churned or lapsed", examples=["churned"])]
    period: Annotated[str, Field(description="its first day, or its month", examples=["2026-03"])]
    start: Instant
    ended: Annotated[bool, Field(description="false: it goes on, and its numbers will rise", examples=[True])]
    entered: Annotated[int, Field(description="customers who came to the stage in it", examples=[31])]
    rate: Annotated[
        Share, Field(description="of those who stood at its beginning where the stage is entered from, who came to it")
    ]
    won_back: Annotated[int, Field(description="times that somebody left the stage by an act of theirs", examples=[7])]
    away: Annotated[float | None, Field(description="median seconds that they had been in it", examples=[2592000.0])]


class ChurnGroup(BaseModel):
    """Those with one value."""

    value: Annotated[str, Field(examples=["paid search"])]
    lines: list[ChurnLine]


class Churn(Answered):
    """How many are lost and won back, of all and by group."""

    period: Annotated[str, Field(examples=["month"])]
    lines: list[ChurnLine]
    groups: Annotated[list[ChurnGroup], Field(description="they add up to all; empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for GET /v1/journeys/{journey}/churn."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"])

        @routes.get(
            "/v1/journeys/{journey}/churn",
            summary="Who is lost and who comes back",
            response_model=Churn,
            responses=CSV | NOT_FOUND,
        )
        async def lost(
            journey: str,
            question: Annotated[ChurnAsked, Query()],
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
        ) -> Response:
            """By stages that `means` at-risk, churned or lapsed; see docs/definitions.md, 31."""
            plan = Plan(asker, question, await scope(service, asker, journey, question.version))
            snapshot, parts = await desk.ask(asker.project.project, plan.understood.text("churn"), plan.answer)
            (_, all_), *groups = parts
            answer = Churn(
                **plan.understood.answered(asker, snapshot),
                period=question.period,
                lines=all_,
                groups=[ChurnGroup(value=value, lines=lines) for value, lines in groups],
            )
            lines = [
                {**({question.by: value} if question.by else {}), **_flat(line)}
                for value, told in (groups if question.by else parts)
                for line in told
            ]
            return send(request, answer, lines, question.format)

        return routes

    return router


class Plan:
    """What was asked, understood before it is computed. Raises Refused, naming the field."""

    def __init__(self, asker: Asker, question: ChurnAsked, about: Scope) -> None:
        self.understood, self._about, self._question = Understood(asker, question, about), about, question
        self._period = self.understood.period(question.period)
        self.understood.can_act("journey")
        if not churn.leaving(about.definition):
            message = f"no stage of this journey means {', '.join(churn.LEAVING)}: say so of one in its definition"
            raise invalid("journey", message)

    def answer(self, snapshot: Snapshot, turn: Turn) -> list[tuple[str, list[ChurnLine]]]:
        """All (under no name), then each group."""
        understood, moves, now = self.understood, self._about.moves(snapshot), self._about.now(snapshot)
        columns = snapshot.touchpoints
        whole = spread(self._period, np.append(moves.at, now), understood.zone)
        acts = columns.where(understood.acts(columns, None))
        turn.check()
        definition = self._about.definition
        parts = [("", self._lines(churn.told(moves, acts, definition, whole), whole, now))]
        owner, at = firsts(moves.owner, moves.at)
        of = understood.groups(columns, owner, at, self._period.unit)
        numbers = np.full(int(owner.max()) + 1 if len(owner) else 1, -1, dtype=np.int64)
        if of.names:
            numbers[owner] = of.group
        for number, name in enumerate(of.names):
            turn.check()
            mine = churn.some(moves, numbers[moves.owner] == number)
            parts.append((name, self._lines(churn.told(mine, acts, definition, whole), whole, now)))
        return parts

    def _lines(self, told: list[churn.Line], whole: Periods, now: int) -> list[ChurnLine]:
        understood, stages = self.understood, self._about.definition.stages
        names = labels(whole, self._period, understood.zone)
        since, until = understood.since, understood.until
        return [
            ChurnLine(
                stage=stages[one.stage].name,
                means=stages[one.stage].means or "",
                period=names[one.period],
                start=instants.spell(int(whole.starts[one.period])),
                ended=bool(whole.starts[one.period + 1] <= now),
                entered=one.entered,
                rate=Share(**one.left._asdict()),
                won_back=one.won_back,
                away=seconds(one.away),
            )
            for one in told
            if (since is None or whole.starts[one.period + 1] > since)
            and (until is None or whole.starts[one.period] <= until)
        ]


def _flat(line: ChurnLine) -> dict[str, Any]:
    told = line.model_dump(exclude={"rate"})
    return {**told, "left": line.rate.part, "of": line.rate.whole, "rate": line.rate.share}
