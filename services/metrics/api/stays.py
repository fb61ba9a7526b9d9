"""How long customers stay in the stages of a journey."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.metrics import instants
from services.metrics.analytics import stays
from services.metrics.analytics.asking import Turn
from services.metrics.analytics.breakdown import Moment
from services.metrics.analytics.copy import Snapshot
from services.metrics.analytics.desk import Desk
from services.metrics.analytics.kernels.stays import Stays
from services.metrics.api.answers import Instant
from services.metrics.api.formats import CSV, send
from services.metrics.api.questions import Answered, Fetched, Scope, Understood, scope, seconds
from services.metrics.auth import Asked
from services.metrics.errors import NOT_FOUND
from services.metrics.language import titled
from services.metrics.service import Asker, Service
from shared.events import SECOND


class StaysAsked(Fetched):
    """Of which stages. `since` and `until` are of the entry into the stage; of velocity, of its end."""

    version: Annotated[int | None, Field(ge=1, description="left out: the one that answers", examples=[2])] = None
    stage: Annotated[str | None, Field(description="only this one, with its curve", examples=["engagement"])] = None
    moment: Annotated[
        Moment, Field(description="of which touchpoint `by` is: the first, the one at the entry, or the last")
    ] = "entered"
    points: Annotated[int, Field(ge=2, le=1000, description="points of the curve, at most")] = 50


class VelocityAsked(StaysAsked):
    """In which periods the stays ended."""

    period: Annotated[Literal["day", "week", "month"], Field(description="in which stays ended")] = "month"


class CurvePoint(BaseModel):
    """A point of the curve: it falls in steps, and keeps its height until the next."""

    after: Annotated[float, Field(description="seconds since the entry", examples=[86400.0])]
    at_risk: Annotated[int, Field(description="stays that had lasted until then", examples=[400])]
    left: Annotated[int, Field(description="of these ended then", examples=[3])]
    share: Annotated[float, Field(description="still there after it", examples=[0.91])]
    low: Annotated[float | None, Field(description="of the 95% interval", examples=[0.88])]
    high: Annotated[float | None, Field(examples=[0.93])]


class Stay(BaseModel):
    """The stays in a stage; lengths in seconds."""

    stage: Annotated[str, Field(description="`none` for no stage", examples=["engagement"])]
    title: Annotated[str | None, Field(examples=["Engagement"])]
    completed: Annotated[int, Field(description="stays that have ended; the next four are of these", examples=[310])]
    mean: Annotated[float | None, Field(examples=[432000.0])]
    median: Annotated[float | None, Field(examples=[259200.0])]
    p75: Annotated[float | None, Field(examples=[604800.0])]
    p90: Annotated[float | None, Field(examples=[1209600.0])]
    open: Annotated[int, Field(description="stays that go on", examples=[90])]
    survival_median: Annotated[
        float | None,
        Field(description="after so long half have left, counting open stays (Kaplan–Meier); null: not yet"),
    ]
    curve: Annotated[list[CurvePoint], Field(description="Kaplan–Meier's; with `stage` only")]


class StayGroup(BaseModel):
    """The stays of those with one value."""

    value: Annotated[str, Field(examples=["paid search"])]
    stages: list[Stay]


class StaysTold(Answered):
    """How long stages are held, of all and by group."""

    stages: Annotated[list[Stay], Field(description="in their order, `none` last")]
    groups: Annotated[list[StayGroup], Field(description="they add up to all; empty without `by`")]


class Speed(BaseModel):
    """A stage and a period."""

    stage: Annotated[str, Field(examples=["engagement"])]
    period: Annotated[str, Field(description="its first day, or its month", examples=["2026-03"])]
    start: Instant
    ended: Annotated[bool, Field(description="false: it goes on", examples=[True])]
    completed: Annotated[int, Field(description="stays that ended in it", examples=[52])]
    median: Annotated[float | None, Field(description="their length in seconds", examples=[259200.0])]


class SpeedGroup(BaseModel):
    """The same of those with one value."""

    value: Annotated[str, Field(examples=["paid search"])]
    periods: list[Speed]


class Velocity(Answered):
    """How long the stays were that ended in each period, of all and by group."""

    period: Annotated[str, Field(examples=["month"])]
    periods: list[Speed]
    groups: Annotated[list[SpeedGroup], Field(description="they add up to all; empty without `by`")]


def room(desk: Desk) -> Any:
    """The metrics service's room for GET /v1/journeys/{journey}/stays and …/velocity."""

    def router(service: Service, asked: Asked) -> APIRouter:
        routes = APIRouter(tags=["questions"])

        @routes.get(
            "/v1/journeys/{journey}/stays",
            summary="How long stages are held",
            response_model=StaysTold,
            responses=CSV | NOT_FOUND,
        )
        async def held(
            journey: str,
            question: Annotated[StaysAsked, Query()],
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
        ) -> Response:
            """Stays that began in the time asked about: those completed, and all by Kaplan and Meier's estimate."""
            plan = Plan(asker, question, await scope(service, asker, journey, question.version))
            snapshot, parts = await desk.ask(asker.project.project, plan.understood.text("stays"), plan.held)
            all_, *groups = [(value, [plan.stay(one) for one in told]) for value, told in parts]
            answer = StaysTold(
                **plan.understood.answered(asker, snapshot),
                stages=all_[1],
                groups=[StayGroup(value=value, stages=lines) for value, lines in groups],
            )
            lines = [(value, one.model_dump(exclude={"curve"})) for value, told in groups or [all_] for one in told]
            return send(request, answer, _lines(lines, question.by), question.format)

        @routes.get(
            "/v1/journeys/{journey}/velocity",
            summary="Whether stages are passed faster or slower",
            response_model=Velocity,
            responses=CSV | NOT_FOUND,
        )
        async def velocity(
            journey: str,
            question: Annotated[VelocityAsked, Query()],
            request: Request,
            asker: Annotated[Asker, Depends(asked)],
        ) -> Response:
            """The median length of the stays that ended in each period; see docs/definitions.md, 30."""
            plan = Plan(asker, question, await scope(service, asker, journey, question.version))
            snapshot, parts = await desk.ask(
                asker.project.project,
                plan.understood.text("velocity"),
                lambda snapshot, turn: plan.passed(snapshot, turn, question.period),
            )
            all_, *groups = [(value, [plan.speed(one) for one in told]) for value, told in parts]
            answer = Velocity(
                **plan.understood.answered(asker, snapshot),
                period=question.period,
                periods=all_[1],
                groups=[SpeedGroup(value=value, periods=lines) for value, lines in groups],
            )
            lines = [(value, one.model_dump()) for value, told in groups or [all_] for one in told]
            return send(request, answer, _lines(lines, question.by), question.format)

        return routes

    return router


class Plan:
    """What was asked, understood before it is computed. Raises Refused, naming the field."""

    def __init__(self, asker: Asker, question: StaysAsked, about: Scope) -> None:
        self.understood, self._about, self._question = Understood(asker, question, about), about, question
        self._names = about.names()
        self._titles = {stage.name: titled(stage.title, asker.accept) for stage in about.definition.stages}
        only = None if question.stage is None else about.stage(question.stage, "stage")
        self._stages = list(self._names) if only is None else [only]

    def held(self, snapshot: Snapshot, turn: Turn) -> list[tuple[str, list[stays.Told]]]:
        """All, and each group."""
        found = stays.all_stays(self._about.moves(snapshot), self._about.now(snapshot))
        return [
            (value, stays.told(part, self._stages, self._question.points))
            for value, part in self._parts(snapshot, turn, stays.some(found, self.understood.within(found.began)))
        ]

    def passed(self, snapshot: Snapshot, turn: Turn, unit: str) -> list[tuple[str, list[stays.Velocity]]]:
        """All, and each group."""
        now, period = self._about.now(snapshot), self.understood.period(unit)
        found = stays.all_stays(self._about.moves(snapshot), now)
        found = stays.some(found, found.ended & self.understood.within(found.began + found.length))
        return [
            (value, stays.velocity(part, self._stages, period, self.understood.zone, now))
            for value, part in self._parts(snapshot, turn, found)
        ]

    def _parts(self, snapshot: Snapshot, turn: Turn, found: Stays) -> list[tuple[str, Stays]]:
        if len(self._stages) == 1:
            found = stays.some(found, found.stage == self._stages[0])
        turn.check()
        groups = self.understood.groups(snapshot.touchpoints, found.owner, found.began)
        turn.check()
        of_each = [(name, stays.some(found, groups.group == number)) for number, name in enumerate(groups.names)]
        return [("", found), *of_each]

    def stay(self, one: stays.Told) -> Stay:
        """As it is sent."""
        median, p75, p90 = (seconds(value) for value in one.quantiles)
        curve = one.curve if self._question.stage is not None else []
        return Stay(
            stage=self._names[one.stage],
            title=self._titles.get(self._names[one.stage]),
            completed=one.completed,
            mean=seconds(one.mean),
            median=median,
            p75=p75,
            p90=p90,
            open=one.open,
            survival_median=seconds(one.survival_median),
            curve=[
                CurvePoint(
                    after=point.after / SECOND,
                    at_risk=point.at_risk,
                    left=point.left,
                    share=point.share,
                    low=point.low,
                    high=point.high,
                )
                for point in curve
            ],
        )

    def speed(self, one: stays.Velocity) -> Speed:
        """As it is sent."""
        return Speed(
            stage=self._names[one.stage],
            period=one.label,
            start=instants.spell(one.start),
            ended=one.ended,
            completed=one.completed,
            median=seconds(one.median),
        )


def _lines(lines: list[tuple[str, dict[str, Any]]], by: str | None) -> list[dict[str, Any]]:
    return [{**({by: value} if by else {}), **line} for value, line in lines]
